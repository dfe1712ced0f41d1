"""What a ladder saved: discounts that were used, beside what its last rung would have taken off the same orders."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from campaigns.operations.forecasting import average_shipping, cost_of_one
from campaigns.plans import Plan
from retention.customers.models import Order
from retention.incentives.models import Incentive
from retention.incentives.versions import rule_of
from retention.segments.models import Segment


@dataclass(frozen=True)
class Rung:
    """Those who ordered, in one segment or in all of them; money of the base currency, in minor units.

    Attributes:
        segment: its name; "" for everybody.
        given: what the ladder took off their orders.
        highest: what its last rung would have.
    """

    segment: str
    buyers: int
    given: int
    highest: int

    @property
    def saved(self) -> int:
        return self.highest - self.given


#: Each buyer's first order within the goal's days, at its price without what the ladder took off it; by amounts, since
#: a discount is a function of them and they are far fewer than orders. Segments are those she is in today.
_ORDERS = """
    WITH touch AS (
        SELECT t.id, t.customer_id, t.due_at FROM campaigns_touch t
        WHERE t.campaign_id = %(campaign)s AND t.version_id = ANY(%(versions)s) AND t.begun_at IS NOT NULL
          AND NOT t.is_ghost
    ),
    bought AS MATERIALIZED (
        SELECT DISTINCT ON (t.customer_id) t.customer_id, o.reference, o.base_minor
        FROM touch t JOIN customers_order o ON o.customer_id = t.customer_id
            AND o.placed_at > t.due_at AND o.placed_at < LEAST(t.due_at + %(days)s, %(now)s)
        WHERE o.state = ANY(%(bought)s) ORDER BY t.customer_id, o.placed_at, o.id
    ),
    used AS (
        SELECT b.customer_id,
               round(sum(r.base_minor::numeric * (u.discount_minor - u.given_back_minor) / r.discount_minor))::bigint
               AS minor
        FROM touch t
        JOIN incentives_grant g ON g.origin = 'campaigns.touch' AND g.origin_id = t.id
        JOIN incentives_code k ON k.grant_id = g.id
        JOIN incentives_use u ON u.code_id = k.id
        JOIN incentives_redemption r ON r.id = u.redemption_id AND r.state = 'redeemed' AND r.discount_minor > 0
        JOIN bought b ON b.customer_id = t.customer_id AND b.reference = r.order_reference
        GROUP BY b.customer_id
    ),
    priced AS MATERIALIZED (
        SELECT customer_id, base_minor + COALESCE(minor, 0) AS price, COALESCE(minor, 0) AS given
        FROM bought LEFT JOIN used USING (customer_id)
    )
    SELECT NULL::bigint, price, given, count(*) FROM priced GROUP BY 2, 3
    UNION ALL
    SELECT m.segment_id, price, given, count(*) FROM priced JOIN segments_membership m USING (customer_id)
    GROUP BY 1, 2, 3
"""


def ladder(
    *, campaign_id: int, plan: Plan, version_ids: Sequence[int], currency: str, now: dt.datetime
) -> tuple[Rung, ...]:
    """Everybody first, then segments by what was saved; empty without a ladder, or where a rung has no price.

    It takes for granted that whoever ordered would have ordered the same with the last rung.
    """
    last = next((step.incentive for step in reversed(plan.steps[1:]) if step.incentive), None)
    if last is None:
        return ()
    rule = rule_of(Incentive.objects.get(pk=last).version_id)
    shipping = average_shipping(currency)
    sums: dict[int | None, list[int]] = defaultdict(lambda: [0, 0, 0])
    for segment_id, price, given, count in _orders(campaign_id, plan, version_ids, now):
        one, _words = cost_of_one(rule, currency, price, shipping)
        if one is None:
            return ()
        for place, amount in enumerate((1, given, min(one, price))):
            sums[segment_id][place] += amount * count
    names = dict(Segment.objects.filter(pk__in=[pk for pk in sums if pk], archived_at=None).values_list("pk", "name"))
    everybody = Rung("", *sums.pop(None, (0, 0, 0)))
    by_segment = [Rung(names[pk], *figures) for pk, figures in sums.items() if pk in names]
    return everybody, *sorted(by_segment, key=lambda rung: (-rung.saved, rung.segment))


def _orders(
    campaign_id: int, plan: Plan, version_ids: Sequence[int], now: dt.datetime
) -> list[tuple[int | None, int, int, int]]:
    """(segment, price, what was taken off it, how many); without a segment: of everybody."""
    with connection.cursor() as cursor:
        cursor.execute(
            _ORDERS,
            {
                "campaign": campaign_id,
                "versions": list(version_ids),
                "days": dt.timedelta(days=plan.goal.days),
                "now": now,
                "bought": list(Order.BOUGHT),
            },
        )
        return cursor.fetchall()
