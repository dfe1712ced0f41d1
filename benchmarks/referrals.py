"""The report of a referral scheme, beside statements by hand that ask the facts themselves for the same figures.

    python -m benchmarks.referrals         # 1,000,000 referrals; BENCH_SCALE=0.1 for a tenth

By hand is one statement each for the funnel, the advocates, the months and what friends are worth, over orders,
returns, used codes and the ledger, as one would write them who needs these figures of this period once. Ours counts all
periods of all schemes at once, and reads a report as sums of what was counted. Both say the same, which is looked at.
"""

from benchmarks import harness  # isort: skip, sets Django up

import datetime as dt
import time

from django.db import connection, transaction

from benchmarks.shoppers import NOW
from referrals.models import Scheme
from referrals.reports.counting import count
from referrals.reports.figures import report_of
from referrals.reports.reading import Asked, funnel, leaders, months, worths
from retention.actors import Actor
from retention.audit.models import Version
from retention.ledger import operations as ledger
from retention.shop.models import Shop

DAY = dt.timedelta(days=1)
RULE = {"names": {"en": "Friends"}, "friend_incentive": 1}
TABLES = (
    "customers_customer", "customers_customerstats", "customers_order", "customers_return", "referrals_advocate",
    "referrals_visit", "referrals_referral", "incentives_code", "incentives_use", "incentives_redemption",
    "ledger_entry",
)  # fmt: skip
_PEOPLE = """
    INSERT INTO customers_customer (reference, email, given_name, family_name, address, postcode, city, region, country,
        language, time_zone, preferred_channel, interests, source, acquisition_currency, attributes, signed_up_at,
        recorded_at)
    SELECT 'c' || n, 'c' || n || '@example.com', '', '', '', '', '', '', '', 'en', '', '', '{}', '', '', '{}',
        %(now)s - (n %% 700) * interval '1 day', %(now)s
    FROM generate_series(1, %(n)s * 5 / 4) n
"""
_ORDERS = """
    INSERT INTO customers_order (reference, customer_id, state, currency, total_minor, base_minor, shipping_minor,
        discount_minor, tax_minor, channel, store, payment_method, address, city, region, postcode, country, codes,
        placed_at, recorded_at)
    SELECT 'o' || c || '-' || n, c, CASE WHEN (c + n) %% 11 = 0 THEN 'cancelled' ELSE 'paid' END, 'EUR', minor, minor,
        0, 0, 0, 'web', '', 'card', '', '', '', '', '', '{}',
        least(%(now)s, %(now)s - (c %% 700) * interval '1 day' + n * interval '20 days'), %(now)s
    FROM generate_series(1, %(n)s * 5 / 4) c, generate_series(0, 1) n,
        LATERAL (SELECT 2000 + (c * 31 + n * 977) %% 9000 AS minor)
"""
_RETURNS = """
    INSERT INTO customers_return (reference, reason, amount_minor, base_minor, occurred_at, recorded_at, order_id)
    SELECT 'r' || id, '', 500, 500, %(now)s, %(now)s, id FROM customers_order WHERE id %% 10 = 0
"""
_STATS = """
    INSERT INTO customers_customerstats (customer_id, orders, items, first_order_at, last_order_at, spend_minor,
        refunds_minor, discounts_minor, favourite_category)
    SELECT customer_id, count(*), 1, min(placed_at), max(placed_at), sum(base_minor), 0, 0, ''
    FROM customers_order WHERE state <> 'cancelled' GROUP BY 1
"""
# Ten schemes; the last fifth of the customers recommends, the others were brought.
_ADVOCATES = """
    INSERT INTO referrals_advocate (scheme_id, customer_id, code, joined_at)
    SELECT (SELECT min(id) FROM referrals_scheme) + n %% 10, %(n)s + n, 'CODE' || n,
        %(now)s - (n %% 900) * interval '1 day'
    FROM generate_series(1, %(n)s / 4) n
"""
_REFERRALS = """
    INSERT INTO referrals_referral (source, state, score, reasons, cleared_score, claimed_at, since_at, qualified_at,
        ended_at, advocate_id, friend_id, version_id, scheme_id, visit_id, friend_grant_id, advocate_grant_id)
    SELECT 's' || n, state, 0, '{}', 0, at, at, CASE WHEN state NOT IN ('pending', 'lapsed') THEN at END,
        CASE WHEN state = 'rewarded' THEN at + interval '20 days' END, advocate.id, n, %(version)s, advocate.scheme_id,
        CASE WHEN n %% 5 > 0 THEN n END, 2 * n, CASE WHEN state = 'rewarded' THEN 2 * n + 1 END
    FROM generate_series(1, %(n)s) n
    JOIN referrals_advocate advocate ON advocate.id = 1 + (n * 7919::bigint) %% (%(n)s / 4)
    CROSS JOIN LATERAL (SELECT %(now)s - (n %% 700) * interval '1 day' AS at,
        (ARRAY['rewarded','rewarded','rewarded','hold','pending','rejected','lapsed','reversed'])[1 + n %% 8] AS state)
"""
_VISITS = """
    INSERT INTO referrals_visit (advocate_id, visitor_key, channel, visited_at)
    SELECT 1 + (n * 7919::bigint) %% (%(n)s / 4), 'v' || n, '', %(now)s - (n %% 700) * interval '1 day'
    FROM generate_series(1, %(n)s * 3 / 2) n
"""
# Friends have a code each, and every other one used it; advocates were credited.
_CODES = """
    INSERT INTO incentives_code (code, is_public, state, grant_id, incentive_id, version_id)
    SELECT 'CODE' || n, false, 'active', 2 * n, 1, 1
    FROM generate_series(1, %(n)s) n
"""
_REDEMPTIONS = """
    INSERT INTO incentives_redemption (source, request_hash, state, persons, order_reference, currency, discount_minor,
        base_minor, effects, redeemed_at)
    SELECT 's' || n, ''::bytea, 'redeemed', '{}', '', 'EUR', 500, 500, '{}', %(now)s - (n %% 700) * interval '1 day'
    FROM generate_series(1, %(n)s / 2) n
"""
_USES = """
    INSERT INTO incentives_use (place, incentive_id, discount_minor, used_at, used_on, redemption_id, version_id,
        code_id)
    SELECT 0, 1, 500, %(now)s, %(now)s::date, code.id, 1, code.id FROM incentives_code code WHERE id <= %(n)s / 2
"""
_ENTRIES = """
    INSERT INTO ledger_entry (amount, source, verb, reason, origin, origin_id, effective_at, recorded_at, by,
        from_account_id, to_account_id, unit_id)
    SELECT 1000, 'e' || id, 'issue', '', 'incentives.grant', advocate_grant_id, ended_at, %(now)s, '', 1, 2, %(unit)s
    FROM referrals_referral WHERE advocate_grant_id IS NOT NULL
"""
_FACTS = """
    WITH brought AS (
        SELECT *, qualified_at IS NOT NULL AND state IN ('hold', 'review', 'approved', 'rewarded') AS is_won
        FROM referrals_referral WHERE scheme_id = %(scheme)s AND claimed_at >= %(starts)s AND claimed_at < %(ends)s
    ), moved AS MATERIALIZED (
        SELECT brought.id, placed_at AS at, base_minor - coalesce(back, 0) AS spend, 0 AS reward
        FROM brought JOIN customers_order o ON o.customer_id = brought.friend_id AND o.placed_at >= brought.since_at
        LEFT JOIN (SELECT order_id, sum(base_minor) AS back FROM customers_return GROUP BY 1) r ON r.order_id = o.id
        WHERE o.state = 'paid' AND o.placed_at <= %(now)s
        UNION ALL
        SELECT brought.id, redeemed_at, 0, base_minor * (u.discount_minor - u.given_back_minor) / r.discount_minor
        FROM brought JOIN incentives_code c ON c.grant_id IN (friend_grant_id, advocate_grant_id)
        JOIN incentives_use u ON u.code_id = c.id
        JOIN incentives_redemption r ON r.id = u.redemption_id AND r.state = 'redeemed'
        UNION ALL
        SELECT brought.id, effective_at, 0, amount FROM brought JOIN ledger_entry e ON e.verb = 'issue'
         AND e.origin = 'incentives.grant' AND e.origin_id IN (friend_grant_id, advocate_grant_id)
    )
"""
BY_HAND = {
    "funnel": f"""{_FACTS}
    SELECT (SELECT count(*) FROM referrals_advocate WHERE scheme_id = %(scheme)s AND joined_at < %(ends)s),
        (SELECT count(DISTINCT (advocate_id, visitor_key)) FROM referrals_visit v JOIN referrals_advocate a
            ON a.id = v.advocate_id AND a.scheme_id = %(scheme)s
         WHERE visited_at >= %(starts)s AND visited_at < %(ends)s)
            + count(*) FILTER (WHERE visit_id IS NULL), count(*), count(*) FILTER (WHERE is_won),
        count(*) FILTER (WHERE state = 'rewarded'), count(*) FILTER (WHERE state = 'rejected'),
        count(*) FILTER (WHERE state = 'reversed'),
        count(*) FILTER (WHERE state IN ('claimed', 'pending', 'hold', 'review', 'approved')),
        (SELECT sum(spend) FROM moved), (SELECT sum(spend) FROM moved JOIN brought USING (id) WHERE is_won),
        (SELECT sum(reward) FROM moved) FROM brought""",
    "leaders": f"""{_FACTS}
    SELECT advocate_id, sum(friends), sum(won), sum(spend) AS spend, sum(reward) FROM (
        SELECT advocate_id, 1 AS friends, is_won::int AS won, 0 AS spend, 0 AS reward FROM brought
        UNION ALL SELECT advocate_id, 0, 0, spend, reward FROM moved JOIN brought USING (id)) told
    GROUP BY 1 ORDER BY 4 DESC, 3 DESC, 1 LIMIT 5000""",
    "months": f"""{_FACTS}
    SELECT date_trunc('month', at AT TIME ZONE 'Europe/Berlin')::date, sum(spend), sum(reward) FROM moved
    GROUP BY 1 ORDER BY 1""",
    "worths": """
    SELECT f.friend_id IS NOT NULL, count(*), sum(coalesce(spent, 0)) FROM customers_customerstats s
    LEFT JOIN (SELECT DISTINCT friend_id FROM referrals_referral
               WHERE scheme_id = %(scheme)s AND state NOT IN ('rejected', 'claimed')) f ON f.friend_id = s.customer_id
    LEFT JOIN LATERAL (
        SELECT sum(base_minor - coalesce((SELECT sum(base_minor) FROM customers_return WHERE order_id = o.id), 0)) spent
        FROM customers_order o WHERE o.customer_id = s.customer_id AND state = 'paid'
         AND placed_at >= first_order_at AND placed_at < first_order_at + interval '90 days') p ON true
    WHERE first_order_at >= %(starts)s AND first_order_at < %(ends)s AND first_order_at + interval '90 days' <= %(now)s
      AND (f.friend_id IS NOT NULL OR NOT EXISTS (SELECT FROM referrals_referral x WHERE x.friend_id = s.customer_id))
    GROUP BY 1 ORDER BY 1""",
}


