"""Statistics of customers, recomputed from their facts in the transaction that adds them."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, transaction

from retention.customers.models import Order
from retention.shop.models import Shop

#: Opening a mail is the least that counts as being there; machines open mails too.
_NOT_SEEN = ("mail_opened", "complaint")

_ROWS = """
INSERT INTO customers_customerstats (customer_id, orders, items, spend_minor, refunds_minor, discounts_minor,
    favourite_category)
SELECT DISTINCT customer_id, 0, 0, 0, 0, 0, '' FROM ({of}) AS wanted
WHERE customer_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM customers_customerstats s WHERE s.customer_id = wanted.customer_id)
ORDER BY customer_id ON CONFLICT DO NOTHING
"""
_LOCK = """
SELECT count(*) FROM (SELECT FROM customers_customerstats WHERE customer_id IN ({of})
    ORDER BY customer_id FOR NO KEY UPDATE) AS locked
"""
_REFRESH = """
WITH who AS MATERIALIZED (SELECT DISTINCT customer_id FROM ({of}) AS wanted WHERE customer_id IS NOT NULL),
bought AS MATERIALIZED (
    SELECT o.id, o.customer_id, o.placed_at, o.base_minor, o.discount_minor,
        CASE WHEN o.currency = %(base)s THEN 1.0
            WHEN o.total_minor > 0 THEN o.base_minor::numeric / o.total_minor ELSE 0 END AS rate
    FROM who JOIN customers_order o USING (customer_id) WHERE o.state = ANY(%(bought)s)
),
lines AS MATERIALIZED (
    SELECT b.customer_id, b.id, b.placed_at, b.rate, l.product_id, l.discount_minor,
        l.quantity - l.returned_quantity AS kept
    FROM bought b JOIN customers_orderline l ON l.order_id = b.id
),
orders AS (
    SELECT customer_id, count(*) AS orders, min(placed_at) AS first_at, max(placed_at) AS last_at,
        sum(base_minor) AS paid, sum(round(discount_minor * rate)) AS discounts
    FROM bought GROUP BY customer_id
),
line_sums AS (
    SELECT customer_id, sum(kept) AS items, sum(round(discount_minor * rate)) AS discounts
    FROM lines GROUP BY customer_id
),
refunds AS (
    SELECT b.customer_id, sum(r.base_minor) AS refunds
    FROM bought b JOIN customers_return r ON r.order_id = b.id GROUP BY b.customer_id
),
products AS (
    SELECT DISTINCT ON (customer_id) customer_id, product_id FROM (
        SELECT customer_id, product_id, sum(kept) AS kept, max(placed_at) AS last_at
        FROM lines WHERE kept > 0 GROUP BY 1, 2) AS each_product
    ORDER BY customer_id, kept DESC, last_at DESC, product_id
),
categories AS (
    SELECT DISTINCT ON (customer_id) customer_id, category FROM (
        SELECT l.customer_id, p.category, sum(l.kept) AS kept, max(l.placed_at) AS last_at
        FROM lines l JOIN customers_product p ON p.id = l.product_id
        WHERE l.kept > 0 AND p.category <> '' GROUP BY 1, 2) AS each_category
    ORDER BY customer_id, kept DESC, last_at DESC, category
),
now_is AS (
    SELECT who.customer_id,
        coalesce(o.orders, 0) AS orders,
        coalesce(l.items, 0) AS items,
        o.first_at AS first_order_at,
        o.last_at AS last_order_at,
        coalesce(o.paid, 0) - coalesce(r.refunds, 0) AS spend_minor,
        coalesce(r.refunds, 0) AS refunds_minor,
        coalesce(o.discounts, 0) + coalesce(l.discounts, 0) AS discounts_minor,
        round(o.paid / o.orders) AS average_order_minor,
        CASE WHEN o.orders > 1 THEN
            extract(epoch FROM o.last_at - o.first_at)::float8 / 86400 / (o.orders - 1) END AS days_between_orders,
        CASE WHEN o.paid + o.discounts + coalesce(l.discounts, 0) > 0 THEN
            ((o.discounts + coalesce(l.discounts, 0)) / (o.paid + o.discounts + coalesce(l.discounts, 0)))::float8
        END AS discount_share,
        f.product_id AS favourite_product_id,
        coalesce(c.category, '') AS favourite_category
    FROM who
    LEFT JOIN orders o USING (customer_id) LEFT JOIN line_sums l USING (customer_id)
    LEFT JOIN refunds r USING (customer_id) LEFT JOIN products f USING (customer_id)
    LEFT JOIN categories c USING (customer_id)
)
UPDATE customers_customerstats s SET
    orders = n.orders, items = n.items, first_order_at = n.first_order_at, last_order_at = n.last_order_at,
    spend_minor = n.spend_minor, refunds_minor = n.refunds_minor, discounts_minor = n.discounts_minor,
    average_order_minor = n.average_order_minor, days_between_orders = n.days_between_orders,
    discount_share = n.discount_share, favourite_product_id = n.favourite_product_id,
    favourite_category = n.favourite_category, last_seen_at = greatest(s.last_seen_at, n.last_order_at),
    xid = pg_current_xact_id()
