"""One pass over a campaign's touches: for each arm, who is in it and what came of them.

Every customer counts who was touched in an arm, whatever became of her messages, so that arms stay as the lot
made them. Left out are those who have not begun, whatever their arm: too late, no consent, or still waiting.
A customer touched several times counts once, in the arm of her first touch; an order within the days of several touches
counts once too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from campaigns.plans import Goal
from campaigns.selection import (
    COOLING_DOWN,
    CUSTOMERS_LIMIT,
    LIMIT_REACHED,
    NO_ADDRESS,
    NO_CONSENT,
    TOO_LATE,
    TOO_SOON,
)
from retention.customers.models import Order
from retention.experiments.holdouts import Holdout

#: Arms are named by the key of their variant; those held out by this, which no variant can be called.
HELD_OUT = "-"
#: Of touches that ended before their first step, for reasons that do not ask which arm they are in.
_NEVER_BEGAN = (TOO_LATE, NO_ADDRESS, NO_CONSENT, TOO_SOON, COOLING_DOWN, CUSTOMERS_LIMIT, LIMIT_REACHED)


@dataclass(frozen=True)
class Figures:
    """One arm. Money is of the base currency, in minor units.

    Attributes:
        arm: key of the variant, "" without a test, `HELD_OUT`.
        heads: customers.
        drawn: those of them whom the campaign's own lot decided about: not those the shop holds out of everything.
        open: customers whose days for the goal are not over yet.
        queued, delivered, opened, clicked: customers with at least one message of that kind; of those held out,
            `delivered` are the messages that would have left.
        converted: customers who did within the goal's days what the campaign is for.
        buyers, revenue, squares, cubes: who ordered within those days, and the sums of each customer's revenue (paid
            orders less returns) to the first, second and third power.
        cost: discounts that were used with what the campaign gave.
    """

    arm: str
    heads: int
    drawn: int
    open: int
    queued: int
    delivered: int
    opened: int
    clicked: int
    converted: int
    buyers: int
    revenue: float
    squares: float
    cubes: float
    cost: float


_CONVERTED = {
    "order": """
        SELECT t.customer_id FROM touch t JOIN customers_order o
            ON o.customer_id = t.customer_id AND o.placed_at > t.due_at AND o.placed_at < t.until_at
        WHERE o.state <> 'cancelled'
    """,
    "activity": """
        SELECT t.customer_id FROM touch t JOIN customers_activity a
            ON a.customer_id = t.customer_id AND a.occurred_at > t.due_at AND a.occurred_at < t.until_at
        WHERE a.kind = %(activity)s
    """,
    "redemption": """
        SELECT t.customer_id FROM touch t
        JOIN incentives_grant g ON g.origin = 'campaigns.touch' AND g.origin_id = t.id
        JOIN incentives_code k ON k.grant_id = g.id
        JOIN incentives_use u ON u.code_id = k.id
        JOIN incentives_redemption r ON r.id = u.redemption_id
        WHERE r.state = 'redeemed' AND r.redeemed_at < t.until_at
    """,
}

_RESULTS = """
    WITH touched AS (
        SELECT t.id, t.customer_id, t.due_at, CASE WHEN t.is_ghost THEN %(held_out)s ELSE t.variant END AS arm
        FROM campaigns_touch t
        WHERE t.campaign_id = %(campaign)s AND t.version_id = ANY(%(versions)s)
          AND (t.begun_at IS NOT NULL OR t.state = 'skipped' AND t.reason <> ALL(%(never_began)s))
    ),
    head AS MATERIALIZED (
        SELECT DISTINCT ON (customer_id) customer_id, arm FROM touched ORDER BY customer_id, id
    ),
    touch AS MATERIALIZED (
        SELECT t.id, t.customer_id, t.due_at, LEAST(t.due_at + %(days)s, %(now)s) AS until_at,
               t.due_at + %(days)s > %(now)s AS is_open
        -- Not by `=`: the planner would take the same arm for a second chance, and plan for a handful of touches.
        FROM touched t JOIN head USING (customer_id) WHERE texteq(t.arm, head.arm)
    ),
    life AS (
        SELECT customer_id, bool_or(is_open) AS is_open FROM touch GROUP BY customer_id
    ),
    message AS (
        SELECT t.customer_id, bool_or(d.state IN ('sent', 'withheld')) AS is_delivered,
               bool_or(e.kind IN ('opened', 'clicked')) AS is_opened, bool_or(e.kind = 'clicked') AS is_clicked
        FROM touch t JOIN messaging_delivery d ON d.origin = 'campaigns.touch' AND d.origin_id = t.id
        LEFT JOIN messaging_event e ON e.delivery_id = d.id AND NOT e.is_machine
        GROUP BY t.customer_id
    ),
    did AS (SELECT DISTINCT customer_id FROM ({converted}) converted),
    bought AS (
        SELECT customer_id, sum(base_minor - returned)::float8 AS money
        FROM (
            SELECT DISTINCT o.customer_id, o.id, o.base_minor, COALESCE((
                       SELECT sum(r.base_minor) FROM customers_return r
                       WHERE r.order_id = o.id AND r.occurred_at <= %(now)s
                   ), 0) AS returned
            FROM touch t JOIN customers_order o
                ON o.customer_id = t.customer_id AND o.placed_at > t.due_at AND o.placed_at < t.until_at
            WHERE o.state = ANY(%(bought)s)
        ) paid
        GROUP BY customer_id
    ),
    spent AS (
        SELECT t.customer_id,
               sum(r.base_minor::numeric * (u.discount_minor - u.given_back_minor) / r.discount_minor)::float8 AS cost
        FROM touch t
        JOIN incentives_grant g ON g.origin = 'campaigns.touch' AND g.origin_id = t.id
        JOIN incentives_code k ON k.grant_id = g.id
        JOIN incentives_use u ON u.code_id = k.id
        JOIN incentives_redemption r ON r.id = u.redemption_id
        WHERE r.state = 'redeemed' AND r.discount_minor > 0 AND r.redeemed_at <= %(now)s
        GROUP BY t.customer_id
    )
    SELECT head.arm, count(*), count(*) FILTER (WHERE NOT ({held_by_shop})), count(*) FILTER (WHERE life.is_open),
           count(message.customer_id), count(*) FILTER (WHERE message.is_delivered),
           count(*) FILTER (WHERE message.is_opened), count(*) FILTER (WHERE message.is_clicked),
           count(did.customer_id), count(bought.customer_id),
           COALESCE(sum(money), 0), COALESCE(sum(money ^ 2), 0), COALESCE(sum(money ^ 3), 0), COALESCE(sum(cost), 0)
    FROM head JOIN life USING (customer_id) LEFT JOIN message USING (customer_id) LEFT JOIN did USING (customer_id)
    LEFT JOIN bought USING (customer_id) LEFT JOIN spent USING (customer_id)
    GROUP BY head.arm ORDER BY head.arm
"""


def read(
    *, campaign_id: int, version_ids: Sequence[int], goal: Goal, shop_holdout: Holdout | None, now: dt.datetime
) -> list[Figures]:
    """The figures of every arm that has anybody in it, as of `now`; touches of other versions are left out."""
    held, held_params = shop_holdout.sql("head.customer_id") if shop_holdout else ("false", [])
    params: dict[str, Any] = {
        "campaign": campaign_id,
        "versions": list(version_ids),
        "held_out": HELD_OUT,
        "never_began": list(_NEVER_BEGAN),
        "days": dt.timedelta(days=goal.days),
        "now": now,
        "activity": goal.activity,
        "bought": list(Order.BOUGHT),
    }
    # The lot's expression has its parameters by place; here all have names.
    for place, value in enumerate(held_params):
        held = held.replace("%s", f"%(held_{place})s", 1)
        params[f"held_{place}"] = value
    statement = _RESULTS.format(converted=_CONVERTED[goal.kind], held_by_shop=held)
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return [Figures(*row) for row in cursor.fetchall()]
