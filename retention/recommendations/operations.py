"""Finding what belongs together, keeping what people say of it, and noticing what came back or became cheaper."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.audit.operations import record
from retention.customers.models import Order
from retention.marks import safe_mark
from retention.recommendations.models import ProductLink
from retention.refusals import Refused
from retention.work.models import Watermark

#: Orders of so long are looked at; those with more products say nothing of any two of them.
LOOKS_BACK = dt.timedelta(days=365)
MOST_PRODUCTS = 50
#: Two orders with both are the least that is more than chance, and so many others of a product are kept.
LEAST_ORDERS, MOST_OTHERS = 2, 20
MARK = "recommendations.watch"

#: The score of a pair is that of Ochiai: orders with both over the root of (orders with one × orders with the other).
#: 1 is "never one without the other"; what everybody buys anyway goes with nothing in particular.
_TOGETHER = """
    WITH bought AS MATERIALIZED (
        SELECT DISTINCT o.id, l.product_id FROM customers_order o JOIN customers_orderline l ON l.order_id = o.id
        WHERE o.state = ANY(%(bought)s) AND o.placed_at >= %(since)s AND o.placed_at < %(until)s
    ),
    small AS MATERIALIZED (
        SELECT id, product_id FROM bought
        WHERE id IN (SELECT id FROM bought GROUP BY id HAVING count(*) BETWEEN 2 AND %(most_products)s)
    ),
    counts AS (SELECT product_id, count(*) AS orders FROM bought GROUP BY product_id),
    pairs AS (
        SELECT a.product_id, b.product_id AS other_id, count(*) AS orders
        FROM small a JOIN small b ON b.id = a.id AND b.product_id <> a.product_id
        GROUP BY 1, 2 HAVING count(*) >= %(least)s
    ),
    scored AS (
        SELECT p.*, p.orders / sqrt(one.orders::float8 * two.orders) AS score
        FROM pairs p JOIN counts one ON one.product_id = p.product_id JOIN counts two ON two.product_id = p.other_id
    ),
    best AS MATERIALIZED (
        SELECT product_id, other_id, orders, score FROM (
            SELECT *, row_number() OVER (PARTITION BY product_id ORDER BY score DESC, orders DESC, other_id) AS place
            FROM scored) placed
        WHERE place <= %(most_others)s
    )
"""
_GONE = """
    DELETE FROM recommendations_boughttogether t
    WHERE NOT EXISTS (SELECT FROM best b WHERE b.product_id = t.product_id AND b.other_id = t.other_id)
"""
_KEPT = """
    INSERT INTO recommendations_boughttogether AS t (product_id, other_id, orders, score)
    SELECT product_id, other_id, orders, score FROM best
    ON CONFLICT (product_id, other_id) DO UPDATE SET orders = excluded.orders, score = excluded.score
    WHERE (t.orders, t.score) IS DISTINCT FROM (excluded.orders, excluded.score)
"""
_COMPUTE = f"""
    {_TOGETHER}, gone AS ({_GONE} RETURNING 1), kept AS ({_KEPT} RETURNING 1)
    SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM kept)
"""  # noqa: S608


class LinkThere(Refused):
    code = "recommendations.link_there"
    sentence = _("%(product)s and %(other)s are linked so already.")


class LinkedWithItself(Refused):
    code = "recommendations.linked_with_itself"
    sentence = _("A product is not linked with itself.")
    status = 422


@transaction.atomic
def compute_together(*, now: dt.datetime) -> int:
    """Count anew which products are bought together; how many rows are others than before."""
    params: dict[str, Any] = {
        "bought": list(Order.BOUGHT), "since": now - LOOKS_BACK, "until": now, "most_products": MOST_PRODUCTS,
        "least": LEAST_ORDERS, "most_others": MOST_OTHERS,
    }  # fmt: skip
    with connection.cursor() as cursor:
        # One statement: both halves read the same orders.
        cursor.execute(_COMPUTE, params)
        return cursor.fetchone()[0]


_SHELF = """
    SELECT s.product_id, sum(greatest(s.quantity, 0)) > 0 AS is_in FROM customers_stock s
    WHERE s.product_id IN (
        SELECT product_id FROM customers_stock WHERE xid >= %(since)s::text::xid8 AND xid < %(until)s::text::xid8)
    GROUP BY s.product_id
