"""Earning: the sweep over orders that came since its mark, and one order over the API, each beside its floor.

    python -m benchmarks.earning          # 20,000 orders of 10,000 members; BENCH_SCALE=0.1 for a quick look

The floor of the sweep writes the same rows (earning, grant, entry, lot, balances) by hand-written statements over all
orders at once, one rule folded into them: no versions, no caps, no refusals, no chunks, no resume. The floor of the
API is a bare endpoint of the same server: it knows the caller's key and writes the same rows for one order by one call
of a function with these statements in it.
"""

import datetime as dt
import time

from benchmarks import harness

from benchmarks.serving import press, server  # isort: skip
from django.db import connection, transaction  # isort: skip
from loyalty import operations  # isort: skip
from loyalty.models import Earning, Programme  # isort: skip
from loyalty.operations.earning import earn_due  # isort: skip
from loyalty.rules import ProgrammeRule  # isort: skip
from retention.actors import Actor  # isort: skip
from retention.doors.keys import create_key  # isort: skip
from retention.ledger import operations as ledger  # isort: skip
from retention.ledger.models import Account  # isort: skip
from retention.ledger.operations.proofs import differences  # isort: skip
from retention.ledger.units import UnitRule  # isort: skip
from retention.marks import safe_mark  # isort: skip
from retention.shop.models import Shop  # isort: skip
from retention.work.models import Watermark  # isort: skip

BY = Actor.command("bench")
NOW = dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)
WRITTEN = ("loyalty_earning", "incentives_grant", "ledger_entry", "ledger_cell")
SCOPES = ["loyalty:earn"]
CONNECTIONS = (1, 16)
SECONDS = 2
#: Orders that are there to be earned one by one.
PRESSED = 60_000

