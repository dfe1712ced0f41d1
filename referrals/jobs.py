"""The room's scheduled work."""

from django.utils.translation import gettext_lazy as _

from referrals.operations.commissions import JOB as COMMISSIONS
from referrals.operations.commissions import count_to_take_back, take_back_due
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
