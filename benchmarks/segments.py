"""Segments against the SQL that one would write by hand, on the same customers: five conditions, a nested rule, eight
conditions over ten orders a customer; who is in after some facts, stages and RFM scores of everybody.

    python -m benchmarks.segments            # 1,000,000 customers, 10,000,000 orders; BENCH_SCALE=0.2 for a fifth
"""

from benchmarks import harness  # isort: skip, sets Django up

import datetime as dt
from collections.abc import Callable

from django.core.management import call_command
from django.db import connection

from retention.actors import Actor
from retention.customers.operations import compute_rfm
from retention.segments.operations import (
    create_segment,
    create_stage,
    follow_segment,
    place_customers,
    refresh_segment,
)
from retention.segments.querysets import members
from retention.segments.ready_stages import STAGES
from retention.shop.models import Shop

NOW = dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)

_PEOPLE = """
    INSERT INTO customers_customer (reference, email, given_name, family_name, address, postcode, city, region, country,
        language, time_zone, preferred_channel, interests, source, acquisition_currency, attributes, signed_up_at,
        recorded_at)
    SELECT 'c' || n, 'c' || n || '@example.com', 'Given' || n, 'Family', '', '', 'City ' || n %% 50, '',
        (ARRAY['DE','US','KR','FR','GB','ES','IT','PL','NL','AT','SE','JP'])[1 + n %% 12], 'en', '', '',
        (ARRAY[ARRAY['jazz','vinyl'], ARRAY['rock','vinyl'], ARRAY['tea','books']])[1 + n %% 3 : 1 + n %% 3][1:1],
        'ads', '', '{{}}', %s - n %% 1500 * interval '1 day', %s
    FROM generate_series(1, {people}) n
"""
_STATS = """
    INSERT INTO customers_customerstats (customer_id, orders, items, first_order_at, last_order_at, spend_minor,
        refunds_minor, discounts_minor, average_order_minor, discount_share, favourite_category, last_seen_at)
    SELECT id, 1 + id %% 9, 2 + id %% 20, %s - interval '900 days', %s - (id * 7919) %% 730 * interval '1 day',
        (id * 104729) %% 60000, 0, 0, 2000, 0, 'Music/Jazz', %s - id %% 90 * interval '1 day'
    FROM customers_customer WHERE id %% 10 <> 0
"""
_CONSENT = """
    INSERT INTO customers_consentstate (customer_id, channel, purpose, is_given, address, occurred_at)
    SELECT id, 'email', 'marketing', id %% 3 <> 0, email_normal, %s FROM customers_customer WHERE id %% 4 <> 0
"""
_VIEWS = """
    INSERT INTO customers_activity (kind, customer_id, visitor_key, properties, occurred_at, recorded_at)
    SELECT 'viewed_product', id, '', '{{}}', %s - (id * 31 + n * 17) %% 200 * interval '1 day', %s
    FROM customers_customer, generate_series(1, 2) n WHERE id %% 5 < 3
"""

_ORDERS = """
    INSERT INTO customers_order (reference, customer_id, state, currency, total_minor, base_minor, shipping_minor,
        discount_minor, tax_minor, channel, store, payment_method, address, city, region, postcode, country, codes,
        placed_at, recorded_at)
    SELECT 'o' || c.id || '-' || n, c.id, CASE WHEN (c.id + n) %% 11 = 0 THEN 'cancelled' ELSE 'paid' END, 'EUR',
        2000 + (c.id * 31 + n * 977) %% 9000, 2000 + (c.id * 31 + n * 977) %% 9000, 0, 0, 0,
        (ARRAY['web', 'app', 'store'])[1 + (c.id + n) %% 3], '', 'card', '', '', '', '', c.country, '{{}}',
        %s - ((c.id * 7919 + n * 104729) %% 1400) * interval '1 day', %s
    FROM customers_customer c, generate_series(1, 10) n
"""

