"""What to suggest: to many customers by one query, beside a product, and as one look."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from django.db import connection

from retention.customers.models import Order
from retention.shop.models import Shop

#: Purchases of so long ago still say what she may like, and whoever bought a thing within it wants no other.
LATELY = dt.timedelta(days=365)
#: A product that came back is news for so long.
NEWS = dt.timedelta(days=14)


@dataclass(frozen=True)
class Suggestion:
    """A product to suggest; `why` is after, goes_with, together, on_offer or back_in_stock."""

    sku: str
    name: str
    price_minor: int
    compare_at_minor: int | None
    currency: str
    url: str
    image_url: str
    why: str


#: Products that can be suggested at all: in the catalogue, and not known to be sold out.
_GOOD = """
    p.archived_at IS NULL AND NOT EXISTS (
        SELECT FROM recommendations_availability s WHERE s.product_id = p.id AND NOT s.is_in_stock)
"""
#: (product, other, why, rank): what people said comes first, then sales by their score.
_BESIDE = """
    SELECT product_id, other_id, kind AS why, CASE kind WHEN 'after' THEN 0 ELSE 1 END AS tier, position AS place
    FROM recommendations_productlink WHERE kind = ANY(%(kinds)s)
    UNION ALL
    SELECT product_id, other_id, 'together', 2, -score FROM recommendations_boughttogether
"""
_SHOWN = "p.sku, p.name, p.price_minor, p.compare_at_minor, p.currency, p.url, p.image_url"
_HAD = """
    EXISTS (SELECT FROM customers_order o JOIN customers_orderline l ON l.order_id = o.id
            WHERE o.customer_id = who.id AND l.product_id = p.id AND o.state = ANY(%(bought)s)
              AND o.placed_at >= %(since)s)
"""
_OF_CUSTOMERS = f"""
    SELECT who.id, {_SHOWN}, best.why FROM unnest(%(customers)s::bigint[]) who (id)
    CROSS JOIN LATERAL (
        SELECT b.other_id, (array_agg(b.why ORDER BY b.tier, b.place))[1] AS why, min(b.tier) AS tier,
               min(b.place) AS place
        FROM (SELECT DISTINCT l.product_id FROM customers_order o JOIN customers_orderline l ON l.order_id = o.id
              WHERE o.customer_id = who.id AND o.state = ANY(%(bought)s) AND o.placed_at >= %(since)s) had
        JOIN ({_BESIDE}) b ON b.product_id = had.product_id
        JOIN customers_product p ON p.id = b.other_id AND {_GOOD}
        WHERE NOT {_HAD}
        GROUP BY b.other_id ORDER BY min(b.tier), min(b.place), b.other_id LIMIT %(most)s
    ) best
    JOIN customers_product p ON p.id = best.other_id
    ORDER BY who.id, best.tier, best.place, p.id
"""  # noqa: S608
_ON_OFFER = f"""
    SELECT who.id, {_SHOWN}, 'on_offer' FROM unnest(%(customers)s::bigint[]) who (id)
    JOIN customers_customerstats s ON s.customer_id = who.id
    CROSS JOIN LATERAL (
        SELECT p.* FROM customers_product p
        WHERE (p.id = s.favourite_product_id OR s.favourite_category <> '' AND p.category = s.favourite_category)
          AND p.compare_at_minor > p.price_minor AND {_GOOD}
        ORDER BY (p.id = s.favourite_product_id) DESC NULLS LAST, p.price_minor::float8 / p.compare_at_minor, p.id
        LIMIT %(most)s
    ) p
    ORDER BY who.id, (p.id = s.favourite_product_id) DESC NULLS LAST, p.price_minor::float8 / p.compare_at_minor, p.id
