"""A programme's rule on orders and activities of days gone by: what it would have given, to whom, what that is worth.

Whoever did something is taken for a member from her first fact on, with nothing before it, so her birthdays count from
then on; she is in the tier that what counted in these days took her to. Where there are more customers than `MOST`, an
even share of them stands for all.
"""

from __future__ import annotations

import datetime as dt
import heapq
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from loyalty.earning import State, earn
from loyalty.facts import DayFact, Fact, OrderFact
from loyalty.reading import activities, orders
from loyalty.rules import ProgrammeRule
from loyalty.rules.earning import Yearly
from loyalty.rules.earning.orders import paid
from retention import clock
from retention.bulk import batches
from retention.customers.models import Customer, Order
from retention.incentives.facts import shop_currency
from retention.ledger.days import shop_zone
from retention.ledger.units import UnitRule, months_later
from retention.refusals import Refused

#: Customers that are looked at; more are sampled.
MOST = 10_000
#: Days of one look.
MOST_DAYS = 400
#: Fewer customers say nothing about others.
ENOUGH = 30
CHUNK = 2_000
_DAY = dt.timedelta(days=1)

_CUSTOMERS = """
SELECT count(DISTINCT customer_id) FROM (
    SELECT customer_id FROM customers_order
    WHERE state = ANY(%(states)s) AND placed_at >= %(since)s AND placed_at < %(until)s
    UNION ALL
    SELECT customer_id FROM customers_activity
    WHERE kind = ANY(%(kinds)s) AND occurred_at >= %(since)s AND occurred_at < %(until)s
) facts
"""
_FACTS = """
SELECT coalesce(paid_at, placed_at), TRUE, id FROM customers_order
WHERE state = ANY(%(states)s) AND placed_at >= %(since)s AND placed_at < %(until)s AND customer_id %% %(step)s = 0
UNION ALL
SELECT occurred_at, FALSE, id FROM customers_activity
WHERE kind = ANY(%(kinds)s) AND occurred_at >= %(since)s AND occurred_at < %(until)s AND customer_id %% %(step)s = 0
ORDER BY 1, 2, 3
"""


class BadDays(Refused):
    code = "loyalty.bad_days"
    sentence = _("Choose days gone by, at most %(most)s of them, the first before the last.")
    status = 422


@dataclass(frozen=True)
class Month:
    """What one month of the shop's calendar would have given, and what was paid in it."""

    first: dt.date
    earned: int
    spend_minor: int


@dataclass(frozen=True)
class Looked:
    """What came out, for all customers of these days.

    Attributes:
        spend_minor: what they paid, in the base currency.
        earned: in the unit's smallest part; `by_rule` the same by rule.
        expired: of it, what would have expired by the end of these days if nobody had spent anything.
        worth_minor: what all of it pays at the checkout: the cost if everything were spent.
        owed_minor: the same of what would not have expired: what the shop would owe at the end of these days.
        reward_basis_points: of what was paid, in hundredths of a percent.
        tiers: customers by the tier that they would have reached; "" for none.
        one_in: one of so many customers was looked at.
        is_enough: there were customers enough to say something of others.
    """

    customers: int
    orders: int
    activities: int
    spend_minor: int
    currency: str
    earned: int
    expired: int
    by_rule: dict[str, int]
    worth_minor: int | None
    owed_minor: int | None
    reward_basis_points: int | None
    tiers: dict[str, int]
    months: list[Month]
    one_in: int
    is_enough: bool


def check_days(first: dt.date, last: dt.date, now: dt.datetime) -> None:
    """
    Raises:
        BadDays: not in the past, backwards or too many.
    """
    today = now.astimezone(clock.zone(shop_zone())).date()
    if not first <= last < today or (last - first).days >= MOST_DAYS:
        raise BadDays(most=MOST_DAYS)


