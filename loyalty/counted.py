"""What counts for tiers: of which facts it is the sum, whose are new since a mark, and how much it is.

A measure is called as rules call it; of what was spent, with what counts of it: `spend_money` (`Ladder.measure`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from loyalty.ladders import Ladder
from loyalty.rules.tiers import local_day

# What was paid of an order `o` with what earns nothing, and what it came to less what came back.
_PAID_OTHERWISE = """coalesce((
    SELECT sum(t.amount_minor) FROM incentives_redemption r JOIN incentives_tender t ON t.redemption_id = r.id
    WHERE r.order_reference = o.reference AND r.state = 'redeemed' AND r.currency = o.currency AND {means}), 0)"""
_KEPT = "o.base_minor - coalesce((SELECT sum(r.base_minor) FROM customers_return r WHERE r.order_id = o.id), 0)"


def _spent(amount: str) -> str:
    return f"""
        SELECT o.customer_id AS whose, o.placed_at AS at, {amount} AS amount
        FROM customers_order o WHERE o.state IN ('paid', 'fulfilled', 'partially_returned', 'returned')
    """  # noqa: S608


def _share(means: str) -> str:
    """The same share of what was kept as money, and what counts like money, had of what was paid."""
    counts = f"greatest(o.total_minor - {_PAID_OTHERWISE.format(means=means)}, 0)"
    return _spent(f"coalesce(div(({_KEPT})::numeric * {counts}, nullif(o.total_minor, 0)), 0)")


#: Facts of each measure as `whose` (a member, of orders a customer), `amount` and `at`.
_FACTS = {
    "points": "SELECT e.member_id AS whose, e.amount, e.earned_at AS at FROM loyalty_earning e WHERE e.counts_for_tier",
    "spend_everything": _spent(_KEPT),
    "spend_cards": _share("t.code_id IS NULL"),
    "spend_money": _share("true"),
    "orders": """
        SELECT o.customer_id AS whose, o.placed_at AS at, 1 AS amount
        FROM customers_order o WHERE o.state IN ('paid', 'fulfilled', 'partially_returned')
    """,
    "invitation": "SELECT NULL::bigint AS whose, NULL::timestamptz AS at, 0 AS amount WHERE false",
}
_OF_MEMBERS = ("points", "invitation")
_NEW_ORDERS = """
    SELECT m.id FROM loyalty_member m WHERE m.programme_id = %(programme)s AND m.customer_id IN (
        SELECT o.customer_id FROM customers_order o
        WHERE o.xid >= %(mark)s::text::xid8
        UNION ALL
        SELECT o.customer_id FROM customers_return r JOIN customers_order o ON o.id = r.order_id
        WHERE r.xid >= %(mark)s::text::xid8)
"""
#: With what an order was paid may be told after the order.
_NEW_PAYMENTS = f"""{_NEW_ORDERS}
    UNION ALL
    SELECT m.id FROM incentives_redemption r JOIN customers_order o ON o.reference = r.order_reference
    JOIN loyalty_member m ON m.customer_id = o.customer_id AND m.programme_id = %(programme)s
    WHERE r.xid >= %(mark)s::text::xid8 AND r.order_reference <> ''
"""  # noqa: S608
#: Members of a programme with facts of a measure from a mark on.
_NEW = {
    "points": """
        SELECT m.id FROM loyalty_earning e JOIN loyalty_member m ON m.id = e.member_id
        WHERE m.programme_id = %(programme)s AND e.xid >= %(mark)s::text::xid8
    """,
    "spend_everything": _NEW_ORDERS,
    **dict.fromkeys(("spend_cards", "spend_money"), _NEW_PAYMENTS),
    "orders": _NEW_ORDERS,
    "invitation": "SELECT NULL::bigint WHERE false",
}
#: The same of those that happened in [since, until).
_LATE = {
    "points": f"{_NEW['points']} AND e.counts_for_tier AND e.earned_at >= %(since)s AND e.earned_at < %(until)s",
    "orders": """
        SELECT m.id FROM loyalty_member m WHERE m.programme_id = %(programme)s AND m.customer_id IN (
            SELECT o.customer_id FROM customers_order o
            WHERE o.xid >= %(mark)s::text::xid8 AND o.placed_at >= %(since)s AND o.placed_at < %(until)s)
    """,
}
_JOINED = """
    SELECT m.id FROM loyalty_member m
    WHERE m.programme_id = %(programme)s AND m.xid >= %(mark)s::text::xid8
