"""A segment of five conditions against the SQL that one would write by hand, on the same customers: counting, and
listing members for a campaign.

    python -m benchmarks.segments            # 1,000,000 customers; BENCH_SCALE=0.2 for 200,000
"""

from benchmarks import harness  # isort: skip, sets Django up

import datetime as dt

from django.core.management import call_command
from django.db import connection

from retention.segments.querysets import members

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
        cursor.execute("VACUUM ANALYZE")


def by_hand(select: str, source: str, **days: int) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(f"{select} {source}", {name: NOW - number * DAY for name, number in days.items()})
        return cursor.fetchall()


def main() -> None:
    people = harness.size(1_000_000, least=20_000)
    with harness.database("bench_segments"):
        call_command("migrate", verbosity=0)
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


if __name__ == "__main__":
    main()
