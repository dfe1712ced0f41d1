"""The night of a programme: what expires, whose tier ends, who rises, beside statements by hand that write the same.

    python -m benchmarks.nights            # 1,000,000 accounts with five lots each; BENCH_SCALE=0.1 for a tenth

What was pending until an instant needs nobody, at night or ever, so there is nothing of it to measure. By hand means
written for this one programme: whole tables in one statement each, no chunks, no locks beforehand, no progress, no
sources that make a second run harmless; yet the same rows in the same tables, counted after each run.
"""

from benchmarks import harness  # isort: skip, sets Django up

import datetime as dt
from collections.abc import Callable

from django.db import connection, transaction

from loyalty import operations as loyalty
from loyalty import seeds
from loyalty.models import Programme
from loyalty.rules import ProgrammeRule
from retention.actors import Actor
from retention.ledger import operations as ledger
from retention.ledger.jobs import Night
from retention.ledger.units import UnitRule
from retention.shop.models import Shop

#: Midnight in Berlin.
NOW = dt.datetime(2028, 1, 31, 23, tzinfo=dt.UTC)
BY = Actor.command("bench")
#: Of ten accounts one has a lot that ends tonight; of ten members one has a tier whose time is over.
RULE = {
    "names": {"en": "Club"},
    "earning": [{"kind": "per_amount", "key": "base", "amount": 1, "per_minor": 100}],
    "tiers": {
        "steps": [
            {"key": "silver", "names": {"en": "Silver"}, "threshold": 150},
            {"key": "gold", "names": {"en": "Gold"}, "threshold": 400},
        ],
        "window": {"kind": "rolling", "months": 12},
        "validity": {"kind": "after", "count": 1, "per": "month"},
    },
}
_FILL = (
    """
    INSERT INTO customers_customer (reference, given_name, family_name, address, postcode, city, region, country,
        language, time_zone, preferred_channel, interests, source, acquisition_currency, attributes, recorded_at)
    SELECT 'c' || n, '', '', '', '', '', '', 'DE', 'en', '', '', '{{}}', '', '', '{{}}', %(now)s
    FROM generate_series(1, {people}) n
    """,
    """
    INSERT INTO ledger_account (unit_id, kind, customer_id, purpose, origin, balance, held, may_be_negative, is_frozen,
        opened_at)
    SELECT %(unit)s, 'customer', id, '', '', 500, 0, false, false, %(now)s FROM customers_customer ORDER BY id
    """,
    """
    INSERT INTO ledger_entry (unit_id, from_account_id, to_account_id, amount, source, verb, reason, origin, origin_id,
        effective_at, recorded_at, by)
    SELECT %(unit)s, %(shop)s, a.id, 100, 'fill:' || a.id || ':' || n, 'issue', '', '', NULL,
        %(now)s - n * interval '60 days', %(now)s - n * interval '60 days', 'fill'
    FROM ledger_account a, generate_series(1, 5) n WHERE a.customer_id IS NOT NULL ORDER BY n, a.id
    """,
    """
    INSERT INTO ledger_lot (account_id, entry_id, amount, remaining, active_at, pending_event, expires_at)
    SELECT e.to_account_id, e.id, 100, 100, e.effective_at, '',
        CASE WHEN e.to_account_id %% 10 = 0 AND e.source LIKE '%%:5' THEN %(now)s
             ELSE %(now)s + interval '200 days' END
    FROM ledger_entry e WHERE e.verb = 'issue' ORDER BY e.id
    """,
    """
    INSERT INTO loyalty_member (programme_id, customer_id, joined_at, joined_by, qualifying, earned, prefers)
    SELECT %(programme)s, id, %(now)s - interval '2 years', 'fill', 0, 500, '' FROM customers_customer ORDER BY id
    """,
    """
    INSERT INTO loyalty_earning (member_id, rule, version_id, about, given, amount, counts_for_tier, tier, why,
        earned_at, recorded_at)
    SELECT m.id, 'base', %(version)s, 'fill:' || n, 100, (m.id * 7919 + n * 31) %% 100, true, '', '{{}}',
        %(now)s - n * interval '60 days', %(now)s - n * interval '60 days'
    FROM loyalty_member m, generate_series(1, 5) n ORDER BY m.id, n
    """,
    """
    UPDATE loyalty_member SET tier_id = %(gold)s, tier_since = %(now)s - interval '1 month', tier_until = %(now)s
    WHERE id %% 10 = 0
    """,
)
_EXPIRE = (
    """
    WITH due AS (
        SELECT lot.id, lot.account_id, lot.remaining FROM ledger_lot lot
        WHERE lot.remaining > 0 AND lot.expires_at <= %(now)s
    ), made AS (
        INSERT INTO ledger_entry (unit_id, from_account_id, to_account_id, amount, source, verb, reason, origin,
            origin_id, effective_at, recorded_at, by)
        SELECT %(unit)s, due.account_id, %(expired)s, due.remaining, 'expire:' || due.id, 'expire', '', '', NULL,
            %(now)s, %(now)s, 'by hand' FROM due RETURNING id, from_account_id, amount, source
    ), shrunk AS (
        UPDATE ledger_lot lot SET remaining = 0 FROM due WHERE lot.id = due.id
    ), drawn AS (
        INSERT INTO ledger_draw (entry_id, lot_id, amount)
        SELECT id, split_part(source, ':', 2)::bigint, amount FROM made
    ), taken AS (
        UPDATE ledger_account a SET balance = a.balance - made.amount FROM made WHERE a.id = made.from_account_id
    )
    INSERT INTO ledger_cell (account_id, day, stripe, credited, debited)
    SELECT %(expired)s, '2028-02-01', 0, sum(amount), 0 FROM made
    """,
)
_SUMS = """
    SELECT m.id, m.customer_id, m.tier_id AS before, coalesce(s.counted, 0) AS counted,
        CASE WHEN s.counted >= 400 THEN %(gold)s WHEN s.counted >= 150 THEN %(silver)s END AS after
    FROM loyalty_member m LEFT JOIN (
        SELECT e.member_id, sum(e.amount) AS counted FROM loyalty_earning e
        WHERE e.counts_for_tier AND e.earned_at >= %(since)s GROUP BY e.member_id) s ON s.member_id = m.id
"""
_MOVE = f"""
    WITH looked AS ({_SUMS} WHERE {{whom}}), moved AS (
        UPDATE loyalty_member m SET qualifying = looked.counted, tier_id = looked.{{tier}}, xid = pg_current_xact_id(),
            tier_since = CASE WHEN looked.{{tier}} IS NULL THEN NULL WHEN looked.{{tier}} IS DISTINCT FROM looked.before
                              THEN %(now)s ELSE m.tier_since END,
            tier_until = CASE WHEN looked.{{tier}} IS NOT NULL THEN %(now)s + interval '1 month' END
        FROM looked WHERE m.id = looked.id RETURNING m.id, looked.customer_id, looked.before, m.tier_id AS after,
            looked.counted
    ), changed AS (
        INSERT INTO loyalty_tierchange (member_id, before_id, after_id, why, is_up, qualifying, version_id, reason,
            changed_at, by)
        SELECT id, before, after, %(why)s, %(is_up)s, counted, %(version)s, '', %(now)s, 'by hand' FROM moved
        WHERE before IS DISTINCT FROM after RETURNING id, member_id, before_id, after_id
    ), told AS (
        INSERT INTO customers_activity (kind, reference, customer_id, visitor_key, properties, occurred_at, recorded_at)
        SELECT %(kind)s, 'loyalty.tier_change:' || changed.id, moved.customer_id, '',
            jsonb_build_object('programme', 'club', 'before', before_id, 'after', after_id), %(now)s, %(now)s
        FROM changed JOIN moved ON moved.id = changed.member_id
    ), gone AS (
        DELETE FROM incentives_shoppertier s USING moved WHERE s.customer_id = moved.customer_id AND moved.after IS NULL
    )
    INSERT INTO incentives_shoppertier (customer_id, programme, tier)
    SELECT customer_id, 'club', after::text FROM moved WHERE after IS NOT NULL AND before IS DISTINCT FROM after
    ON CONFLICT (customer_id, programme) DO UPDATE SET tier = excluded.tier
"""
#: Nobody who is in gold falls by a look in between, as with ours.
_RISE = _MOVE.format(whom="m.id %% 10 <> 0", tier="after")
_KEEP = _MOVE.format(whom="m.tier_until <= %(now)s", tier="after")
_WHAT = (
    "SELECT (SELECT count(*) FROM ledger_entry WHERE verb = 'expire'), (SELECT sum(balance) FROM ledger_account),"
    " (SELECT count(*) FROM loyalty_tierchange), (SELECT count(*) FROM loyalty_member WHERE tier_id IS NOT NULL),"
    " (SELECT count(*) FROM customers_activity), (SELECT count(*) FROM incentives_shoppertier)"
)


