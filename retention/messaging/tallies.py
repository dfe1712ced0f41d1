"""Counting what became of messages: rows that only add, so that many senders count side by side, folded by a job."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, Sum

from retention.messaging.models import Tally

_NOTE = """
INSERT INTO messaging_tally (origin, group_id, version_id, channel, kind, count, day, is_machine)
SELECT counted.*, %(day)s, %(is_machine)s
FROM unnest(%(origins)s::text[], %(groups)s::bigint[], %(versions)s::bigint[], %(channels)s::text[], %(kinds)s::text[],
    %(counts)s::bigint[]) AS counted
"""

_FOLD = """
WITH gone AS (
    DELETE FROM messaging_tally WHERE id IN (
        SELECT id FROM messaging_tally t WHERE t.day >= %(since)s AND EXISTS (
            SELECT FROM messaging_tally o WHERE o.version_id = t.version_id AND o.kind = t.kind AND o.day = t.day
                AND o.channel = t.channel AND o.origin = t.origin AND o.is_machine = t.is_machine
                AND o.group_id IS NOT DISTINCT FROM t.group_id AND o.id <> t.id)
        ORDER BY id LIMIT 50000 FOR UPDATE SKIP LOCKED)
    RETURNING origin, group_id, version_id, channel, day, kind, is_machine, count)
INSERT INTO messaging_tally (origin, group_id, version_id, channel, day, kind, is_machine, count)
SELECT origin, group_id, version_id, channel, day, kind, is_machine, sum(count)
FROM gone GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(count) <> 0
"""


def note(kinds: Iterable[tuple[str, Iterable[Any]]], *, at: dt.datetime, is_machine: bool = False, by: int = 1) -> None:
    """Count deliveries (anything with origin, group_id, version_id and channel) under each kind."""
    counted = Counter(
        (one.origin, one.group_id, one.version_id, one.channel, kind) for kind, ones in kinds for one in ones
    )
    if not counted:
        return
    origins, groups, versions, channels, names = zip(*counted, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            _NOTE,
            {
                "origins": list(origins),
                "groups": list(groups),
                "versions": list(versions),
                "channels": list(channels),
                "kinds": list(names),
                "counts": [count * by for count in counted.values()],
                "day": at.astimezone(dt.UTC).date(),
                "is_machine": is_machine,
            },
        )


@transaction.atomic
def fold(*, now: dt.datetime) -> None:
    """Make one row of all that count the same; sums stay what they are."""
    with connection.cursor() as cursor:
        cursor.execute(_FOLD, {"since": (now - dt.timedelta(days=40)).date()})


def counts(where: Q) -> dict[str, int]:
    """kind → how many, of the tallies in question; machines' hits stand as `opened_by_machine` and so on."""
    rows = Tally.objects.filter(where).values_list("kind", "is_machine").annotate(n=Sum("count")).order_by()
    return {f"{kind}_by_machine" if is_machine else kind: int(n) for kind, is_machine, n in rows}


def of_version(version_id: int) -> dict[str, int]:
    """What became of all messages of one version of a template."""
    return counts(Q(version_id=version_id))