"""


@dataclass(frozen=True)
class Asked:
    """One member, and the stretch, half open, of which it is asked what counted; None: no beginning, no end."""

    member_id: int
    customer_id: int
    since: dt.datetime | None
    until: dt.datetime | None = None


def counted(measure: str, asked: Sequence[Asked]) -> dict[int, int]:
    """Member → what counted of hers."""
    whose = "member" if measure in _OF_MEMBERS else "customer"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT a.member, coalesce(sums.amount, 0)
            FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[])
                 AS a (member, customer, since, until)
            LEFT JOIN LATERAL (
                SELECT sum(f.amount)::bigint AS amount FROM ({_FACTS[measure]}) f
                WHERE f.whose = a.{whose} AND f.at >= coalesce(a.since, '-infinity') 
                  AND f.at < coalesce(a.until, 'infinity')) sums ON true
            """,  # noqa: S608
            [
                [one.member_id for one in asked],
                [one.customer_id for one in asked],
                [one.since for one in asked],
                [one.until for one in asked],
            ],
        )
        return dict(cursor.fetchall())


def with_news(measure: str, *, programme_id: int, mark: int) -> list[int]:
    """Members of a programme who have facts of transactions from `mark` on, joined, left or were changed, by id.

    It has no upper end: what is visible now may be looked at twice, and the mark that is kept says what never again.
    """
    sql = f"SELECT DISTINCT id FROM ({_NEW[measure]} UNION ALL {_JOINED}) found ORDER BY id"  # noqa: S608
    return _ids(sql, {"programme": programme_id, "mark": str(mark)})


def with_late_news(measure: str, *, programme_id: int, mark: int, since: dt.datetime, until: dt.datetime) -> list[int]:
    """Members of a programme with facts of transactions from `mark` on that happened in [since, until), by id."""
    if measure == "invitation":
        return []
    sql = f"SELECT DISTINCT id FROM ({_LATE['points' if measure == 'points' else 'orders']}) found ORDER BY id"  # noqa: S608
    params = {"programme": programme_id, "mark": str(mark), "since": since, "until": until}
    return _ids(sql, params)


def with_facts_in(measure: str, *, programme_id: int, since: dt.datetime, until: dt.datetime) -> list[int]:
    """Members of a programme with something that happened in [since, until): it counts no longer, by id."""
    whose = "id" if measure in _OF_MEMBERS else "customer_id"
    sql = f"""
        SELECT DISTINCT m.id FROM loyalty_member m JOIN ({_FACTS[measure]}) f ON f.whose = m.{whose}
        WHERE m.programme_id = %(programme)s AND f.at >= %(since)s AND f.at < %(until)s ORDER BY m.id
    """  # noqa: S608
    return _ids(sql, {"programme": programme_id, "since": since, "until": until})


def out_of_place(ladder: Ladder, *, low: int, high: int, now: dt.datetime) -> list[int]:
    """Members with numbers in [low, high) of whom a look may change anything, by id; of all others none does.

    Nobody is locked: who changes meanwhile has news.
    """
    rules, steps = ladder.rules, [(n, step.threshold) for n, step in enumerate(ladder.rules.steps, 1)]
    whose = "id" if ladder.measure in _OF_MEMBERS else "customer_id"
    sql = f"""
        SELECT m.id
        FROM loyalty_member m
        LEFT JOIN unnest(%(tiers)s::bigint[], %(ranks)s::int[]) AS place (tier, rank) ON place.tier = m.tier_id
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(f.amount), 0)::bigint AS amount FROM ({_FACTS[ladder.measure]}) f
            WHERE f.whose = m.{whose} AND f.at >= coalesce(%(since)s::timestamptz, '-infinity')) counted
        CROSS JOIN LATERAL (
            SELECT coalesce((%(reached)s::int[])[width_bucket(counted.amount, %(thresholds)s::bigint[])], 0)
                   - coalesce(place.rank, 0) AS steps) way
        WHERE m.programme_id = %(programme)s AND m.id >= %(low)s AND m.id < %(high)s
          AND CASE WHEN m.left_at IS NOT NULL THEN m.tier_id IS NOT NULL
                   ELSE counted.amount <> m.qualifying OR way.steps > 0 OR way.steps < 0 AND %(falls)s
                        OR m.tier_id IS NOT NULL AND (place.tier IS NULL OR (m.tier_until IS NULL) = %(has_end)s) END
        ORDER BY m.id
    """  # noqa: S608
    params = {
        "programme": ladder.programme.pk, "low": low, "high": high, "since": ladder.since(now),
        "tiers": [row.pk for row in ladder.rows.values()], "ranks": list(ladder.rows),
        "reached": [n for n, threshold in steps if threshold is not None],
        "thresholds": [threshold for _n, threshold in steps if threshold is not None],
        "falls": rules.returned == "lower", "has_end": ladder.until(1, local_day(now, ladder.zone)) is not None,
    }  # fmt: skip
    return _ids(sql, params)


def _ids(sql: str, params: dict[str, Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: Iterable[tuple[int]] = cursor.fetchall()
    return [pk for (pk,) in rows]
