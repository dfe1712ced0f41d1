"""Statistics of customers, recomputed from their facts in the transaction that adds them."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import ngettext

from retention.customers.models import Customer, Order
from retention.shop.models import Shop
from retention.work.operations import raise_alert, resolve_alert

ALERT = "customers.statistics"
#: Customers whose statistics are compared by one statement.
CHUNK = 20_000

#: Opening a mail is the least that counts as being there; machines open mails too.
_NOT_SEEN = ("mail_opened", "complaint")
#: What rooms tell of her themselves, such as `loyalty.tier_lost`, she did not do: its kind has a dot.
_BY_HERSELF = "strpos(kind, '.') = 0 AND kind <> ALL(%(not_seen)s)"

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
_NOW_IS = """
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
"""
_DIFFERS = """
    (s.orders, s.items, s.first_order_at, s.last_order_at, s.spend_minor, s.refunds_minor, s.discounts_minor,
        s.average_order_minor, s.days_between_orders, s.discount_share, s.favourite_product_id, s.favourite_category,
        s.last_seen_at)
    IS DISTINCT FROM (n.orders, n.items, n.first_order_at, n.last_order_at, n.spend_minor, n.refunds_minor,
        n.discounts_minor, n.average_order_minor, n.days_between_orders, n.discount_share, n.favourite_product_id,
        n.favourite_category, greatest(s.last_seen_at, n.last_order_at))
"""
_REFRESH = f"""
{_NOW_IS}
UPDATE customers_customerstats s SET
    orders = n.orders, items = n.items, first_order_at = n.first_order_at, last_order_at = n.last_order_at,
    spend_minor = n.spend_minor, refunds_minor = n.refunds_minor, discounts_minor = n.discounts_minor,
    average_order_minor = n.average_order_minor, days_between_orders = n.days_between_orders,
    discount_share = n.discount_share, favourite_product_id = n.favourite_product_id,
    favourite_category = n.favourite_category, last_seen_at = greatest(s.last_seen_at, n.last_order_at),
    xid = pg_current_xact_id()
FROM now_is n
WHERE s.customer_id = n.customer_id AND {_DIFFERS}
"""
# Whoever has no facts need not have a row.
_WRONG = f"""
{_NOW_IS}
SELECT n.customer_id FROM now_is n LEFT JOIN customers_customerstats s ON s.customer_id = n.customer_id
WHERE CASE WHEN s.customer_id IS NULL THEN n.orders > 0 ELSE {_DIFFERS} END ORDER BY 1
"""
_OF_CHUNK = "SELECT id AS customer_id FROM customers_customer WHERE id > %(after)s AND id <= %(until)s"
_SEEN = f"""
WITH seen AS MATERIALIZED (
    SELECT customer_id, max(occurred_at) FILTER (WHERE {_BY_HERSELF}) AS seen_at,
        max(occurred_at) FILTER (WHERE kind IN ('mail_opened', 'mail_clicked')
            AND (kind = 'mail_clicked' OR properties ->> 'is_human' = 'true')) AS opened_at
    FROM ({{of}}) AS facts WHERE customer_id IS NOT NULL GROUP BY customer_id
)
"""
_IS_BEHIND = """
    (seen.seen_at > coalesce(s.last_seen_at, '-infinity') OR seen.opened_at > coalesce(s.last_opened_at, '-infinity'))
"""
_SEE = f"""
{_SEEN},
locked AS MATERIALIZED (
    SELECT s.customer_id FROM customers_customerstats s JOIN seen USING (customer_id) WHERE {_IS_BEHIND}
    ORDER BY s.customer_id FOR NO KEY UPDATE OF s
)
UPDATE customers_customerstats s SET last_seen_at = greatest(s.last_seen_at, seen.seen_at),
    last_opened_at = greatest(s.last_opened_at, seen.opened_at), xid = pg_current_xact_id()
FROM seen JOIN locked USING (customer_id) WHERE s.customer_id = seen.customer_id
"""
_BEHIND = f"""
{_SEEN}
SELECT seen.customer_id FROM seen LEFT JOIN customers_customerstats s USING (customer_id) WHERE {_IS_BEHIND}
"""
_ACTIVITIES = "SELECT customer_id, kind, occurred_at, properties FROM customers_activity"


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
    own |= _what_counts()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ROWS.format(of=sql), own)
        cursor.execute(_LOCK.format(of=sql), own)
        cursor.execute(_REFRESH.format(of=sql), own)
        return cursor.rowcount


def wrong_stats(*, after: int, until: int) -> list[int]:
    """Customers with ids in (after, until] whose statistics are not what their facts say.

    Each statement sees one instant, and facts are committed together with their statistics. It locks nothing.
    """
    chunk = {"after": after, "until": until}
    activities = f"{_ACTIVITIES} WHERE customer_id > %(after)s AND customer_id <= %(until)s"
    with connection.cursor() as cursor:
        cursor.execute(_WRONG.format(of=_OF_CHUNK), {**chunk, **_what_counts()})
        wrong = {pk for (pk,) in cursor.fetchall()}
        cursor.execute(_BEHIND.format(of=activities), {**chunk, "not_seen": list(_NOT_SEEN)})
        return sorted(wrong | {pk for (pk,) in cursor.fetchall()})


def check_stats(*, now: dt.datetime, progress: Callable[[int, int], None], chunk: int = CHUNK) -> int:
    """Compare everyone's statistics with the facts, put right what differs, and tell of it; how many were wrong.

    "Last seen" and "last opened" only ever move forward, here too.
    """
    wrong, last = 0, _last_customer()
    for after in range(0, last, chunk):
        if found := wrong_stats(after=after, until=after + chunk):
            with transaction.atomic():
                refresh_stats(found)
                see(f"{_ACTIVITIES} WHERE customer_id = ANY(%(found)s)", {"found": found})
        wrong += len(found)
        progress(min(after + chunk, last), last)
    if wrong:
        raise_alert(kind=ALERT, text=_told(wrong), now=now)
    else:
        resolve_alert(kind=ALERT, now=now)
    return wrong


def count_wrong_stats() -> int:
    """How many customers' statistics a check would put right now."""
    return sum(len(wrong_stats(after=after, until=after + CHUNK)) for after in range(0, _last_customer(), CHUNK))


def _last_customer() -> int:
    return Customer.objects.aggregate(last=Max("pk"))["last"] or 0


def _told(wrong: int) -> str:
    return ngettext(
        "The statistics of one customer differed from her orders and activities; they are right again. Facts must"
        " only come in by the import, the API and the console.",
        "The statistics of %(wrong)s customers differed from their orders and activities; they are right again. Facts"
        " must only come in by the import, the API and the console.",
        wrong,
    ) % {"wrong": wrong}


def _what_counts() -> dict[str, Any]:
    return {"base": Shop.objects.values_list("currency", flat=True).get(), "bought": list(Order.BOUGHT)}


def see(of: str, params: Mapping[str, Any] | None = None) -> int:
    """Move "last seen" and "last opened" forward by new activities; how many customers were seen later than before.

    `of` is SQL that selects `customer_id, kind, occurred_at, properties jsonb` of the activities.
    """
    own = {**(params or {}), "not_seen": list(_NOT_SEEN)}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ROWS.format(of=f"SELECT customer_id FROM ({of}) AS facts"), own)
        cursor.execute(_SEE.format(of=of), own)
        return cursor.rowcount
