"""The room's scheduled work."""

import datetime as dt

from django.utils.translation import gettext_lazy as _

from referrals.operations.commissions import JOB as COMMISSIONS
from referrals.operations.commissions import count_to_take_back, take_back_due
from referrals.operations.following import JOB as FOLLOW
from referrals.operations.following import (
    claim_due,
    claw_back_due,
    count_due,
    decide_due,
    qualify_due,
    reward_due,
)
from referrals.operations.purging import count_old_visits, purge_visits
from referrals.reports.counting import JOB as REPORTS
from referrals.reports.counting import count, is_due
from retention.registries import DueJob, jobs


@jobs.register
class FollowCommissions(DueJob):
    """Takes commissions of partners back with what comes back of their orders."""

    key = COMMISSIONS
    label = _("Take commissions back with returns")
    order = 36
    woken_by = frozenset({"orders", "returns"})

    @classmethod
    def run(cls, *, now, progress):
        return take_back_due(now=now, progress=progress).as_dict()

    @classmethod
    def preview(cls, *, now):
        return {"due": count_to_take_back()}


@jobs.register
class FollowReferrals(DueJob):
    """Moves referrals on: claims, what friends did, holds and reviews that are over, rewards, and what came back."""

    key = FOLLOW
    label = _("Follow referrals")
    order = 35
    woken_by = frozenset({"orders", "returns", "activities", "customers"})

    @classmethod
    def run(cls, *, now, progress):
        sweeps = {
            "claimed": claim_due,
            "reversed": claw_back_due,
            "qualified": qualify_due,
            "decided": decide_due,
            "rewarded": reward_due,
        }
        figures = {name: sweep(now=now, progress=progress) for name, sweep in sweeps.items()}
        return {"due": sum(figures.values()), **figures}

    @classmethod
    def preview(cls, *, now):
        figures = count_due(now=now)
        return {"due": sum(figures.values()), **figures}


@jobs.register
class PurgeVisits(DueJob):
    """Deletes visits that their schemes keep no longer."""

    key = "referrals.purge_visits"
    label = _("Delete old visits by referral links")
    queue = "bulk"
    at = dt.time(4, 20)
    order = 90

    @classmethod
    def run(cls, *, now, progress):
        return {"due": purge_visits(now=now, progress=progress)}

    @classmethod
    def preview(cls, *, now):
        return {"due": count_old_visits(now=now)}


@jobs.register
class CountReports(DueJob):
    """Counts what reports are sums of, once a day and when somebody looks at them."""

    key = REPORTS
    label = _("Count what referrals bring and cost")
    queue = "bulk"
    order = 63

    @classmethod
    def run(cls, *, now, progress):
        due = int(is_due(now=now))
        if due:
            count(now=now, progress=progress)
        return {"due": due}

    @classmethod
    def preview(cls, *, now):
        return {"due": int(is_due(now=now))}
