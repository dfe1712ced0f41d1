"""The room's scheduled work: what was earned, what came back, and the night."""

from django.utils.translation import gettext_lazy as _

from loyalty.operations.earning import count_due, earn_due
from loyalty.operations.returns import count_to_follow, take_back_due
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
