"""The room's scheduled work: consents that end, visitors to join, true statistics, RFM scores."""

import datetime as dt

from django.utils.translation import gettext_lazy as _

from retention.customers.operations import (
    check_stats,
    compute_rfm,
    count_ended_consents,
    count_leftovers,
    count_rfm_changes,
    count_wrong_stats,
    end_consents,
    join_leftovers,
)
from retention.customers.operations.life_events import count_life_events, infer_life_events
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
class JoinVisitors(DueJob):
    key = "customers.join_visitors"
    label = _("Join what visitors did with the customers they turned out to be")
    queue = "bulk"
    at = dt.time(3, 10)
    order = 10

    @classmethod
    def run(cls, *, now, progress):
        return {"due": join_leftovers(progress=progress)}

    @classmethod
    def preview(cls, *, now):
        return {"due": count_leftovers()}


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


@jobs.register
class ComputeRfm(DueJob):
    """All buyers among each other, so nothing less than all of them."""

    key = "customers.rfm"
    label = _("Score all buyers by recency, frequency and money")
    queue = "bulk"
    at = dt.time(3, 30)
    order = 26

    @classmethod
    def run(cls, *, now, progress):
        scored = compute_rfm(now=now)
        return {"due": scored.changed, "touched": scored.moved}

    @classmethod
    def preview(cls, *, now):
        return {"due": count_rfm_changes(now=now)}


@jobs.register
class InferLifeEvents(DueJob):
    key = "customers.life_events"
    label = _("Infer events in customers' lives from what they buy and do")
    queue = "bulk"
    at = dt.time(3, 35)
    order = 22

    @classmethod
    def run(cls, *, now, progress):
        inferred = infer_life_events(now=now, progress=progress)
        return {"due": inferred.dated + inferred.expired, "touched": inferred.dated}

    @classmethod
    def preview(cls, *, now):
        return {"due": count_life_events(now=now)}
