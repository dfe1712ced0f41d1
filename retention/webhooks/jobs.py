"""The room's scheduled work: finding what is to be told, telling it, and forgetting what was told."""

import datetime as dt

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from retention.registries import DueJob, jobs
from retention.webhooks import operations


@jobs.register
class Follow(DueJob):
    """What came in any room becomes notices of the endpoints that want it."""

    key = operations.FOLLOW
    label = _("Find what other programs are to be told")
    order = 85
    woken_by = frozenset({"activities"})

    @classmethod
    def run(cls, *, now, progress):
        return {"due": operations.follow(now=now, progress=progress)}

    @classmethod
    def preview(cls, *, now):
        return {"due": operations.count_to_follow(now=now)}


@jobs.register
class Deliver(DueJob):
    """Notices are told, and tried again until they are taken."""

    key = operations.DELIVER
    label = _("Tell other programs")
    queue = "bulk"
    order = 86
    lanes = 2

    @classmethod
    def run(cls, *, now, progress):
        return operations.deliver(now=now, progress=progress).as_dict()

    @classmethod
    def preview(cls, *, now):
        return {"due": operations.count_due(now=now)}


@jobs.register
class Forget(DueJob):
    """Notices that ended are kept for a while, to be looked at and sent again."""

    key = "webhooks.forget"
    label = _("Forget what other programs were told")
    at = dt.time(4, 40)
    order = 95

    @classmethod
    def run(cls, *, now, progress):
        return {"due": operations.forget_notices(until=cls._until(now), progress=progress)}

    @classmethod
    def preview(cls, *, now):
        return {"due": operations.ended_before(cls._until(now)).count()}

    @staticmethod
    def _until(now):
        return now - dt.timedelta(days=settings.WEBHOOK_NOTICE_DAYS)
