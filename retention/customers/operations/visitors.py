"""Visitors who turn out to be customers: a key is known once and for all, and what it did becomes hers."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from retention.customers.models import KnownVisitor
from retention.customers.operations.stats import see

# Of two customers who claim a key the first to commit has it: the second waits here and then inserts nothing.
_KNOW = """
INSERT INTO customers_knownvisitor (visitor_key, customer_id, joined_at)
SELECT DISTINCT ON (visitor_key) visitor_key, customer_id, %(now)s FROM ({of}) AS claims
WHERE visitor_key <> '' AND customer_id IS NOT NULL ORDER BY visitor_key, customer_id
ON CONFLICT (visitor_key) DO NOTHING
"""
_NOBODYS = """
SELECT a.id, coalesce(c.merged_into_id, c.id) AS customer_id FROM customers_knownvisitor v
JOIN customers_customer c ON c.id = v.customer_id
JOIN customers_activity a ON a.visitor_key = v.visitor_key AND a.customer_id IS NULL
WHERE {which} AND v.visitor_key <> '' AND c.erased_at IS NULL
"""
_JOIN = f"""
WITH found AS MATERIALIZED ({_NOBODYS} ORDER BY a.id FOR NO KEY UPDATE OF a)
UPDATE customers_activity a SET customer_id = found.customer_id, xid = pg_current_xact_id()
FROM found WHERE a.id = found.id RETURNING a.id
"""
_OF_KEYS = "v.visitor_key IN (SELECT visitor_key FROM ({of}) AS claims)"
_OF_CHUNK = "v.id > %(after)s AND v.id <= %(until)s"
_SEEN = "SELECT customer_id, kind, occurred_at, properties FROM customers_activity WHERE id = ANY(%(joined)s::bigint[])"
#: Known visitors whose leftovers are looked for by one statement.
CHUNK = 20_000


@transaction.atomic
def join_visitors(of: str, params: Mapping[str, Any] | None = None, *, now: dt.datetime) -> int:
    """Know visitors as customers, where nobody else is known by the key; how many activities became somebody's.

    Again it changes nothing. Call it only for visitors who agreed to it.

    Args:
        of: SQL that selects `visitor_key, customer_id`.
        params: for that SQL.
    """
    own = {**(params or {}), "now": now}
    with connection.cursor() as cursor:
        cursor.execute(_KNOW.format(of=of), own)
    return _join(_OF_KEYS.format(of=of), own)


def join_leftovers(*, progress: Callable[[int, int], None], chunk: int = CHUNK) -> int:
    """Join what came in at the very moment its visitor became known, so that neither side saw the other; how many."""
    last = _last_visitor()
    joined = 0
    for after in range(0, last, chunk):
        with transaction.atomic():
            joined += _join(_OF_CHUNK, {"after": after, "until": after + chunk})
        progress(min(after + chunk, last), last)
    return joined


def count_leftovers() -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({_NOBODYS.format(which='true')}) AS left_over")
        return cursor.fetchone()[0]


def _join(which: str, params: Mapping[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_JOIN.format(which=which), params)
        joined = [pk for (pk,) in cursor.fetchall()]
    if joined:
        see(_SEEN, {"joined": joined})
    return len(joined)


def _last_visitor() -> int:
    return KnownVisitor.objects.aggregate(last=Max("pk"))["last"] or 0