"""  # noqa: S608
_BACK = f"""
    SELECT who.id, {_SHOWN}, 'back_in_stock' FROM unnest(%(customers)s::bigint[]) who (id)
    CROSS JOIN LATERAL (
        SELECT p.*, max(r.at) AS back_at FROM recommendations_restock r JOIN customers_product p ON p.id = r.product_id
        WHERE r.at >= %(news)s AND {_GOOD} AND EXISTS (
            SELECT FROM customers_activity a WHERE a.customer_id = who.id AND a.product_id = p.id
            AND a.kind IN ('viewed_product', 'added_to_wishlist', 'added_to_cart') AND a.occurred_at >= %(since)s)
        GROUP BY p.id ORDER BY max(r.at) DESC, p.id LIMIT %(most)s
    ) p
    ORDER BY who.id, p.back_at DESC, p.id
"""  # noqa: S608
_OF_PRODUCT = f"""
    SELECT 0, {_SHOWN}, best.why FROM (
        SELECT b.other_id, (array_agg(b.why ORDER BY b.tier, b.place))[1] AS why, min(b.tier) AS tier,
               min(b.place) AS place
        FROM ({_BESIDE}) b WHERE b.product_id = (SELECT id FROM customers_product WHERE sku = %(sku)s)
        GROUP BY b.other_id) best
    JOIN customers_product p ON p.id = best.other_id AND {_GOOD}
    ORDER BY best.tier, best.place, p.id LIMIT %(most)s
"""  # noqa: S608
_LOOK = f"""
    SELECT 0, {_SHOWN}, 'goes_with' FROM (
        SELECT id AS product_id, -1 AS position FROM customers_product WHERE sku = %(sku)s
        UNION ALL
        SELECT k.other_id, k.position FROM recommendations_productlink k JOIN customers_product x ON x.id = k.product_id
        WHERE x.sku = %(sku)s AND k.kind = 'goes_with') look
    JOIN customers_product p ON p.id = look.product_id AND {_GOOD} ORDER BY look.position, p.id
"""  # noqa: S608


def for_customers(customer_ids: Iterable[int], *, now: dt.datetime, most: int = 4) -> dict[int, list[Suggestion]]:
    """By what each bought lately: what people link with it, then what others buy with it, and nothing that she has."""
    return _found(_OF_CUSTOMERS, customers=list(customer_ids), now=now, most=most, kinds=["after", "goes_with"])


def favourites_on_offer(customer_ids: Iterable[int], *, now: dt.datetime, most: int = 4) -> dict[int, list[Suggestion]]:
    """Her favourite product, then others of her favourite category, where they cost less than they did."""
    return _found(_ON_OFFER, customers=list(customer_ids), now=now, most=most)


def back_in_stock(customer_ids: Iterable[int], *, now: dt.datetime, most: int = 4) -> dict[int, list[Suggestion]]:
    """What she looked at, wished for or carted, and what came back within two weeks."""
    return _found(_BACK, customers=list(customer_ids), now=now, most=most)


def beside(sku: str, *, now: dt.datetime, most: int = 4, is_bought: bool = False) -> list[Suggestion]:
    """What goes with a product; once it is bought, what is to be suggested after it comes first."""
    kinds = ["after", "goes_with"] if is_bought else ["goes_with"]
    return _found(_OF_PRODUCT, sku=sku, now=now, most=most, kinds=kinds).get(0, [])


def look_of(sku: str, *, now: dt.datetime) -> list[Suggestion]:
    """The product and what people said goes with it: one look, without what is sold out."""
    return _found(_LOOK, sku=sku, now=now).get(0, [])


def cart_url(skus: Iterable[str]) -> str:
    """The address that puts one of each into the shop's cart; empty where the shop has none."""
    template = Shop.objects.values_list("cart_link", flat=True).first() or ""
    items = ",".join(f"{quote(sku, safe='')}:1" for sku in skus)
    return template.replace("{items}", items) if items else ""


def _found(statement: str, *, now: dt.datetime, **params: object) -> dict[int, list[Suggestion]]:
    found: dict[int, list[Suggestion]] = {}
    with connection.cursor() as cursor:
        own = {"bought": list(Order.BOUGHT), "since": now - LATELY, "news": now - NEWS}
        cursor.execute(statement, {**own, **params})
        for owner, *row in cursor.fetchall():
            found.setdefault(owner, []).append(Suggestion(*row))
    return found
