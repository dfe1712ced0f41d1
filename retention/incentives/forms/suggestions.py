"""Known values that the builder offers while a marketer types: products, categories, tags, and what orders held."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection
from django.db.models import Q

from retention.customers.models import Order, Product
from retention.money import to_major
from retention.segments.models import Segment
from retention.segments.querysets import TooSlow, within_ms
from retention.segments.suggestions import MOST, WITHIN_MS, Pairs
from retention.segments.suggestions import suggestions as known_to_segments

#: Where a closed list is short enough to be sent at once.
MOST_SEGMENTS = 500


def suggestions(source: str, typed: str) -> Pairs:
    """(value, label) of at most 20 known values; none where the source is unknown or takes too long."""
    if source not in _OWN:
        return known_to_segments(source, typed)
    try:
        with within_ms(WITHIN_MS):
            return _OWN[source](typed.strip())
    except TooSlow:
        return []


def segment_pairs() -> list[tuple[int, str]]:
    return list(Segment.objects.filter(archived_at=None).order_by("name").values_list("pk", "name")[:MOST_SEGMENTS])


def _tags(typed: str) -> Pairs:
    begun = typed.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT tag FROM customers_product, unnest(tags) AS tag WHERE tag ILIKE %s ORDER BY tag LIMIT %s",
            [begun, MOST],
        )
        return [(tag, tag) for (tag,) in cursor.fetchall()]


def _priced(typed: str) -> Pairs:
    """Products as lines of a basket to try: (`SKU, 1, 19.99`, name)."""
    found = Product.objects.filter(Q(sku__istartswith=typed) | Q(name__icontains=typed), archived_at=None)
    rows = found.order_by("name", "sku").values_list("sku", "name", "price_minor", "currency")[:MOST]
    return [(f"{sku}, 1, {to_major(price, currency):f}", f"{name} ({sku})") for sku, name, price, currency in rows]


def _of_orders(column: str) -> Callable[[str], Pairs]:
    def known(typed: str) -> Pairs:
        found = Order.objects.filter(**{f"{column}__istartswith": typed}).exclude(**{column: ""})
        values = found.order_by(column).values_list(column, flat=True).distinct()[:MOST]
        return [(value, value) for value in values]

    return known


_OWN: dict[str, Callable[[str], Pairs]] = {
    "tags": _tags,
    "priced_products": _priced,
    "channels": _of_orders("channel"),
    "payment_methods": _of_orders("payment_method"),
}