RULE = {
    "all": [
        {"key": "country", "args": {"countries": ["DE", "US", "KR", "FR"]}},
        {"key": "no_order", "args": {"days": 180, "never": "leave_out"}},
        {"key": "spend", "args": {"operator": "at_least", "number": 20_000, "window": "ever"}},
        {"key": "consent", "args": {"channel": "email", "purpose": "marketing", "state": "given"}},
        {
            "key": "did",
            "args": {"kind": "viewed_product", "operator": "at_least", "number": 1, "window": "last", "days": 60},
        },
    ]
}
BY_HAND = """
    FROM customers_customer c JOIN customers_customerstats s ON s.customer_id = c.id
    WHERE c.merged_into_id IS NULL AND c.erased_at IS NULL AND c.country IN ('DE', 'US', 'KR', 'FR')
        AND s.last_order_at < %(silent)s AND s.spend_minor >= 20000
        AND EXISTS (SELECT 1 FROM customers_consentstate k WHERE k.customer_id = c.id AND k.channel = 'email'
            AND k.purpose = 'marketing' AND k.is_given AND k.address = c.email_normal)
        AND EXISTS (SELECT 1 FROM customers_activity a WHERE a.customer_id = c.id AND a.kind = 'viewed_product'
            AND a.occurred_at >= %(recent)s)
"""
#: Nested, negated, counted: what a marketer builds on a rainy day.
NESTED = {
    "any": [
        {
            "all": [
                {"key": "country", "args": {"countries": ["DE", "AT"]}},
                {"not": {"key": "spend", "args": {"operator": "at_least", "number": 30_000, "window": "ever"}}},
            ]
        },
        {
            "key": "did",
            "args": {"kind": "viewed_product", "operator": "at_least", "number": 2, "window": "last", "days": 90},
        },
        {
            "not": {
                "any": [
                    {"key": "consent", "args": {"channel": "email", "purpose": "marketing", "state": "given"}},
                    {"key": "last_order", "args": {"window": "last", "days": 700}},
                ]
            }
        },
    ]
}
NESTED_BY_HAND = """
    FROM customers_customer c LEFT JOIN customers_customerstats s ON s.customer_id = c.id
    WHERE c.merged_into_id IS NULL AND c.erased_at IS NULL AND (
        (c.country IN ('DE', 'AT') AND coalesce(s.spend_minor, 0) < 30000)
        OR c.id IN (SELECT a.customer_id FROM customers_activity a WHERE a.kind = 'viewed_product'
            AND a.occurred_at >= %(recent)s GROUP BY a.customer_id HAVING count(*) >= 2)
        OR (NOT EXISTS (SELECT 1 FROM customers_consentstate k WHERE k.customer_id = c.id AND k.channel = 'email'
                AND k.purpose = 'marketing' AND k.is_given AND k.address = c.email_normal)
            AND (s.last_order_at IS NULL OR s.last_order_at < %(silent)s)))
"""


EVER = {"window": "ever"}
EIGHT = {
    "all": [
        *RULE["all"],
        {"key": "order_count", "args": {"operator": "at_least", "number": 2, "window": "last", "days": 700}},
        {
            "key": "ordered_by_channel",
            "args": {"values": ["app"], "operator": "at_least", "number": 1, "window": "ever"},
        },
        {"not": {"key": "order_worth", "args": {"operator": "at_least", "number": 10_500, "window": "ever"}}},
    ]
}
EIGHT_BY_HAND = (
    BY_HAND
    + """
        AND (SELECT count(*) FROM customers_order o WHERE o.customer_id = c.id AND o.placed_at >= %(since)s
            AND o.state IN ('paid', 'fulfilled', 'partially_returned', 'returned')) >= 2
        AND EXISTS (SELECT 1 FROM customers_order o WHERE o.customer_id = c.id AND lower(o.channel) = 'app'
            AND o.state IN ('paid', 'fulfilled', 'partially_returned', 'returned'))
        AND NOT EXISTS (SELECT 1 FROM customers_order o WHERE o.customer_id = c.id AND o.base_minor >= 10500
            AND o.state IN ('paid', 'fulfilled', 'partially_returned', 'returned'))
"""
)
#: Stages as one would write them by hand, over statistics alone.
STAGES_BY_HAND = """
    INSERT INTO by_hand SELECT c.id, CASE WHEN coalesce(s.orders, 0) = 0 AND NOT k.is_given THEN 1
        WHEN coalesce(s.orders, 0) = 0 THEN 2 WHEN s.orders = 1 AND s.first_order_at >= %(new)s THEN 3
        WHEN s.orders >= 4 AND s.last_order_at >= %(half)s AND (s.last_order_at >= %(new)s OR NOT coalesce(
            s.last_order_at < %(now)s - s.days_between_orders * interval '2 days', false)) THEN 4
        WHEN s.last_order_at >= %(half)s AND (s.last_order_at >= %(new)s OR NOT coalesce(
            s.last_order_at < %(now)s - s.days_between_orders * interval '2 days', false)) THEN 5
        WHEN s.last_order_at >= %(year)s THEN 6 ELSE 7 END
    FROM customers_customer c LEFT JOIN customers_customerstats s ON s.customer_id = c.id
    CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM customers_consentstate k WHERE k.customer_id = c.id
        AND k.channel = 'email' AND k.purpose = 'marketing' AND k.is_given AND k.address = c.email_normal
    ) AS is_given) k
    WHERE c.merged_into_id IS NULL AND c.erased_at IS NULL
"""
RFM_BY_HAND = """
    INSERT INTO by_hand SELECT customer_id, ntile(5) OVER (ORDER BY last_order_at)
        + 10 * ntile(5) OVER (ORDER BY orders) + 100 * ntile(5) OVER (ORDER BY spend_minor)
    FROM customers_customerstats WHERE orders > 0
"""
#: Customers with a new fact between two looks.
CHANGED = 200


