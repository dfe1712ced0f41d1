"""Who did what a campaign is for: judged on when it happened, not on when we looked."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from campaigns.plans import Goal

#: The origin of what campaigns give and say.
ORIGIN = "campaigns.touch"

#: For a touch `t`: the first time after its occasion at which it was done, and the order by which.
_DONE = {
    "order": """
        SELECT o.placed_at AS at, o.id AS order_id FROM customers_order o
        WHERE o.customer_id = t.customer_id AND o.placed_at > t.due_at AND o.placed_at <= %(now)s
        AND o.state <> 'cancelled' ORDER BY o.placed_at, o.id LIMIT 1
    """,
    "activity": """
        SELECT a.occurred_at AS at, a.order_id FROM customers_activity a
        WHERE a.customer_id = t.customer_id AND a.kind = %(activity)s AND a.occurred_at > t.due_at
        AND a.occurred_at <= %(now)s ORDER BY a.occurred_at, a.id LIMIT 1
    """,
    "redemption": """
        SELECT r.redeemed_at AS at, o.id AS order_id
        FROM incentives_grant g JOIN incentives_code k ON k.grant_id = g.id
        JOIN incentives_use u ON u.code_id = k.id JOIN incentives_redemption r ON r.id = u.redemption_id
        LEFT JOIN customers_order o ON o.reference = r.order_reference
        WHERE g.origin = 'campaigns.touch' AND g.origin_id = t.id AND r.state = 'redeemed' AND r.redeemed_at <= %(now)s
        ORDER BY r.redeemed_at, r.id LIMIT 1
    """,
}


@dataclass(frozen=True, slots=True)
class Done:
    """She did it, then, by this order where it was one."""

    touch_id: int
    at: dt.datetime
    order_id: int | None


def done(goal: Goal, touch_ids: Iterable[int], now: dt.datetime) -> list[Done]:
    """Those of the touches whose customers did it after the occasion, each with the first time."""
    ids = list(touch_ids)
    if not ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT t.id, did.at, did.order_id FROM campaigns_touch t CROSS JOIN LATERAL ({_DONE[goal.kind]}) did"  # noqa: S608
            " WHERE t.id = ANY(%(touches)s)",
            {"touches": ids, "now": now, "activity": goal.activity},
        )
        return [Done(*row) for row in cursor.fetchall()]


def convert(goal: Goal, found: Iterable[Done]) -> int:
    """Write down when they converted, where it was within the goal's days and not written before; how many."""
    rows = list(found)
    if not rows:
        return 0
    columns: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        columns["ids"].append(row.touch_id)
        columns["ats"].append(row.at)
        columns["orders"].append(row.order_id)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE campaigns_touch t SET converted_at = d.at, converted_order_id = d.order_id
            FROM unnest(%s::bigint[], %s::timestamptz[], %s::bigint[]) AS d (id, at, order_id)
            WHERE t.id = d.id AND t.converted_at IS NULL AND d.at < t.due_at + %s
            """,
            [columns["ids"], columns["ats"], columns["orders"], dt.timedelta(days=goal.days)],
        )
        return cursor.rowcount
