"""Facts read in bulk: orders with their lines, and activities, each kind by one statement, as plain values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from django.db import connection
from pydantic_core import from_json

from loyalty.facts import ActivityFact, Line, OrderFact

#: Of an order that is over, nothing is kept.
OVER = ("cancelled", "returned")

#: Of an order `o`, everything that earning asks: one JSON array, which is read faster than many columns.
ORDER = """
json_build_array(
    o.id, o.customer_id, coalesce(o.paid_at, o.placed_at), o.fulfilled_at, o.total_minor, o.base_minor, o.currency,
    o.shipping_minor, o.discount_minor, o.tax_minor, o.channel, o.payment_method,
    o.state,
    (SELECT coalesce(sum(r.amount_minor), 0) FROM customers_return r
     WHERE r.order_id = o.id AND NOT EXISTS (SELECT FROM customers_returnline line WHERE line.of_id = r.id)),
    (SELECT json_build_array(coalesce(sum(t.amount_minor) FILTER (WHERE t.code_id IS NOT NULL), 0),
                             coalesce(sum(t.amount_minor) FILTER (WHERE t.code_id IS NULL), 0))
     FROM incentives_redemption r JOIN incentives_tender t ON t.redemption_id = r.id
     WHERE r.order_reference = o.reference AND r.state = 'redeemed' AND r.currency = o.currency),
    (SELECT json_agg(json_build_array(p.sku, p.category, p.tags, l.quantity, l.quantity - l.returned_quantity,
                                      l.unit_price_minor, l.total_minor) ORDER BY l.position)
     FROM customers_orderline l JOIN customers_product p ON p.id = l.product_id WHERE l.order_id = o.id))
"""
_ORDERS = f"SELECT {ORDER}::text FROM customers_order o WHERE o.id = ANY(%s) ORDER BY o.id"  # noqa: S608
_ACTIVITIES = """
SELECT id, customer_id, occurred_at, kind, properties FROM customers_activity WHERE id = ANY(%s) ORDER BY id
"""


def orders(ids: Sequence[int], currency: str) -> list[OrderFact]:
    """Orders as they stand, their amounts with the rate to `currency`, the shop's own."""
    return [order_of(from_json(read), currency) for (read,) in _rows(_ORDERS, ids)] if ids else []


def activities(ids: Sequence[int]) -> list[ActivityFact]:
    rows = _rows(_ACTIVITIES, ids) if ids else []
    return [ActivityFact(*facts, properties=from_json(properties)) for *facts, properties in rows]


def rate_of(total_minor: int, base_minor: int, currency: str, base: str) -> Fraction | int:
    """What a minor unit of an order was worth; of an order for nothing in another currency nobody knows: nothing."""
    if currency == base:
        return 1
    return Fraction(base_minor, total_minor) if total_minor else 0


def order_of(read: Sequence[Any], base: str) -> OrderFact:
    """An order as `ORDER` tells it, its amounts with the rate to the shop's own currency."""
    pk, customer, paid_at, fulfilled_at, total, base_minor, currency, shipping, discount, tax = read[:10]
    channel, payment_method, state, refunded, (by_card, by_balance), lines = read[10:]
    order = OrderFact(
        id=pk,
        customer_id=customer,
        happened_at=dt.datetime.fromisoformat(paid_at),
        lines=tuple([Line(*line) for line in lines or ()]),
        total_minor=total,
        rate=rate_of(total, base_minor, currency, base),
        shipping_minor=shipping,
        discount_minor=discount,
        tax_minor=tax,
        refunded_minor=refunded,
        by_card_minor=by_card,
        by_balance_minor=by_balance,
        channel=channel,
        payment_method=payment_method,
        fulfilled_at=dt.datetime.fromisoformat(fulfilled_at) if fulfilled_at else None,
    )
    return order.cancelled() if state in OVER else order


def _rows(sql: str, ids: Sequence[int]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(ids)])
        return cursor.fetchall()
