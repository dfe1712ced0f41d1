"""Customers who shop, for benchmarks of segments and stages: statistics, consents, views, and some orders each."""

import datetime as dt

from django.db import connection
from django.db.backends.utils import CursorWrapper

from retention.actors import Actor
from retention.segments.operations import create_stage
from retention.segments.ready_stages import STAGES
from retention.shop.models import Shop

NOW = dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
BY = Actor.command("bench")

_KIND = """
    INSERT INTO customers_activitykind (key, label, schema, is_built_in)
    VALUES ('viewed_product', 'Viewed a product', '{{}}', true) ON CONFLICT DO NOTHING
"""
_PEOPLE = """
    INSERT INTO customers_customer (reference, email, given_name, family_name, address, postcode, city, region, country,
        language, time_zone, preferred_channel, interests, source, acquisition_currency, attributes, signed_up_at,
        recorded_at)
    SELECT 'c' || n, 'c' || n || '@example.com', 'Given' || n, 'Family', '', '', 'City ' || n %% 50, '',
        (ARRAY['DE','US','KR','FR','GB','ES','IT','PL','NL','AT','SE','JP'])[1 + n %% 12], 'en', '', '',
        (ARRAY[ARRAY['jazz','vinyl'], ARRAY['rock','vinyl'], ARRAY['tea','books']])[1 + n %% 3 : 1 + n %% 3][1:1],
        'ads', '', '{{}}', %(now)s - n %% 1500 * interval '1 day', %(now)s
    FROM generate_series(1, {people}) n
"""
_STATS = """
    INSERT INTO customers_customerstats (customer_id, orders, items, first_order_at, last_order_at, spend_minor,
        refunds_minor, discounts_minor, average_order_minor, days_between_orders, discount_share, favourite_category,
        last_seen_at)
    SELECT id, 1 + id %% 9, 2 + id %% 20, %(now)s - interval '900 days',
        %(now)s - (id * 7919) %% 730 * interval '1 day', (id * 104729) %% 60000, 0, 0, 2000,
        CASE WHEN id %% 9 > 0 THEN 20 + id %% 100 END, 0, 'Music/Jazz', %(now)s - id %% 90 * interval '1 day'
    FROM customers_customer WHERE id %% 10 <> 0
"""
_CONSENT = """
    INSERT INTO customers_consentstate (customer_id, channel, purpose, is_given, address, occurred_at)
    SELECT id, 'email', 'marketing', id %% 3 <> 0, email_normal, %(now)s FROM customers_customer WHERE id %% 4 <> 0
"""
_VIEWS = """
    INSERT INTO customers_activity (kind, customer_id, visitor_key, properties, occurred_at, recorded_at)
    SELECT 'viewed_product', id, '', '{{}}', %(now)s - (id * 31 + n * 17) %% 200 * interval '1 day', %(now)s
    FROM customers_customer, generate_series(1, 2) n WHERE id %% 5 < 3
"""
_ORDERS = """
    INSERT INTO customers_order (reference, customer_id, state, currency, total_minor, base_minor, shipping_minor,
        discount_minor, tax_minor, channel, store, payment_method, address, city, region, postcode, country, codes,
        placed_at, recorded_at)
    SELECT 'o' || c.id || '-' || n, c.id, CASE WHEN (c.id + n) %% 11 = 0 THEN 'cancelled' ELSE 'paid' END, 'EUR',
        2000 + (c.id * 31 + n * 977) %% 9000, 2000 + (c.id * 31 + n * 977) %% 9000, 0, 0, 0,
        (ARRAY['web', 'app', 'store'])[1 + (c.id + n) %% 3], '', 'card', '', '', '', '', c.country, '{{}}',
        %(now)s - ((c.id * 7919 + n * 104729) %% 1400) * interval '1 day', %(now)s
    FROM customers_customer c, generate_series(1, {orders}) n
"""


def fill(people: int, *, orders: int) -> None:
    """So many customers with so many orders each, in a shop of the ready stages; nobody is in a stage yet."""
    Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR")
    with connection.cursor() as cursor:
        # The rows are right by making: without a check of each foreign key they come three times as fast.
        cursor.execute("SET session_replication_role = replica")
        for statement in (_KIND, _PEOPLE, _STATS, _CONSENT, _VIEWS):
            cursor.execute(statement.format(people=people), {"now": NOW})
        if orders:
            later = take_off_indexes(cursor, "customers_order")
            cursor.execute(_ORDERS.format(orders=orders), {"now": NOW})
            for index in later:
                cursor.execute(index)
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE")
    for key, name, about, rule in STAGES:
        create_stage(key=key, name={"en": str(name)}, about=str(about), rule=rule, now=NOW, by=BY)


def take_off_indexes(cursor: CursorWrapper, table: str) -> list[str]:
    """Drop the indexes that no constraint needs; returns what makes them again, which is quicker over ready rows."""
    cursor.execute(
        "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i"
        " WHERE i.indrelid = %s::regclass AND NOT i.indisunique",
        [table],
    )
    found = dict(cursor.fetchall())
    for name in found:
        cursor.execute(f"DROP INDEX {name}")
    return list(found.values())