"""
_RESTOCKED = f"""
    WITH shelf AS MATERIALIZED ({_SHELF}),
    back AS (
        INSERT INTO recommendations_restock (product_id, at)
        SELECT shelf.product_id, %(now)s FROM shelf
        JOIN recommendations_availability a ON a.product_id = shelf.product_id AND NOT a.is_in_stock
        WHERE shelf.is_in ORDER BY 1 RETURNING 1
    ),
    turned AS (
        INSERT INTO recommendations_availability AS a (product_id, is_in_stock, since)
        SELECT product_id, is_in, %(now)s FROM shelf ORDER BY product_id
        ON CONFLICT (product_id) DO UPDATE SET is_in_stock = excluded.is_in_stock, since = excluded.since
        WHERE a.is_in_stock <> excluded.is_in_stock RETURNING 1
    )
    SELECT count(*) FROM back
"""  # noqa: S608
_DROPPED = """
    INSERT INTO recommendations_pricedrop (product_id, before_minor, after_minor, at)
    SELECT p.product_id, before.price_minor, p.price_minor, p.starts_at
    FROM customers_price p CROSS JOIN LATERAL (
        SELECT b.price_minor FROM customers_price b WHERE b.product_id = p.product_id AND b.starts_at < p.starts_at
        ORDER BY b.starts_at DESC LIMIT 1) before
    WHERE p.xid >= %(since)s::text::xid8 AND p.xid < %(until)s::text::xid8 AND p.price_minor < before.price_minor
    ORDER BY p.product_id, p.starts_at ON CONFLICT (product_id, at) DO NOTHING
"""


@transaction.atomic
def watch_products(*, now: dt.datetime) -> int:
    """Write down which products came back into stock or became cheaper since the last look; how many."""
    Watermark.objects.get_or_create(key=MARK, defaults={"mark": 0})
    seen = Watermark.objects.select_for_update().get(key=MARK)
    params: dict[str, Any] = {"since": str(seen.mark or 0), "until": str(safe_mark()), "now": now}
    with connection.cursor() as cursor:
        cursor.execute(_RESTOCKED, params)
        found = cursor.fetchone()[0]
        cursor.execute(_DROPPED, params)
        found += cursor.rowcount
    seen.mark, seen.at = int(params["until"]), now
    seen.save()
    return found


def count_news(*, now: dt.datetime) -> int:
    """How many a look would write down now; it looks, and takes it back."""
    with transaction.atomic():
        found = watch_products(now=now)
        transaction.set_rollback(True)
    return found


@transaction.atomic
def save_link(
    *, link_id: int | None, product_id: int, other_id: int, kind: str, position: int = 0, now: dt.datetime, by: Actor
) -> ProductLink:
    """Say that one product goes with another, or is to be suggested after it.

    Raises:
        LinkThere, LinkedWithItself
    """
    if product_id == other_id:
        raise LinkedWithItself
    there = ProductLink.objects.filter(product_id=product_id, other_id=other_id, kind=kind).exclude(pk=link_id)
    if (twin := there.select_related("product", "other").first()) is not None:
        raise LinkThere(product=twin.product.name, other=twin.other.name)
    link = ProductLink.objects.select_for_update().get(pk=link_id) if link_id else ProductLink()
    link.product_id, link.other_id, link.kind, link.position = product_id, other_id, kind, position
    link.save()
    after = {"product": product_id, "other": other_id, "kind": kind, "position": position}
    record(verb="recommendations.save_link", by=by, now=now, subject=link, after=after)
    return link


@transaction.atomic
def remove_link(*, link_id: int, now: dt.datetime, by: Actor) -> None:
    """Take back what was said of two products."""
    link = ProductLink.objects.select_for_update().get(pk=link_id)
    before = {"product": link.product_id, "other": link.other_id, "kind": link.kind}
    record(verb="recommendations.remove_link", by=by, now=now, subject=link, before=before)
    link.delete()