def fill(people: int) -> tuple[Programme, dict]:
    Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR", languages=["en"])
    seeds.seed(now=NOW)
    unit = ledger.create_unit(key="points", rule=UnitRule(name="Points", kind="points"), now=NOW, by=BY)
    club = loyalty.create_programme(
        key="club", unit_key="points", rule=ProgrammeRule.model_validate(RULE), now=NOW, by=BY
    )
    club = loyalty.launch_programme(programme_id=club.pk, now=NOW - dt.timedelta(days=800), by=BY)
    told = {
        "now": NOW, "unit": unit.pk, "shop": ledger.shop_account(unit, "issued"),
        "expired": ledger.shop_account(unit, "expired"), "programme": club.pk, "version": club.version_id,
        "silver": club.tiers.get(key="silver").pk, "gold": club.tiers.get(key="gold").pk,
        "since": dt.datetime(2027, 1, 31, 23, tzinfo=dt.UTC),
    }  # fmt: skip
    with connection.cursor() as cursor:
        for statement in _FILL:
            cursor.execute(statement.format(people=people), told)
    return club, told


def undone(work: Callable[[], object], units: int, seen: dict[str, tuple]) -> Callable[[], int]:
    """Do the work, keep what it came to, and leave nothing of it; what is undone is the same for both sides."""

    def run() -> int:
        with transaction.atomic():
            work()
            with connection.cursor() as cursor:
                cursor.execute(_WHAT)
                seen.setdefault(work.__name__, cursor.fetchone())
            transaction.set_rollback(True)
        return units

    return run