def fill(referrals: int) -> None:
    by = Actor.command("bench")
    Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR")
    version = Version.objects.create(
        subject="referrals.scheme", subject_id=0, number=1, data=RULE, saved_at=NOW, why=""
    )
    for n in range(10):
        Scheme.objects.create(key=f"s{n}", name=f"S{n}", state="live", launched_at=NOW - 800 * DAY, version=version)
    unit = ledger.money_unit(purpose="credit", currency="EUR", now=NOW, by=by)
    params = {"now": NOW, "n": referrals, "version": version.pk, "unit": unit.pk}
    with harness.filling(*TABLES), connection.cursor() as cursor:
        for statement in (
            _PEOPLE, _ORDERS, _RETURNS, _STATS, _ADVOCATES, _REFERRALS, _VISITS, _CODES, _REDEMPTIONS, _USES, _ENTRIES,
        ):  # fmt: skip
            cursor.execute(statement, params)


def main() -> None:
    referrals = harness.size(1_000_000) // 4 * 4
    with harness.database():
        began = time.perf_counter()
        fill(referrals)
        harness.settle()
        print(f"filled in {time.perf_counter() - began:.0f} s")
        asked = Asked(Scheme.objects.order_by("pk")[0].pk, (NOW - 365 * DAY).date(), NOW.date(), 90)
        params = {
            "scheme": asked.scheme_id, "now": NOW,
            # The shop's midnights, in summer.
            "starts": dt.datetime.combine(asked.first - DAY, dt.time(22), dt.UTC),
            "ends": dt.datetime.combine(asked.last, dt.time(22), dt.UTC),
        }  # fmt: skip

        def by_hand() -> int:
            ask(params)
            return 1

        def report() -> int:
            report_of(asked, running_minor=0, now=NOW)
            return 1

        for name in ("first", "again"):
            began = time.perf_counter()
            count(now=NOW)
            seconds = time.perf_counter() - began
            print(f"count, {name}: {seconds:.1f} s of {referrals:,} referrals, all periods and schemes")
        check(asked, ask(params))
        harness.compare("referrals_report", report, by_hand, rounds=3, unit="reports")
        everything = Asked(None, (NOW - 900 * DAY).date(), NOW.date(), 90)
        for name, each in (("a scheme's year", asked), ("everything ever", everything)):
            began = time.perf_counter()
            report_of(each, running_minor=0, now=NOW)
            print(f"report of {name}: {1_000 * (time.perf_counter() - began):.0f} ms")


def ask(params: dict[str, object]) -> dict[str, list[tuple[object, ...]]]:
    with transaction.atomic(), connection.cursor() as cursor:
        found = {}
        for name, statement in BY_HAND.items():
            cursor.execute(statement, params)
            found[name] = cursor.fetchall()
        return found


def check(asked: Asked, found: dict[str, list[tuple[object, ...]]]) -> None:
    """Both sides say the same."""
    assert [tuple(vars(funnel(asked)).values())] == found["funnel"], (funnel(asked), found["funnel"])
    mine = [(o.advocate_id, o.friends, o.won, o.spend_minor, o.reward_minor) for o in leaders(asked, most=5_000)]
    assert mine == found["leaders"]
    assert [row for row in months(asked, until=asked.last) if any(row[1:])] == found["months"]
    referred, others = worths(asked)
    assert [(False, others.count, others.total), (True, referred.count, referred.total)] == found["worths"]


if __name__ == "__main__":
    main()
