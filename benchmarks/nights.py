"""The night of a programme: what expires, whose tier ends, who rises, beside statements by hand that write the same.

    python -m benchmarks.nights            # 1,000,000 accounts with five lots each; BENCH_SCALE=0.1 for a tenth

Every run is another night, committed: a tenth of the accounts has a lot that ends, another tenth of the members a tier
whose time is over, a third tenth has done enough to rise, and everybody is looked at, as after the rules were changed.
Afterwards once more as on any other night, when only those are looked at of whom anything is new.

What was pending until an instant needs nobody, at night or ever, so there is nothing of it to measure. By hand means
written for this one programme: whole tables in one statement each, no chunks, no locks beforehand, no progress, no
sources that make a second run harmless; yet the same rows in the same tables, counted after each run.
"""

from benchmarks import harness  # isort: skip, sets Django up

import datetime as dt
import resource
import time
from collections.abc import Callable

from django.db import connection, transaction

from loyalty import operations as loyalty
from loyalty import seeds
from loyalty.rules import ProgrammeRule
from retention.actors import Actor
from retention.ledger import operations as ledger
from retention.ledger.jobs import Night
from retention.ledger.units import UnitRule
from retention.shop.models import Shop
from retention.work.models import Watermark

#: The first of them: midnight in Berlin.
NOW = dt.datetime(2028, 1, 31, 23, tzinfo=dt.UTC)
BY = Actor.command("bench")
#: Nights on which something of everybody ends: the n-th of these parts each night.
NIGHTS = 20
RULE = {
    "names": {"en": "Club"},
    "earning": [{"kind": "per_amount", "key": "base", "amount": 1, "per_minor": 100}],
    "tiers": {
        "steps": [
            {"key": "silver", "names": {"en": "Silver"}, "threshold": 200},
            {"key": "gold", "names": {"en": "Gold"}, "threshold": 300},
        ],
        "window": {"kind": "rolling", "months": 12},
        "validity": {"kind": "after", "count": 1, "per": "month"},
    },
}
_FILLED = (
    "customers_customer", "ledger_account", "ledger_entry", "ledger_lot", "loyalty_member", "loyalty_earning",
)  # fmt: skip
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
    FROM generate_series(1, 5) n, ledger_account a WHERE a.customer_id IS NOT NULL
    """,
    """
    INSERT INTO ledger_lot (account_id, entry_id, amount, remaining, active_at, pending_event, expires_at)
    SELECT e.to_account_id, e.id, 100, 100, e.effective_at, '',
        CASE WHEN e.source LIKE '%%:5' THEN %(now)s + e.to_account_id %% {nights} * interval '1 day'
             ELSE %(now)s + interval '200 days' END
    FROM ledger_entry e WHERE e.verb = 'issue'
    """,
    # Everybody is in gold until her night, and earned 150 to 330 since: a fifth keeps it, others fall.
    """
    INSERT INTO loyalty_member (programme_id, customer_id, joined_at, joined_by, qualifying, earned, prefers, tier_id,
        tier_since, tier_until)
    SELECT %(programme)s, c.id, %(now)s - interval '2 years', 'fill', earned.counted, earned.counted, '', %(gold)s,
        %(now)s - interval '1 month', %(now)s + c.id %% {nights} * interval '1 day'
    FROM customers_customer c, LATERAL (
        SELECT sum((c.id / {nights} * 7919 + n * 31) %% 100) AS counted FROM generate_series(1, 5) n) earned
    ORDER BY c.id
    """,
    """
    INSERT INTO loyalty_earning (member_id, rule, version_id, about, given, amount, counts_for_tier, tier, why,
        earned_at, recorded_at)
    SELECT m.id, 'base', %(version)s, 'fill:' || n, 100, (m.customer_id / {nights} * 7919 + n * 31) %% 100, true, '',
        '{{}}', %(now)s - n * interval '60 days', %(now)s - n * interval '60 days'
    FROM loyalty_member m, generate_series(1, 5) n
    """,
)
_EXPIRE = """
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
    SELECT %(expired)s, (%(now)s + interval '1 hour')::date, 0, sum(amount), 0 FROM made
