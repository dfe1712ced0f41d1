"""Endpoints with what became of what they were told."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from retention.webhooks.models import Notice

State = Notice.State
DAY = dt.timedelta(days=1)


def with_counts(endpoints: QuerySet, *, now: dt.datetime) -> QuerySet:
    """Each with `waiting`, and `not_taken`: what is tried again now or was given up within a day."""
    failing = Q(state=State.WAITING, tries__gt=0) | Q(state=State.GIVEN_UP, ended_at__gt=now - DAY)
    return endpoints.annotate(waiting=_count(Q(state=State.WAITING)), not_taken=_count(failing))


def _count(which: Q) -> Coalesce:
    found = Notice.objects.filter(which, endpoint=OuterRef("pk")).order_by().values("endpoint")
    return Coalesce(Subquery(found.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0)