FROM now_is n
WHERE s.customer_id = n.customer_id
    AND (s.orders, s.items, s.first_order_at, s.last_order_at, s.spend_minor, s.refunds_minor, s.discounts_minor,
        s.average_order_minor, s.days_between_orders, s.discount_share, s.favourite_product_id, s.favourite_category,
        s.last_seen_at)
    IS DISTINCT FROM (n.orders, n.items, n.first_order_at, n.last_order_at, n.spend_minor, n.refunds_minor,
        n.discounts_minor, n.average_order_minor, n.days_between_orders, n.discount_share, n.favourite_product_id,
        n.favourite_category, greatest(s.last_seen_at, n.last_order_at))
"""
_SEE = """
WITH seen AS MATERIALIZED (
    SELECT customer_id, max(occurred_at) FILTER (WHERE kind <> ALL(%(not_seen)s)) AS seen_at,
        max(occurred_at) FILTER (WHERE kind IN ('mail_opened', 'mail_clicked')
            AND (kind = 'mail_clicked' OR properties ->> 'is_human' = 'true')) AS opened_at
    FROM ({of}) AS facts WHERE customer_id IS NOT NULL GROUP BY customer_id
),
locked AS MATERIALIZED (
    SELECT s.customer_id FROM customers_customerstats s JOIN seen USING (customer_id)
    WHERE seen.seen_at > coalesce(s.last_seen_at, '-infinity')
        OR seen.opened_at > coalesce(s.last_opened_at, '-infinity')
    ORDER BY s.customer_id FOR NO KEY UPDATE OF s
)
UPDATE customers_customerstats s SET last_seen_at = greatest(s.last_seen_at, seen.seen_at),
    last_opened_at = greatest(s.last_opened_at, seen.opened_at), xid = pg_current_xact_id()
FROM seen JOIN locked USING (customer_id) WHERE s.customer_id = seen.customer_id
"""


def refresh_stats(of: Sequence[int] | str, params: Mapping[str, Any] | None = None) -> int:
    """Recompute the statistics of some customers from their orders and returns; how many rows changed.

    Call it in the transaction that changed the facts, after them. The rows are locked in id order before anything is
    read, so that of two transactions the second reads what the first committed: no order is ever counted by neither.

    Args:
        of: customer ids, or SQL that selects them as `customer_id`.
        params: for that SQL.
    """
    if isinstance(of, str):
        sql, own = of, dict(params or {})
    else:
        sql, own = "SELECT unnest(%(customer_ids)s::bigint[]) AS customer_id", {"customer_ids": list(of)}
    own |= {"base": Shop.objects.values_list("currency", flat=True).get(), "bought": list(Order.BOUGHT)}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ROWS.format(of=sql), own)
        cursor.execute(_LOCK.format(of=sql), own)
        cursor.execute(_REFRESH.format(of=sql), own)
        return cursor.rowcount


def see(of: str, params: Mapping[str, Any] | None = None) -> int:
    """Move "last seen" and "last opened" forward by new activities; how many customers were seen later than before.

    `of` is SQL that selects `customer_id, kind, occurred_at, properties jsonb` of the activities.
    """
    own = {**(params or {}), "not_seen": list(_NOT_SEEN)}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ROWS.format(of=f"SELECT customer_id FROM ({of}) AS facts"), own)
        cursor.execute(_SEE.format(of=of), own)
        return cursor.rowcount
