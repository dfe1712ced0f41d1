"""Following the facts of all rooms by their marks: every endpoint that is on gets its notices, each fact once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction

from retention.marks import safe_mark
from retention.webhooks.catalogue import sources_of
from retention.webhooks.models import Endpoint
from retention.work.operations import nudge

FOLLOW, DELIVER = "webhooks.follow", "webhooks.deliver"
#: Rows are written again for other reasons than what is told of them, and then carry a new mark. What is older than
#: this at the look before is no news; notices are kept longer, so that what is younger is known.
NEWS = dt.timedelta(days=7)

_TOLD = """
SELECT endpoint.id AS endpoint_id, fact.kind, fact.reference, fact.customer_id, fact.occurred_at, fact.data
FROM ({facts}) AS fact
JOIN webhooks_endpoint endpoint
  ON endpoint.id = ANY(%(endpoints)s) AND fact.kind = ANY(endpoint.kinds) AND fact.xid >= endpoint.mark
 AND fact.occurred_at >= greatest(endpoint.since_at, endpoint.followed_at - %(news)s)
"""
_TELL = """
INSERT INTO webhooks_notice
       (endpoint_id, kind, reference, customer_id, occurred_at, data, state, tries, next_at, replayed_by, recorded_at)
SELECT told.*, 'waiting', 0, %(now)s, '', %(now)s FROM ({told}) AS told ORDER BY told.occurred_at, told.reference
ON CONFLICT (endpoint_id, kind, reference) DO NOTHING
"""
_COUNT = """
SELECT count(*) FROM ({told}) AS told
WHERE NOT EXISTS (SELECT FROM webhooks_notice known WHERE known.endpoint_id = told.endpoint_id
                  AND known.kind = told.kind AND known.reference = told.reference)
"""


@transaction.atomic
def follow(*, now: dt.datetime, progress: Callable[[int, int], None] | None = None) -> int:
    """Make notices of what came since the last look, by one statement for each source; how many were made.

    The endpoints are held from reading their marks to moving them, so whoever looks at the same time waits, and then
    finds nothing left.
    """
    held = Endpoint.objects.select_for_update(no_key=True).filter(is_on=True).order_by("pk")
    endpoints = list(held.only("pk", "kinds", "mark"))
    if not endpoints:
        return 0
    until = safe_mark()
    made = sum(_each_source(_TELL, endpoints, until, now))
    Endpoint.objects.filter(pk__in=[each.pk for each in endpoints]).update(mark=until, followed_at=now)
    if made:
        nudge(DELIVER)
    return made


def count_to_follow(*, now: dt.datetime) -> int:
    """How many notices `follow` would make."""
    endpoints = list(Endpoint.objects.filter(is_on=True).only("pk", "kinds", "mark"))
    return sum(_each_source(_COUNT, endpoints, safe_mark(), now)) if endpoints else 0


def _each_source(statement: str, endpoints: list[Endpoint], until: int, now: dt.datetime) -> list[int]:
    wanted = {kind for endpoint in endpoints for kind in endpoint.kinds}
    params: dict[str, Any] = {
        "endpoints": [each.pk for each in endpoints], "since": str(min(each.mark for each in endpoints)),
        "until": str(until), "news": NEWS, "now": now,
    }  # fmt: skip
    counts = []
    with connection.cursor() as cursor:
        for source in sources_of(wanted):
            told = _TOLD.format(facts=source.sql)
            cursor.execute(statement.format(told=told), {**params, "kinds": sorted(wanted & source.kinds.keys())})
            counts.append(cursor.fetchone()[0] if statement is _COUNT else cursor.rowcount)
    return counts