def look_back(
    rule: ProgrammeRule,
    unit: UnitRule,
    *,
    first: dt.date,
    last: dt.date,
    now: dt.datetime,
    progress: Callable[[int, int], None] | None = None,
) -> Looked:
    """The rule on the shop's days from `first` to `last`. Writes nothing.

    Raises:
        BadDays: not in the past, backwards or too many.
    """
    check_days(first, last, now)
    zone, currency = shop_zone(), shop_currency()
    params: dict[str, Any] = {
        "states": list(Order.BOUGHT),
        "kinds": sorted(rule.activities),
        "since": clock.local_instant(first, dt.time(), zone),
        "until": clock.local_instant(last + _DAY, dt.time(), zone),
    }
    past = _Past(rule, unit, zone, last)
    # One picture of the facts, however long it takes.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CUSTOMERS, params)
        step = max(1, -(-cursor.fetchone()[0] // MOST))
        cursor.execute(_FACTS, {**params, "step": step})
        found = [(is_order, pk) for _at, is_order, pk in cursor.fetchall()]
        for done, chunk in enumerate(batches(found, CHUNK), start=1):
            facts = _read(chunk, currency)
            past.learn_birthdays(facts)
            for fact in facts:
                past.take(fact)
            if progress:
                progress(min(done * CHUNK, len(found)), len(found))
    past.live_until(params["until"])
    return past.looked(step, currency)


def _read(chunk: Sequence[tuple[bool, int]], currency: str) -> list[Fact]:
    """These facts in the order in which they happened."""
    facts: list[Fact] = [
        *orders([pk for is_order, pk in chunk if is_order], currency),
        *activities([pk for is_order, pk in chunk if not is_order]),
    ]
    places = {each: place for place, each in enumerate(chunk)}
    return sorted(facts, key=lambda fact: places[isinstance(fact, OrderFact), fact.id])


@dataclass
class _Customer:
    """One customer while what she did passes by."""

    state: State
    points: int = 0
    spend: float = 0
    orders: int = 0


@dataclass
class _Past:
    """Everything while it passes by."""

    rule: ProgrammeRule
    unit: UnitRule
    zone: str
    last: dt.date
    orders: int = 0
    activities: int = 0
    expired: int = 0
    #: A code earns once, whoever brings it.
    used: set[tuple[str, str]] = field(default_factory=set)
    customers: dict[int, _Customer] = field(default_factory=dict)
    by_rule: Tally[str] = field(default_factory=Tally)
    earned: Tally[dt.date] = field(default_factory=Tally)
    spend: Tally[dt.date] = field(default_factory=Tally)
    #: Of those who did something, and whom a rule asks for it: (month, day).
    birthdays: dict[int, tuple[int, int]] = field(default_factory=dict)
    #: Days that come once a year and are still ahead: (instant, customer, name), the next one first.
    ahead: list[tuple[dt.datetime, int, str]] = field(default_factory=list)

    def learn_birthdays(self, facts: Sequence[Fact]) -> None:
        of_birthdays = (isinstance(one, Yearly) and one.of == "birthday" for one in self.rule.earning)
        if any(of_birthdays) or any(one.when.in_birth_month for one in self.rule.earning):
            asked = {fact.customer_id for fact in facts} - self.customers.keys()
            rows = Customer.objects.filter(pk__in=asked, birth_month__isnull=False, birth_day__isnull=False)
            self.birthdays |= {
                pk: (month, day) for pk, month, day in rows.values_list("pk", "birth_month", "birth_day")
            }

    def take(self, fact: Fact) -> None:
        self.live_until(fact.happened_at)
        if fact.customer_id not in self.customers:
            month, _day = self.birthdays.get(fact.customer_id, (None, None))
            state = State(zone=self.zone, birth_month=month, used=self.used)
            self.customers[fact.customer_id] = _Customer(state)
            self._look_ahead(fact)
        self._count(fact)

    def live_until(self, at: dt.datetime) -> None:
        """Let the days of members come that begin by then."""
        while self.ahead and self.ahead[0][0] <= at:
            begins, customer, name = heapq.heappop(self.ahead)
            self._count(DayFact(customer, begins, name))

    def _look_ahead(self, fact: Fact) -> None:
        """Her birthdays and anniversaries after her first day; 29 February on the 28th where there is none."""
        joined = fact.happened_at.astimezone(clock.zone(self.zone)).date()
        days = {"joining": (joined.month, joined.day)}
        if fact.customer_id in self.birthdays:
            days["birthday"] = self.birthdays[fact.customer_id]
        for name, (month, day) in days.items():
            for year in range(joined.year, self.last.year + 1):
                on = months_later(dt.date(2024, month, day), 12 * (year - 2024))
                if joined < on <= self.last:
                    begins = clock.local_instant(on, dt.time(), self.zone)
                    heapq.heappush(self.ahead, (begins, fact.customer_id, f"{name}:{year}"))

    def _count(self, fact: Fact) -> None:
        hers = self.customers[fact.customer_id]
        day = fact.happened_at.astimezone(clock.zone(self.zone)).date()
        month = day.replace(day=1)
        earned = earn(fact, self.rule, hers.state)
        total = sum(one.amount for one in earned)
        self.by_rule.update({one.rule_key: one.amount for one in earned})
        self.earned[month] += total
        ends = self.unit.expiry.last_day(day)
        self.expired += total if ends is not None and ends <= self.last else 0
        hers.points += sum(one.amount for one in earned if one.counts_for_tier)
        if isinstance(fact, OrderFact):
            kept = paid(fact, fact.lines, with_shipping=True)
            self.orders += 1
            self.spend[month] += round(kept)
            hers.spend += float(kept)
            hers.orders += kept > 0
        elif not isinstance(fact, DayFact):
            self.activities += 1
        hers.state.tier = self._tier(hers)

    def _tier(self, hers: _Customer) -> str:
        tiers = self.rule.tiers
        if tiers.measure == "invitation":
            return ""
        counted = {"points": hers.points, "spend": int(hers.spend), "orders": hers.orders}[tiers.measure]
        rank = tiers.reached(counted)
        return tiers.steps[rank - 1].key if rank else ""

    def looked(self, step: int, currency: str) -> Looked:
        earned, spend = sum(self.by_rule.values()) * step, sum(self.spend.values()) * step
        is_priced = self.unit.is_payable_in(currency)
        worth = self.unit.in_minor(earned, currency) if is_priced else None
        tiers = Tally(one.state.tier for one in self.customers.values())
        return Looked(
            customers=len(self.customers) * step,
            orders=self.orders * step,
            activities=self.activities * step,
            spend_minor=spend,
            currency=currency,
            earned=earned,
            expired=self.expired * step,
            by_rule={key: amount * step for key, amount in sorted(self.by_rule.items())},
            worth_minor=worth,
            owed_minor=self.unit.in_minor(earned - self.expired * step, currency) if is_priced else None,
            reward_basis_points=worth * 10_000 // spend if worth is not None and spend else None,
            tiers={key: heads * step for key, heads in sorted(tiers.items())},
            months=list(self._months(step)),
            one_in=step,
            is_enough=len(self.customers) >= ENOUGH,
        )

    def _months(self, step: int) -> Iterator[Month]:
        for first in sorted({*self.earned, *self.spend}):
            yield Month(first, self.earned[first] * step, self.spend[first] * step)
