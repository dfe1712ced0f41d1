"""The room's scheduled work: what was earned, what came back, and the night."""

import datetime as dt

from django.utils.translation import gettext_lazy as _

from loyalty.backtests import operations as back_tests
from loyalty.operations import challenges, milestones, surprises
from loyalty.operations.earning import count_due, earn_due
from loyalty.operations.expiry import slide
from loyalty.operations.returns import count_to_follow, take_back_due
from loyalty.operations.tiers import count_to_look_at, retier
from retention.actors import Actor
from retention.registries import DueJob, jobs


@jobs.register
class Earn(DueJob):
    """Members earn for orders and activities as soon as they come in, and for days of theirs when they begin."""

    key = "loyalty.earn"
    label = _("Let members earn for orders and activities")
    queue = "sweeps"
    order = 22
    woken_by = frozenset({"orders", "activities"})

    @classmethod
    def run(cls, *, now, progress):
        return earn_due(now=now, progress=progress).as_dict()

    @classmethod
    def preview(cls, *, now):
        return {"due": count_due(now=now)}


@jobs.register
class Follow(DueJob):
    """What orders earned is taken back as they come back, and begins to count as they are fulfilled."""

    key = "loyalty.follow"
    label = _("Take back what returned orders earned, and let what waits begin")
    queue = "sweeps"
    order = 23
    woken_by = frozenset({"orders", "returns", "activities"})

    @classmethod
    def run(cls, *, now, progress):
        return take_back_due(now=now, progress=progress).as_dict()

    @classmethod
    def preview(cls, *, now):
        return {"due": count_to_follow(now=now)}


@jobs.register
class RaiseTiers(DueJob):
    """Members rise as soon as they reach a tier, and their ends move when they earn or spend."""

    key = "loyalty.tiers"
    label = _("Let members rise to the tiers that they reached")
    queue = "sweeps"
    order = 24
    woken_by = frozenset({"orders", "returns", "activities"})

    @classmethod
    def run(cls, *, now, progress):
        done = retier(now=now, by=Actor.job(cls.key), progress=progress)
        moved = slide(now=now, progress=progress)
        return {"due": done.up + done.down + moved, "granted": done.granted, "skipped": dict(done.refused)}

    @classmethod
    def preview(cls, *, now):
        return {"due": count_to_look_at()}


@jobs.register
class Milestones(DueJob):
    """Sees who passed a milestone, gives what it brings, and ends choices that ran out."""

    key = milestones.JOB
    label = _("Give members what milestones bring")
    order = 52
    woken_by = frozenset({"orders"})

    @classmethod
    def run(cls, *, now, progress):
        return milestones.pass_milestones(now=now, progress=progress)

    @classmethod
    def preview(cls, *, now):
        return {"due": milestones.due_milestones(now=now)}


@jobs.register
class Challenges(DueJob):
    key = challenges.JOB
    label = _("See who did a challenge, and give what it brings")
    order = 53
    woken_by = frozenset({"orders", "activities"})

    @classmethod
    def run(cls, *, now, progress):
        return challenges.complete_challenges(now=now, progress=progress)

    @classmethod
    def preview(cls, *, now):
        return {"due": challenges.due_challenges(now=now)}


@jobs.register
class Surprises(DueJob):
    """Draws each surprise once a day; a day that was half drawn is completed with the same members."""

    key = surprises.JOB
    label = _("Draw surprises")
    queue = "bulk"
    at = dt.time(10)
    order = 54

    @classmethod
    def run(cls, *, now, progress):
        return surprises.draw_surprises(now=now, progress=progress)

    @classmethod
    def preview(cls, *, now):
        return {"due": surprises.due_surprises(now=now)}


@jobs.register
class OrderSurprises(DueJob):
    """Draws the orders that came, each once."""

    key = "loyalty.order_surprises"
    label = _("Draw surprises of orders")
    order = 55
    woken_by = frozenset({"orders"})

    @classmethod
    def run(cls, *, now, progress):
        return surprises.draw_orders(now=now, progress=progress)

    @classmethod
    def preview(cls, *, now):
        return {"due": surprises.due_orders()}


@jobs.register
class BackTests(DueJob):
    """One at a time, apart from what customers wait for."""

    key = back_tests.JOB
    label = _("Back-tests of programmes that were asked for")
    queue = "bulk"
    order = 61

    @classmethod
    def run(cls, *, now, progress):
        return {"due": back_tests.do_back_tests(now=now, progress=progress)}

    @classmethod
    def preview(cls, *, now):
        return {"due": back_tests.open_back_tests()}
