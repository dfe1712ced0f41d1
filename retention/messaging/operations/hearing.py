"""Passing on what customers did with their messages: opens and clicks of people become their activities."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from retention.actors import Actor
from retention.marks import safe_mark
from retention.messaging.models import Event
from retention.work.ingest import ingest
from retention.work.models import Watermark

JOB = "messaging.watch"
_AT_ONCE = 5_000


def pass_on(*, now: dt.datetime, progress: Callable[[int, int], None] | None = None) -> int:
    """Tell of every open and click by a person since the last run; told again, nothing is told twice."""
    since, until = _since(), safe_mark()
    rows = [
        {
            "customer_id": customer_id,
            "reference": f"messaging.event:{pk}",
            "kind": f"mail_{kind}",
            "properties": {"is_human": True} if kind == Event.Kind.OPENED else {},
            "occurred_at": at.isoformat(),
        }
        for pk, kind, at, customer_id in _heard(since, until)
    ]
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        ingest("activities", part, now=now, by=Actor.job(JOB), good_only=True, is_own=True)
        if progress:
            progress(start + len(part), len(rows))
    Watermark.objects.update_or_create(key=JOB, defaults={"mark": until, "at": now})
    return len(rows)


def count_heard() -> int:
    """How many `pass_on` would tell of now."""
    return len(_heard(_since(), safe_mark()))


def _since() -> int:
    return Watermark.objects.filter(key=JOB).values_list("mark", flat=True).first() or 0


def _heard(since: int, until: int) -> list[tuple]:
    found = Event.objects.filter(
        xid__gte=since,
        xid__lt=until,
        is_machine=False,
        kind__in=[Event.Kind.OPENED, Event.Kind.CLICKED],
        delivery__customer__erased_at=None,
    )
    return list(found.order_by("pk").values_list("pk", "kind", "at", "delivery__customer"))
