"""Handing messages to a provider no faster than it takes them, however many senders there are."""

from __future__ import annotations

from django.db import connection

_RESERVE = """
INSERT INTO messaging_pace AS p (channel, next_at)
VALUES (%(channel)s, clock_timestamp() + %(count)s / %(per_second)s::float8 * interval '1 second')
ON CONFLICT (channel) DO UPDATE
SET next_at = greatest(p.next_at, clock_timestamp()) + %(count)s / %(per_second)s::float8 * interval '1 second'
RETURNING greatest(0, extract(epoch FROM old.next_at - clock_timestamp()))
"""


def reserve(*, channel: str, count: int, per_second: float) -> float:
    """Take the next `count` places in the provider's line, in a transaction of its own; seconds until the first.

    A sender that dies with places in hand only leaves a gap.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RESERVE, {"channel": channel, "count": count, "per_second": per_second})
        return float(cursor.fetchone()[0] or 0)