FACTS = """
INSERT INTO customers_product (sku, name, category, currency, price_minor, minimum_price_minor, is_low_margin, tags,
    url, how_to_url, image_url, recorded_at)
SELECT 'p' || n, 'p', 'Music', 'EUR', 1000, 0, false, '{}', '', '', '', %(now)s FROM generate_series(1, 100) n;
INSERT INTO customers_customer (reference, email, given_name, family_name, address, postcode, city, region, country,
    language, time_zone, preferred_channel, interests, source, acquisition_currency, attributes, recorded_at)
SELECT 'c' || n, 'c' || n || '@example.com', '', '', '', '', '', '', 'DE', 'en', '', '', '{}', '', '', '{}', %(now)s
FROM generate_series(1, %(customers)s) n;
"""
ORDERS = """
INSERT INTO customers_order (reference, customer_id, state, currency, total_minor, base_minor, shipping_minor,
    discount_minor, tax_minor, channel, store, payment_method, address, city, region, postcode, country, codes,
    placed_at, paid_at, recorded_at)
SELECT %(name)s || n, hers.first + n %% hers.count, 'paid', 'EUR', 3000 + n %% 7000,
       3000 + n %% 7000, 0, 0, 0, 'web', '', '', '', '', '', '', '', '{}', %(now)s, %(now)s, %(now)s
FROM generate_series(1, %(orders)s) n, (SELECT min(id) AS first, count(*) FROM customers_customer) hers;
INSERT INTO customers_orderline (order_id, position, product_id, quantity, unit_price_minor, discount_minor,
    total_minor, returned_quantity)
SELECT o.id, place, (SELECT min(id) FROM customers_product) + (o.id + place) %% 100, 1,
       CASE place WHEN 0 THEN 2000 ELSE o.total_minor - 2000 END, 0,
       CASE place WHEN 0 THEN 2000 ELSE o.total_minor - 2000 END, 0
FROM customers_order o, generate_series(0, 1) place;
"""
FLOOR = """
WITH earned AS (
    INSERT INTO loyalty_earning (member_id, rule, version_id, order_id, about, given, amount, counts_for_tier, tier,
                                 why, earned_at, recorded_at)
    SELECT m.id, 'base', %(version)s, o.id, '', o.base_minor / 100, o.base_minor / 100, true, '', '{{}}', o.paid_at,
           %(now)s
    FROM customers_order o
    JOIN loyalty_member m ON m.customer_id = o.customer_id AND m.programme_id = %(programme)s
    WHERE o.state = 'paid' AND EXISTS (SELECT FROM customers_orderline l JOIN customers_product p ON p.id = l.product_id
                                       WHERE l.order_id = o.id)
      AND {which}
    RETURNING id, member_id, amount
), granted AS (
    INSERT INTO incentives_grant (incentive_id, version_id, customer_id, source, origin, origin_id, state, terms,
                                  granted_at, granted_by)
    SELECT %(incentive)s, %(offer)s, m.customer_id, 'earning:' || e.id, 'loyalty.earning', e.id, 'active',
           jsonb_build_object('points', e.amount), %(now)s, 'floor'
    FROM earned e JOIN loyalty_member m ON m.id = e.member_id
    RETURNING id, customer_id, terms
), moved AS (
    INSERT INTO ledger_entry (unit_id, from_account_id, to_account_id, amount, source, verb, reason, origin, origin_id,
                              effective_at, recorded_at, by)
    SELECT a.unit_id, %(shop)s, a.id, (g.terms ->> 'points')::bigint, 'grant:' || g.id || ':0', 'issue', '',
           'incentives.grant', g.id, %(now)s, %(now)s, 'floor'
    FROM granted g JOIN ledger_account a ON a.customer_id = g.customer_id AND a.unit_id = %(unit)s
    RETURNING id, to_account_id, amount
), lots AS (
    INSERT INTO ledger_lot (account_id, entry_id, amount, remaining, active_at, pending_event)
    SELECT to_account_id, id, amount, amount, %(now)s, '' FROM moved
), balances AS (
    UPDATE ledger_account a SET balance = a.balance + s.amount
    FROM (SELECT to_account_id, sum(amount) AS amount FROM moved GROUP BY 1) s WHERE a.id = s.to_account_id
), members AS (
    UPDATE loyalty_member m SET earned = m.earned + s.amount, active_at = %(now)s
    FROM (SELECT member_id, sum(amount) AS amount FROM earned GROUP BY 1) s WHERE m.id = s.member_id
)
INSERT INTO ledger_cell AS cell (account_id, day, stripe, credited, debited)
SELECT %(shop)s, %(now)s::date, to_account_id %% 16, 0, sum(amount) FROM moved GROUP BY to_account_id %% 16
ON CONFLICT (account_id, day, stripe) DO UPDATE SET debited = cell.debited + excluded.debited
"""
FUNCTION = f"""
CREATE FUNCTION bare_earn(p_order text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_earned bigint;
BEGIN
    {FLOOR.format(which="o.reference = p_order")} RETURNING debited INTO v_earned;
    RETURN v_earned;
END $$
"""


