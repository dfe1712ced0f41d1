"""What the shop's own facts undo: redemptions of orders that were cancelled, or whose lines came back.

A shop that sends its orders and returns need not call the roll-back as well. Where it does, nothing comes back twice:
of every product, only what the order says has come back and no roll-back has given back yet is rolled back.
"""

import datetime as dt
from collections import Counter as Tally
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from retention.actors import Actor
from retention.customers.models import Order
from retention.incentives.models import CheckoutPolicy, Redemption, Rollback
from retention.incentives.operations.redemptions import NothingReturned, RolledBackBefore, roll_back
from retention.incentives.policy import Policy
from retention.incentives.versions import policy_of
from retention.marks import safe_mark
from retention.work.models import Watermark

JOB = "incentives.follow_orders"
#: Redemptions are looked at for so long after they were made; looking twice does nothing.
LATELY = dt.timedelta(hours=1)
#: Orders in these states are undone whole.
WHOLE = (Order.State.CANCELLED, Order.State.RETURNED)

_CHANGED = """
SELECT r.id, o.id, o.state
FROM customers_order o JOIN incentives_redemption r ON r.order_reference = o.reference AND r.state = 'redeemed'
WHERE o.state IN ('cancelled', 'returned', 'partially_returned')
  AND o.xid >= %(since)s::text::xid8 AND o.xid < %(until)s::text::xid8
UNION
-- What is redeemed for an order after we learned that it is over.
SELECT r.id, o.id, o.state
FROM incentives_redemption r JOIN customers_order o ON o.reference = r.order_reference
WHERE r.redeemed_at >= %(lately)s AND r.state = 'redeemed'
  AND o.state IN ('cancelled', 'returned', 'partially_returned')
ORDER BY 1
"""
_CAME_BACK = """
SELECT p.sku, sum(l.returned_quantity)
FROM customers_orderline l JOIN customers_product p ON p.id = l.product_id
WHERE l.order_id = %s AND l.returned_quantity > 0 GROUP BY p.sku
"""


@dataclass
class Followed:
    """Redemptions looked at, and how many of them were undone, whole or in part."""

    due: int = 0
    undone: int = 0
    skipped: Tally[str] = field(default_factory=Tally)

    def as_dict(self) -> dict[str, Any]:
        return {"due": self.undone, "skipped": dict(self.skipped)}


def follow_orders(*, now: dt.datetime, progress: Callable[[int, int], None] | None = None) -> Followed:
    """Undo what orders and returns that came since the last run ask for; running it again undoes nothing more."""
    since, lately = _since(now)
    until = safe_mark()
    followed = Followed()
    # Switched off, the mark still moves: what came meanwhile is not made up for when it is switched on.
    changed = _changed(since, until, lately) if _policy().follows_orders else []
    for done, (redemption_id, order_id, state) in enumerate(changed, start=1):
        followed.due += 1
        with transaction.atomic():
            followed.undone += _undo(redemption_id, order_id, state, now, followed)
        if progress:
            progress(done, len(changed))
    Watermark.objects.update_or_create(key=JOB, defaults={"mark": until, "at": now})
    return followed


def count_orders_to_follow(*, now: dt.datetime) -> int:
    """How many redemptions `follow_orders` would look at now."""
    since, lately = _since(now)
    return len(_changed(since, safe_mark(), lately)) if _policy().follows_orders else 0


def _since(now: dt.datetime) -> tuple[int, dt.datetime]:
    """The mark of orders, and the time of redemptions, from which on they were not looked at yet."""
    mark = Watermark.objects.filter(key=JOB).first()
    return (mark.mark, mark.at - LATELY) if mark else (0, now - dt.timedelta(days=36_500))


def _policy() -> Policy:
    version_id = CheckoutPolicy.objects.values_list("version_id", flat=True).first()
    return policy_of(version_id) if version_id else Policy()


def _changed(since: int, until: int, lately: dt.datetime) -> list[tuple[int, int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(_CHANGED, {"since": since, "until": until, "lately": lately})
        return cursor.fetchall()


def _undo(redemption_id: int, order_id: int, state: str, now: dt.datetime, followed: Followed) -> bool:
    # Locked before it is asked what came back already: a roll-back over the API may be under way.
    redemption = Redemption.objects.select_for_update(no_key=True).get(pk=redemption_id)
    lines = None if state in WHOLE else dict(_left_to_undo(redemption, order_id))
    if lines is not None and not lines:
        return False
    # Locked, so nothing is rolled back between the count and this: each of them has a source of its own.
    place = Rollback.objects.filter(redemption=redemption).count()
    try:
        roll_back(
            public_id=redemption.public_id,
            source=f"order:{order_id}:{redemption_id}:{place}",
            reason=f"orders.{state}",
            lines=lines,
            now=now,
            by=Actor.job(JOB),
        )
    except (RolledBackBefore, NothingReturned) as refused:
        followed.skipped[refused.code] += 1
        return False
    return True


def _left_to_undo(redemption: Redemption, order_id: int) -> Iterator[tuple[int, int]]:
    """(line's place, units) of the redemption that came back by the order and were not rolled back yet."""
    with connection.cursor() as cursor:
        cursor.execute(_CAME_BACK, [order_id])
        came_back = Tally({sku: int(quantity) for sku, quantity in cursor.fetchall()})
    before: Tally[int] = Tally()
    for effects in Rollback.objects.filter(redemption=redemption).values_list("effects", flat=True):
        for line in effects["lines"]:
            before[line["line"]] += line["quantity"]
    lines = redemption.effects["lines"]
    for place, line in enumerate(lines):
        came_back[line["sku"]] -= before[place]
    for place, line in enumerate(lines):
        quantity = min(came_back[line["sku"]], line["quantity"] - before[place])
        if quantity > 0:
            came_back[line["sku"]] -= quantity
            yield place, quantity
