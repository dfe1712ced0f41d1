"""The room's scheduled work: what was earned, what came back, and the night."""

from django.utils.translation import gettext_lazy as _

from loyalty.operations.earning import count_due, earn_due
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