def furnish(orders: int) -> Programme:
    """A live programme of one rule, all customers in it with an account, and so many paid orders of two lines."""
    Shop.objects.create(name="Bench", time_zone="UTC", currency="EUR")
    unit = ledger.create_unit(key="points", rule=UnitRule(name="Points", kind="points"), now=NOW, by=BY)
    rule = {"names": {"en": "Club"}, "earning": [{"kind": "per_amount", "key": "base", "amount": 1, "per_minor": 100}]}
    made = operations.create_programme(
        key="club", unit_key="points", rule=ProgrammeRule.model_validate(rule), now=NOW, by=BY
    )
    operations.launch_programme(programme_id=made.pk, now=NOW, by=BY)
    with connection.cursor() as cursor:
        for statement in FACTS.split(";\n")[:2]:
            cursor.execute(statement, {"now": NOW, "customers": orders // 2})
        cursor.execute("SELECT array_agg(id) FROM customers_customer")
        (customers,) = cursor.fetchone()
    operations.join(programme_id=made.pk, customer_ids=customers, now=NOW, by=BY)
    ledger.open_customer_accounts(unit=unit, customer_ids=customers, now=NOW)
    order(orders, "o")
    return Programme.objects.select_related("incentive", "unit").get(pk=made.pk)


def order(orders: int, name: str) -> None:
    """So many paid orders of two lines, `name` and a number their references."""
    with connection.cursor() as cursor:
        for statement in ORDERS.split(";\n")[:2]:
            cursor.execute(statement, {"now": NOW, "orders": orders, "name": name})


def empty() -> None:
    _let_end()
    harness.empty(*WRITTEN)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_account SET balance = 0 WHERE balance <> 0")
        cursor.execute("UPDATE loyalty_member SET earned = 0, active_at = NULL")
        cursor.execute("VACUUM FULL ledger_account, loyalty_member")
    Watermark.objects.filter(key__startswith="loyalty.earn").update(mark=0)
    harness.settle()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        mine = int(cursor.fetchone()[0])
    while safe_mark() <= mine:  # somebody else's transaction on this server is still open
        time.sleep(0.05)


def _let_end() -> None:
    """What was cut off at the end of a press is still being answered."""
    with connection.cursor() as cursor:
        while True:
            cursor.execute("""
                SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
            """)
            if not cursor.fetchone()[0]:
                return
            time.sleep(0.1)


def told(programme: Programme) -> dict[str, object]:
    """What stands in the statements by hand."""
    return {
        "now": NOW, "version": programme.version_id, "programme": programme.pk, "incentive": programme.incentive_id,
        "offer": programme.incentive.version_id, "unit": programme.unit_id,
        "shop": ledger.shop_account(programme.unit, Account.Purpose.ISSUED),
    }  # fmt: skip


def sweep(programme: Programme, orders: int) -> None:
    def ours() -> int:
        assert earn_due(now=NOW, progress=lambda done, total: None).granted == orders
        return orders

    def floor() -> int:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(FLOOR.format(which="true"), told(programme))
        return orders

    harness.compare("earning_sweep", ours, floor, unit="orders", rounds=5, prepare=empty)
    # The last side was the floor: it wrote as much, and the books are right.
    assert Earning.objects.count() == orders
    assert differences() == []


def over_http(url: str, programme: Programme) -> None:
    """Orders one by one over kept connections, each its own; what counts is what was earned in the database.

    Numbers go on from press to press: what was cut off at the end of one may still be answered in the next.
    """
    secret = create_key(name="bench", scopes=SCOPES, known=SCOPES, now=NOW, by=BY).secret
    with connection.cursor() as cursor:
        cursor.execute(FUNCTION, told(programme))
        cursor.execute("TRUNCATE customers_orderline, customers_order CASCADE")
    order(PRESSED, "h")
    at = 0

    def pressed(path: str, connections: int) -> int:
        nonlocal at
        body = '{"order": "h|"}'
        sent = press(port, path, secret=secret, body=body, at=at, connections=connections, seconds=SECONDS)
        at += sent + 2 * connections
        assert at < PRESSED, "more orders are wanted"
        done = Earning.objects.count()
        assert done >= sent * 0.99, f"{path}: {sent} requests made only {done} earnings"
        return done

    with server(url) as port:
        for connections in CONNECTIONS:
            harness.compare(
                "earning_over_http" if connections == 16 else f"earning_over_http_{connections}",
                lambda n=connections: pressed("/api/v1/loyalty/programmes/club/earnings/", n),
                lambda n=connections: pressed("/bare/earn/", n), unit="orders", rounds=3, prepare=empty,
            )  # fmt: skip


def main() -> None:
    orders = harness.size(20_000)
    with harness.database() as url:
        programme = furnish(orders)
        sweep(programme, orders)
        over_http(url, programme)


if __name__ == "__main__":
    main()