"""
_SUM = "SELECT e.member_id, sum(e.amount) AS counted FROM loyalty_earning e WHERE e.counts_for_tier AND e.earned_at >="
_MOVE = """
    WITH looked AS (
        SELECT m.id, m.customer_id, m.tier_id AS before, coalesce(s.counted, 0) AS counted, t.after
        FROM loyalty_member m LEFT JOIN {sums}, LATERAL (
            SELECT CASE WHEN s.counted >= 300 THEN %(gold)s WHEN s.counted >= 200 THEN %(silver)s END AS after) t
        WHERE {whom}
    ), moved AS (
        UPDATE loyalty_member m SET qualifying = looked.counted, tier_id = looked.after, xid = pg_current_xact_id(),
            tier_since = CASE WHEN looked.after IS NULL THEN NULL WHEN looked.after IS DISTINCT FROM looked.before
                              THEN %(now)s ELSE m.tier_since END,
            tier_until = CASE WHEN looked.after IS NOT NULL THEN %(now)s + interval '1 month' END
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
_KEEP = _MOVE.format(
    sums=f"LATERAL ({_SUM} %(since)s AND e.member_id = m.id GROUP BY 1) s ON true", whom="m.tier_until <= %(now)s"
)
_RISE = _MOVE.format(
    sums=f"({_SUM} %(since)s GROUP BY 1) s ON s.member_id = m.id", whom="coalesce(t.after, 0) > coalesce(m.tier_id, 0)"
)
_AS_NEW = """
    UPDATE loyalty_member SET tier_id = NULL, tier_since = NULL, tier_until = NULL WHERE customer_id %% %s = %s
"""
_WHAT = """
    SELECT (SELECT count(*) FROM ledger_entry WHERE verb = 'expire'), (SELECT count(*) FROM ledger_draw),
        (SELECT count(*) FROM loyalty_tierchange WHERE is_up),
        (SELECT count(*) FROM loyalty_tierchange WHERE NOT is_up), (SELECT count(*) FROM customers_activity)
"""


_WHYS = {
    _KEEP: {"why": "expired", "is_up": False, "kind": "loyalty.tier_lost"},
    _RISE: {"why": "reached", "is_up": True, "kind": "loyalty.tier_reached"},
}
Work = Callable[[], object]


def fill(people: int) -> dict:
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
    with harness.filling(*_FILLED):
        for statement in _FILL:
            with connection.cursor() as cursor:
                cursor.execute(statement.format(people=people, nights=NIGHTS), told)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    return told


class Nights:
    """One night after the other: each side has its own, and what it did is counted."""

    def __init__(self, people: int, told: dict) -> None:
        self.people, self.told, self.number = people, told, -1
        self.did: dict[str, tuple[int, ...]] = {}
        self.ran, self.counts = "", ()

    @property
    def now(self) -> dt.datetime:
        return NOW + dt.timedelta(days=self.number)

    def after_new_rules(self) -> None:
        """Who fell last night has no tier and so rises tonight, and everybody is to be looked at."""
        with connection.cursor() as cursor:
            cursor.execute(_AS_NEW, [NIGHTS, self.number % NIGHTS])
        self.next()
        Watermark.objects.filter(key__startswith="loyalty.tiers:").delete()

    def next(self) -> None:
        self.count()
        self.number += 1
        harness.settle()

    def run(self, name: str, work: Callable[[], object]) -> int:
        work()
        self.ran = name
        return self.people

    def count(self) -> None:
        """What the last run wrote: entries and draws of what expired, moves up, moves down, activities."""
        with connection.cursor() as cursor:
            cursor.execute(_WHAT)
            counts = cursor.fetchone()
        if self.ran:
            self.did[self.ran] = tuple(b - a for a, b in zip(self.counts, counts, strict=True))
        self.ran, self.counts = "", counts


def main() -> None:
    people = harness.size(1_000_000)
    with harness.database():
        started = time.perf_counter()
        nights = Nights(people, fill(people))
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_size_pretty(pg_database_size(current_database()))")
            print(f"  filled in {time.perf_counter() - started:.0f} s: {cursor.fetchone()[0]}", flush=True)

        def quiet(_done: int, _total: int) -> None: ...

        def by_hand(*statements: str) -> None:
            for sql in statements:
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute(sql, {**nights.told, **_WHYS.get(sql, {}), "now": nights.now})

        def compare(name: str, ours: Work, floor: Work, prepare: Work, units: str = "accounts") -> None:
            harness.compare(
                name, lambda: nights.run("ours", ours), lambda: nights.run("by hand", floor), rounds=3, unit=units,
                prepare=prepare, warm_up=False,
            )  # fmt: skip
            nights.count()
            print(f"  rows written on the last two nights: {nights.did}", flush=True)

        def night() -> None:
            Night.run(now=nights.now, progress=quiet)

        compare("nightly_cycle", night, lambda: by_hand(_KEEP, _EXPIRE, _RISE), nights.after_new_rules)
        compare("nightly_ordinary", night, lambda: by_hand(_KEEP, _EXPIRE), nights.next)
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"  at most {used} MB were used by the process that did all nights", flush=True)

        def expire() -> None:
            ledger.keep_night(now=nights.now, by=BY, progress=quiet)

        compare("nightly_expiry", expire, lambda: by_hand(_EXPIRE), nights.next, "accounts")


if __name__ == "__main__":
    main()