def fill(people: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_activitykind (key, label, schema, is_built_in)"
            " VALUES ('viewed_product', 'Viewed a product', '{}', true) ON CONFLICT DO NOTHING"
        )
        cursor.execute(_PEOPLE.format(people=people), [NOW, NOW])
        cursor.execute(_STATS, [NOW, NOW, NOW])
        cursor.execute(_CONSENT, [NOW])
        cursor.execute(_VIEWS.format(), [NOW, NOW])
        cursor.execute(_ORDERS.format(), [NOW, NOW])
        cursor.execute("VACUUM ANALYZE")


def by_hand(select: str, source: str, **days: int) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(f"{select} {source}", {name: NOW - number * DAY for name, number in days.items()})
        return cursor.fetchall()


def touch(people: int) -> None:
    """New facts about some customers, spread over all."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE customers_customerstats SET spend_minor = spend_minor + 1, xid = pg_current_xact_id()"
            " WHERE customer_id = ANY(%s)",
            [list(range(1, people, max(1, people // CHANGED)))],
        )


def follow(segment_id: int, people: int) -> int:
    touch(people)
    follow_segment(segment_id=segment_id, now=NOW)
    return CHANGED


def each_by_hand(people: int) -> int:
    """The same question, for the same customers, without keeping anything."""
    touch(people)
    ids = list(range(1, people, max(1, people // CHANGED)))
    with connection.cursor() as cursor:
        days = {"silent": 180, "recent": 60, "since": 700}
        given = {name: NOW - number * DAY for name, number in days.items()}
        cursor.execute(f"SELECT c.id {EIGHT_BY_HAND} AND c.id = ANY(%(ids)s)", {**given, "ids": ids})
        cursor.fetchall()
    return CHANGED


def everybody(people: int, work: Callable[[], object]) -> int:
    """One pass over all, as if it were the first."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE customers_customerstage, customers_rfm")
    work()
    return people


def everybody_by_hand(people: int, statement: str) -> int:
    ends = {"now": NOW, "new": NOW - 60 * DAY, "half": NOW - 182 * DAY, "year": NOW - 365 * DAY}
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS by_hand")
        cursor.execute("CREATE TABLE by_hand (id bigint PRIMARY KEY, stage smallint)")
        cursor.execute(statement, ends)
    return people


def standing(people: int) -> None:
    """Eight conditions, who is in after some facts, stages and scores of everybody."""
    count = by_hand("SELECT count(*)", EIGHT_BY_HAND, silent=180, recent=60, since=700)[0][0]
    assert members(EIGHT, NOW).count() == count > 0
    harness.compare(
        "segment of eight conditions: count",
        lambda: people * bool(members(EIGHT, NOW).count()),
        lambda: people * bool(by_hand("SELECT count(*)", EIGHT_BY_HAND, silent=180, recent=60, since=700)),
        unit="customers",
    )
    segment = create_segment(name="Eight", rule=EIGHT, now=NOW, by=Actor.command("bench"))
    refresh_segment(segment_id=segment.pk, now=NOW)
    harness.compare(
        "who is in after new facts",
        lambda: follow(segment.pk, people),
        lambda: each_by_hand(people),
        unit="changed customers",
    )
    for key, name, about, rule in STAGES:
        create_stage(key=key, name={"en": str(name)}, about=str(about), rule=rule, now=NOW, by=Actor.command("bench"))
    harness.compare(
        "stages of everybody",
        lambda: everybody(people, lambda: place_customers(now=NOW, everybody=True)),
        lambda: everybody_by_hand(people, STAGES_BY_HAND),
        unit="customers",
    )
    harness.compare(
        "RFM scores of everybody",
        lambda: everybody(people, lambda: compute_rfm(now=NOW)),
        lambda: everybody_by_hand(people, RFM_BY_HAND),
        unit="customers",
    )


def main() -> None:
    people = harness.size(1_000_000, least=20_000)
    with harness.database("bench_segments"):
        call_command("migrate", verbosity=0)
        Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR")
        fill(people)
        expected = by_hand("SELECT count(*)", BY_HAND, silent=180, recent=60)[0][0]
        assert members(RULE, NOW).count() == expected > 0
        nested = by_hand("SELECT count(*)", NESTED_BY_HAND, silent=700, recent=90)[0][0]
        assert members(NESTED, NOW).count() == nested > 0
        print(f"{expected:,} and {nested:,} of {people:,} customers")

        def counted(work):
            work()
            return people

        harness.compare(
            "segment of five conditions: count",
            lambda: counted(lambda: members(RULE, NOW).count()),
            lambda: counted(lambda: by_hand("SELECT count(*)", BY_HAND, silent=180, recent=60)),
            unit="customers",
        )
        harness.compare(
            "segment of five conditions: members",
            lambda: counted(lambda: list(members(RULE, NOW).order_by().values_list("pk"))),
            lambda: counted(lambda: by_hand("SELECT c.id", BY_HAND, silent=180, recent=60)),
            unit="customers",
        )
        harness.compare(
            "nested segment with not and counts: count",
            lambda: counted(lambda: members(NESTED, NOW).count()),
            lambda: counted(lambda: by_hand("SELECT count(*)", NESTED_BY_HAND, silent=700, recent=90)),
            unit="customers",
        )
        standing(people)


if __name__ == "__main__":
    main()