def main() -> None:
    people = harness.size(1_000_000)
    with harness.database():
        _club, told = fill(people)

        def quiet(_done: int, _total: int) -> None: ...

        def by_hand(*statements: tuple[str, dict]) -> None:
            with connection.cursor() as cursor:
                for sql, more in statements:
                    cursor.execute(sql, {**told, **more})

        falls = {"why": "expired", "is_up": False, "kind": "loyalty.tier_lost"}
        rises = {"why": "reached", "is_up": True, "kind": "loyalty.tier_reached"}
        seen: dict[str, tuple] = {}

        def night() -> None:
            Night.run(now=NOW, progress=quiet)

        def night_by_hand() -> None:
            by_hand((_KEEP, falls), (_EXPIRE[0], {}), (_RISE, rises))

        harness.settle()
        harness.compare(
            "nightly_cycle", undone(night, people, seen), undone(night_by_hand, people, seen), rounds=3,
            unit="accounts", prepare=harness.settle, warm_up=False,
        )  # fmt: skip
        print("  came to", seen, flush=True)

        def expire() -> None:
            ledger.keep_night(now=NOW, by=BY, progress=quiet)

        def expire_by_hand() -> None:
            by_hand((_EXPIRE[0], {}))

        harness.compare(
            "nightly_expiry", undone(expire, people // 10, seen), undone(expire_by_hand, people // 10, seen), rounds=3,
            unit="lots that end", prepare=harness.settle, warm_up=False,
        )  # fmt: skip


if __name__ == "__main__":
    main()
