"""A programme's rule on orders of days gone by: what it would have given, to whom, and what that is worth.

Whoever ordered is taken for a member from her first order on, with nothing before it; she is in the tier that what
counted in these days took her to. Where there are more customers than `MOST`, an even share of them stands for all.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter as Tally
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from loyalty.earning import State, earn
from loyalty.facts import OrderFact
from loyalty.reading import orders
from loyalty.rules import ProgrammeRule
from loyalty.rules.earning.orders import paid
from retention import clock
from retention.bulk import batches
from retention.customers.models import Order
from retention.incentives.facts import shop_currency
from retention.ledger.days import shop_zone
from retention.ledger.units import UnitRule
from retention.refusals import Refused

#: Customers that are looked at; more are sampled.
MOST = 10_000
#: Days of one look.
MOST_DAYS = 400
CHUNK = 2_000
_DAY = dt.timedelta(days=1)

_BUYERS = """
SELECT count(DISTINCT customer_id) FROM customers_order
WHERE state = ANY(%(states)s) AND customer_id IS NOT NULL AND placed_at >= %(since)s AND placed_at < %(until)s
"""
_ORDERS = """
SELECT id FROM customers_order
WHERE state = ANY(%(states)s) AND placed_at >= %(since)s AND placed_at < %(until)s AND customer_id %% %(step)s = 0
ORDER BY coalesce(paid_at, placed_at), id
"""


class BadDays(Refused):
    code = "loyalty.bad_days"
    sentence = _("Choose days gone by, at most %(most)s of them, the first before the last.")
    status = 422


@dataclass(frozen=True)
class Looked:
    """What came out, for all customers of these days.

    Attributes:
        spend_minor: what they paid, in the base currency.
        earned: in the unit's smallest part; `by_rule` the same by rule.
        worth_minor: what that pays at the checkout, and so what the shop would owe if nothing were spent or expired.
        reward_basis_points: of what was paid, in hundredths of a percent.
        tiers: customers by the highest tier that they would have reached; "" for none.
        one_in: one of so many customers was looked at.
    """

    customers: int
    orders: int
    spend_minor: int
    currency: str
    earned: int
    by_rule: dict[str, int]
    worth_minor: int | None
    reward_basis_points: int | None
    tiers: dict[str, int]
    one_in: int


def look_back(rule: ProgrammeRule, unit: UnitRule, *, first: dt.date, last: dt.date, now: dt.datetime) -> Looked:
    """The rule on the shop's days from `first` to `last`. Writes nothing.

    Raises:
        BadDays: not in the past, backwards or too many.
    """
    zone, currency = shop_zone(), shop_currency()
    if not first <= last < now.astimezone(clock.zone(zone)).date() or (last - first).days >= MOST_DAYS:
        raise BadDays(most=MOST_DAYS)
    params: dict[str, Any] = {
        "states": list(Order.BOUGHT),
        "since": clock.local_instant(first, dt.time(), zone),
        "until": clock.local_instant(last + _DAY, dt.time(), zone),
    }
    members: dict[int, _Member] = {}
    by_rule: Tally[str] = Tally()
    count = 0
    # One picture of the facts, however long it takes.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_BUYERS, params)
        step = max(1, -(-cursor.fetchone()[0] // MOST))
        cursor.execute(_ORDERS, {**params, "step": step})
        ids = [pk for (pk,) in cursor.fetchall()]
        for chunk in batches(ids, CHUNK):
            for fact in sorted(orders(chunk, currency), key=lambda fact: (fact.happened_at, fact.id)):
                hers = members.setdefault(fact.customer_id, _Member(State(zone=zone)))
                by_rule.update(hers.take(fact, rule))
                count += 1
    earned = sum(by_rule.values()) * step
    spend = round(sum(member.spend for member in members.values())) * step
    worth = unit.in_minor(earned, currency) if unit.is_payable_in(currency) else None
    return Looked(
        customers=len(members) * step,
        orders=count * step,
        spend_minor=spend,
        currency=currency,
        earned=earned,
        by_rule={key: amount * step for key, amount in sorted(by_rule.items())},
        worth_minor=worth,
        reward_basis_points=worth * 10_000 // spend if worth is not None and spend else None,
        tiers={key: heads * step for key, heads in sorted(Tally(one.state.tier for one in members.values()).items())},
        one_in=step,
    )


@dataclass
class _Member:
    """One customer while her orders pass by."""

    state: State
    points: int = 0
    spend: float = 0
    orders: int = 0

    def take(self, fact: OrderFact, rule: ProgrammeRule) -> dict[str, int]:
        earned = earn(fact, rule, self.state)
        kept = paid(fact, fact.lines, with_shipping=True)
        self.points += sum(one.amount for one in earned if one.counts_for_tier)
        self.spend += float(kept)
        self.orders += kept > 0
        counted = {"points": self.points, "spend": int(self.spend), "orders": self.orders}.get(rule.tiers.measure, 0)
        rank = rule.tiers.reached(counted) if rule.tiers.measure != "invitation" else 0
        self.state.tier = rule.tiers.steps[rank - 1].key if rank else ""
        return {one.rule_key: one.amount for one in earned}
