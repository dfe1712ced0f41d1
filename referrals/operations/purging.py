"""Deleting visits that nobody is attributed by any more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction

from referrals.models import Scheme
from referrals.versions import rule_of

CHUNK = 5_000

# By their ids, which grow with time. A visit that brought a friend stays as long as her referral, for the checks.
_OLD = """
FROM chunk
JOIN referrals_advocate advocate ON advocate.id = chunk.advocate_id
JOIN unnest(%(schemes)s::bigint[], %(before)s::timestamptz[]) AS kept (scheme_id, before)
  ON kept.scheme_id = advocate.scheme_id AND chunk.visited_at < kept.before
WHERE NOT EXISTS (SELECT FROM referrals_referral referral WHERE referral.visit_id = chunk.id)
"""
_PURGE = f"""
WITH chunk AS MATERIALIZED (
    SELECT id, advocate_id, visited_at FROM referrals_visit WHERE id > %(after)s ORDER BY id LIMIT %(chunk)s
), old AS MATERIALIZED (
    SELECT chunk.id {_OLD}
), gone AS (
    DELETE FROM referrals_visit visit USING old WHERE visit.id = old.id RETURNING 1
)
SELECT (SELECT count(*) FROM gone), max(id), min(visited_at) FROM chunk
"""  # noqa: S608
_COUNT = f"WITH chunk AS (SELECT * FROM referrals_visit) SELECT count(*) {_OLD}"  # noqa: S608


def purge_visits(*, now: dt.datetime, progress: Callable[[int, int], None]) -> int:
    """Delete the visits that their schemes keep no longer, a chunk in a transaction; how many."""
    gone, asked = 0, _kept(now)
    youngest = max(asked["before"], default=now)
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_PURGE, {**asked, "chunk": CHUNK})
            deleted, last, first_at = cursor.fetchone()
        gone += deleted
        progress(gone, gone)
        # From here on all are younger.
        if last is None or first_at >= youngest:
            return gone
        asked["after"] = last


def count_old_visits(*, now: dt.datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, _kept(now))
        return cursor.fetchone()[0]


def _kept(now: dt.datetime) -> dict[str, Any]:
    """Scheme by scheme, before when its visits are old."""
    versions = dict(Scheme.objects.exclude(version=None).order_by("pk").values_list("pk", "version_id"))
    before = [now - dt.timedelta(days=rule_of(version).visits_kept) for version in versions.values()]
    return {"schemes": list(versions), "before": before, "after": 0}
