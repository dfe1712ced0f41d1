"""Scoring all buyers by recency, frequency and money in one statement; the group before is kept, each move told."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection, transaction

from retention.customers.rfm import GRID

_GRID = "ARRAY[" + ", ".join("ARRAY[" + ", ".join(f"'{group}'" for group in row) + "]" for row in GRID) + "]"
#: As `customers.rfm` says it: a rank counts those strictly before one, and equals share it.
_SCORED = f"""
    scored AS (
        SELECT s.customer_id,
            (5 - 5 * (rank() OVER (ORDER BY s.last_order_at DESC) - 1) / count(*) OVER ())::smallint AS recency,
            (1 + 5 * (rank() OVER (ORDER BY s.orders) - 1) / count(*) OVER ())::smallint AS frequency,
            (1 + 5 * (rank() OVER (ORDER BY s.spend_minor) - 1) / count(*) OVER ())::smallint AS monetary
        FROM customers_customerstats s JOIN customers_customer c ON c.id = s.customer_id
        WHERE s.orders > 0 AND c.merged_into_id IS NULL AND c.erased_at IS NULL
            AND s.first_order_at <= %(now)s
    ),
    named AS (
        SELECT *, ({_GRID})[6 - recency][(frequency + monetary + 1) / 2] AS "group" FROM scored
    ),
    moved AS MATERIALIZED (
        SELECT coalesce(n.customer_id, r.customer_id) AS id, n.recency, n.frequency, n.monetary,
            coalesce(r."group", '') AS before, coalesce(n."group", '') AS after, r.previous_group AS earlier
        FROM named n FULL JOIN customers_rfm r USING (customer_id)
        WHERE (n.recency, n.frequency, n.monetary, n."group")
            IS DISTINCT FROM (r.recency, r.frequency, r.monetary, r."group")
    )
"""
_COMPUTE = f"""
    WITH {_SCORED},
    put AS (
        INSERT INTO customers_rfm (customer_id, recency, frequency, monetary, "group", previous_group, computed_at)
        SELECT id, recency, frequency, monetary, after, '', %(now)s FROM moved WHERE before = ''
    ),
    turned AS (
        UPDATE customers_rfm r SET recency = moved.recency, frequency = moved.frequency, monetary = moved.monetary,
            "group" = after, previous_group = CASE WHEN before = after THEN earlier ELSE before END,
            computed_at = %(now)s, xid = pg_current_xact_id()
        FROM moved WHERE r.customer_id = moved.id AND before <> '' AND after <> ''
    ),
    taken AS (DELETE FROM customers_rfm r USING moved WHERE moved.after = '' AND r.customer_id = moved.id),
    told AS (
        INSERT INTO customers_rfmchange (customer_id, before, after, at)
        SELECT id, before, after, %(now)s FROM moved
        WHERE before <> after AND EXISTS (SELECT FROM customers_rfm)
    )
    SELECT count(*), count(*) FILTER (WHERE before <> after) FROM moved
"""
_COUNT = f"WITH {_SCORED} SELECT count(*) FROM moved"  # noqa: S608


@dataclass(frozen=True)
class Scored:
    """How many buyers' scores changed, and how many of them moved to another group."""

    changed: int
    moved: int


def compute_rfm(*, now: dt.datetime) -> Scored:
    """Score everybody who bought, among all who did; whoever has bought nothing that counts any more has no scores.

    The first time tells of no move: nobody came from anywhere.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('customers.rfm'))")
        cursor.execute(_COMPUTE, {"now": now})
        return Scored(*cursor.fetchone())


def count_rfm_changes(*, now: dt.datetime) -> int:
    """How many buyers' scores would change."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"now": now})
        return cursor.fetchone()[0]
