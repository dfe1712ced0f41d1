"""The room's scheduled work: ending consents, and proving that everyone's statistics say what her facts say."""

import datetime as dt

from django.utils.translation import gettext_lazy as _

from retention.customers.operations import check_stats, count_ended_consents, count_wrong_stats, end_consents
from retention.registries import DueJob, jobs


@jobs.register
class EndConsents(DueJob):
    key = "customers.end_consents"
    label = _("End consents that were given for a time")
    order = 10

    @classmethod
    def run(cls, *, now, progress):
        return {"due": end_consents(now=now, progress=progress)}

    @classmethod
    def preview(cls, *, now):
        return {"due": count_ended_consents(now=now)}


@jobs.register
class CheckStatistics(DueJob):
    key = "customers.check_statistics"
    label = _("Compare everyone's statistics with the facts")
    queue = "bulk"
    at = dt.time(3, 20)
    order = 20

    @classmethod
    def run(cls, *, now, progress):
        return {"due": check_stats(now=now, progress=progress)}

    @classmethod
    def preview(cls, *, now):
        return {"due": count_wrong_stats()}
