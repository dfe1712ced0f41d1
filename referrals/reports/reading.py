"""The figures of referrals within a period, as sets: what came, what it brought, what was given, who brought most.

Money is of the base currency, in minor units. A friend is won once she did what the scheme asks for and it stood: not
those who were rejected, lapsed or gave everything back. What was given is counted as it was used or credited:
discounts of redeemed codes, credit and points less what was taken back, and partners' commissions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from referrals.models import Scheme
from retention import clock, money
from retention.customers.models import Order
from retention.ledger.models import Unit
from retention.ledger.units import months_later
from retention.ledger.versions import rule_of as unit_rule_of
from retention.shop.models import ExchangeRate, Shop

#: An accuracy of units' worth that is more than any currency needs.
_SCALE = 10**9

_BROUGHT = """
brought AS MATERIALIZED (
    SELECT referral.*, scheme.kind,
           referral.qualified_at IS NOT NULL AND referral.state IN ('hold', 'review', 'approved', 'rewarded') AS is_won
    FROM referrals_referral referral JOIN referrals_scheme scheme ON scheme.id = referral.scheme_id
    WHERE referral.scheme_id = ANY(%(schemes)s)
      AND referral.claimed_at >= %(starts)s AND referral.claimed_at < %(ends)s
)"""
# What each referral cost, by what was used or credited.
_COSTS = """
given AS (
    SELECT brought.id AS referral_id, each.grant_id, each.at
    FROM brought CROSS JOIN LATERAL (
        VALUES (brought.friend_grant_id, brought.claimed_at), (brought.advocate_grant_id, brought.ended_at)
    ) AS each (grant_id, at)
    WHERE each.grant_id IS NOT NULL
), cost AS MATERIALIZED (
    SELECT given.referral_id, redemption.redeemed_at AS at,
           redemption.base_minor::numeric * (used.discount_minor - used.given_back_minor) / redemption.discount_minor
               AS minor
    FROM given
    JOIN incentives_code code ON code.grant_id = given.grant_id
    JOIN incentives_use used ON used.code_id = code.id
    JOIN incentives_redemption redemption ON redemption.id = used.redemption_id
    WHERE redemption.state = 'redeemed' AND redemption.discount_minor > 0
  UNION ALL
    SELECT given.referral_id, entry.effective_at, (entry.amount - coalesce((
               SELECT sum(undone.amount) FROM ledger_entry undone WHERE undone.reverses_id = entry.id), 0))
           * unit.worth / %(scale)s::numeric
    FROM given
    JOIN ledger_entry entry ON entry.origin = 'incentives.grant' AND entry.origin_id = given.grant_id
     AND entry.verb = 'issue'
    JOIN unnest(%(units)s::bigint[], %(worths)s::bigint[]) AS unit (id, worth) ON unit.id = entry.unit_id
  UNION ALL
    SELECT brought.id, commission.earned_at,
           (commission.amount_minor - commission.taken_back_minor)::numeric / nullif(commission.of_minor, 0)
           * commission.paid_minor * bought.base_minor / nullif(bought.total_minor, 0)
    FROM brought
    JOIN referrals_commission commission ON commission.referral_id = brought.id
    JOIN customers_order bought ON bought.id = brought.order_id
)"""
# What friends have paid since they came, less what came back.
_SPEND = """
spend AS MATERIALIZED (
    SELECT brought.id AS referral_id, bought.placed_at AS at, bought.base_minor - coalesce((
               SELECT sum(back.base_minor) FROM customers_return back WHERE back.order_id = bought.id), 0) AS minor
    FROM brought JOIN customers_order bought ON bought.customer_id = brought.friend_id
     AND bought.placed_at >= brought.since_at AND bought.placed_at <= %(now)s
    WHERE bought.state = ANY(%(bought)s)
)"""
_FUNNEL = f"""
WITH {_BROUGHT}, {_COSTS}, {_SPEND}, visited AS (
    SELECT DISTINCT visit.advocate_id, coalesce(visit.visitor_key, visit.id::text) AS visitor
    FROM referrals_visit visit JOIN referrals_advocate advocate ON advocate.id = visit.advocate_id
    WHERE advocate.scheme_id = ANY(%(schemes)s) AND visit.visited_at >= %(starts)s AND visit.visited_at < %(ends)s
)
SELECT (SELECT count(*) FROM referrals_advocate WHERE scheme_id = ANY(%(schemes)s) AND joined_at < %(ends)s),
       (SELECT count(*) FROM visited)
           + (SELECT count(*) FROM brought WHERE visit_id IS NULL),
       count(*), count(*) FILTER (WHERE is_won), count(*) FILTER (WHERE state = 'rewarded'),
       count(*) FILTER (WHERE state = 'rejected'), count(*) FILTER (WHERE state = 'reversed'),
       count(*) FILTER (WHERE state IN ('claimed', 'pending', 'hold', 'review', 'approved')),
       (SELECT coalesce(sum(minor), 0) FROM spend), (SELECT coalesce(round(sum(minor)), 0) FROM cost)
FROM brought
"""  # noqa: S608
_LEADERS = f"""
WITH {_BROUGHT}, {_COSTS}, {_SPEND}, costs AS (
    SELECT referral_id, sum(minor) AS minor FROM cost GROUP BY referral_id
), spends AS (
    SELECT referral_id, sum(minor) AS minor FROM spend GROUP BY referral_id
), led AS (
    SELECT brought.advocate_id, count(*) AS friends, count(*) FILTER (WHERE brought.is_won) AS won,
           coalesce(sum(spends.minor), 0) AS spend, coalesce(sum(costs.minor), 0) AS cost
    FROM brought LEFT JOIN costs ON costs.referral_id = brought.id LEFT JOIN spends ON spends.referral_id = brought.id
    GROUP BY brought.advocate_id
    ORDER BY spend DESC, won DESC, brought.advocate_id LIMIT %(most)s
)
SELECT led.advocate_id, advocate.code, advocate.customer_id, advocate.partner_id, led.friends, led.won,
       led.spend, round(led.cost)
FROM led JOIN referrals_advocate advocate ON advocate.id = led.advocate_id
ORDER BY led.spend DESC, led.won DESC, led.advocate_id
"""  # noqa: S608
_MONTHS = f"""
WITH {_BROUGHT}, {_COSTS}, {_SPEND}, moved AS (
    SELECT at, minor AS spend, 0 AS cost FROM spend UNION ALL SELECT at, 0, minor FROM cost
)
SELECT month.at, coalesce(sum(moved.spend), 0), coalesce(round(sum(moved.cost)), 0)
FROM unnest(%(months)s::date[], %(from)s::timestamptz[], %(until)s::timestamptz[]) AS month (at, starts, ends)
LEFT JOIN moved ON moved.at >= month.starts AND moved.at < month.ends AND moved.at <= %(now)s
GROUP BY month.at ORDER BY month.at
"""  # noqa: S608
# Everybody whose first order lies in the period and whose days are over, brought or not: the same days for all of them.
_LTV = """
WITH brought AS (
    SELECT DISTINCT friend_id FROM referrals_referral
    WHERE scheme_id = ANY(%(schemes)s) AND state NOT IN ('rejected', 'claimed')
), cohort AS (
    SELECT stats.customer_id, stats.first_order_at, brought.friend_id IS NOT NULL AS is_brought
    FROM customers_customerstats stats
    JOIN customers_customer customer ON customer.id = stats.customer_id AND customer.merged_into_id IS NULL
    LEFT JOIN brought ON brought.friend_id = stats.customer_id
    WHERE stats.first_order_at >= %(starts)s AND stats.first_order_at < %(ends)s
      AND stats.first_order_at + %(days)s <= %(now)s
      -- Brought by another scheme is neither.
      AND (brought.friend_id IS NOT NULL
           OR NOT EXISTS (SELECT FROM referrals_referral other WHERE other.friend_id = stats.customer_id))
), paid AS (
    SELECT cohort.customer_id, sum(bought.base_minor - coalesce((
               SELECT sum(back.base_minor) FROM customers_return back WHERE back.order_id = bought.id), 0)) AS minor
    FROM cohort JOIN customers_order bought ON bought.customer_id = cohort.customer_id
     AND bought.placed_at >= cohort.first_order_at AND bought.placed_at < cohort.first_order_at + %(days)s
    WHERE bought.state = ANY(%(bought)s)
    GROUP BY cohort.customer_id
)
SELECT is_brought, count(*), coalesce(sum(minor), 0)::float8, coalesce(sum(minor ^ 2), 0)::float8,
       coalesce(sum(minor ^ 3), 0)::float8
FROM cohort LEFT JOIN paid USING (customer_id) GROUP BY is_brought
"""


@dataclass(frozen=True)
class Period:
    """From `starts` on and before `ends`, by when referrals were claimed; of these schemes."""

    scheme_ids: tuple[int, ...]
    starts: dt.datetime
    ends: dt.datetime
    now: dt.datetime


@dataclass(frozen=True)
class Funnel:
    """`invitations`: different visitors by links, and friends who typed a code without one."""

    advocates: int
    invitations: int
    friends: int
    won: int
    rewarded: int
    rejected: int
    reversed: int
    open: int
    spend_minor: int
    reward_minor: int


@dataclass(frozen=True)
class Leader:
    advocate_id: int
    code: str
    customer_id: int | None
    partner_id: int | None
    friends: int
    won: int
    spend_minor: int
    reward_minor: int


@dataclass(frozen=True)
class Worth:
    """What customers of one kind spent within the same days after their first order: number, and sums of powers."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    cubes: float = 0.0

    @property
    def mean_minor(self) -> float | None:
        return self.total / self.count if self.count else None


def funnel(period: Period) -> Funnel:
    ((*counts, spend, cost),) = _rows(_FUNNEL, period)
    return Funnel(*counts, spend_minor=int(spend), reward_minor=int(cost))


def leaders(period: Period, *, most: int = 50) -> list[Leader]:
    """Advocates by what their friends spent."""
    rows = _rows(_LEADERS, period, most=most)
    return [Leader(*row[:6], spend_minor=int(row[6]), reward_minor=int(row[7])) for row in rows]


def months(period: Period) -> list[tuple[dt.date, int, int]]:
    """(first of the month by the shop's clock, what friends spent in it, what was given in it): up to now."""
    zone = Shop.objects.get().time_zone
    firsts = [period.starts.astimezone(clock.zone(zone)).date().replace(day=1)]
    while clock.local_instant(months_later(firsts[-1], 1), dt.time(), zone) <= period.now:
        firsts.append(months_later(firsts[-1], 1))
    bounds = [clock.local_instant(day, dt.time(), zone) for day in (*firsts, months_later(firsts[-1], 1))]
    rows = _rows(_MONTHS, period, months=firsts, **{"from": bounds[:-1], "until": bounds[1:]})
    return [(month, int(spend), int(cost)) for month, spend, cost in rows]


def worths(period: Period, *, days: int) -> tuple[Worth, Worth]:
    """(referred, others): customers whose first order lies in the period and whose days after it are over."""
    found = {row[0]: Worth(*row[1:]) for row in _rows(_LTV, period, days=dt.timedelta(days=days))}
    return found.get(True, Worth()), found.get(False, Worth())


def all_schemes() -> tuple[int, ...]:
    return tuple(Scheme.objects.exclude(state=Scheme.State.DRAFT).values_list("pk", flat=True))


def unit_worths(now: dt.datetime) -> tuple[list[int], list[int]]:
    """Units, and what a smallest part of each is worth in the base currency's, times `_SCALE`, by the latest rates."""
    base = Shop.objects.get().currency
    latest = ExchangeRate.objects.filter(on__lte=now.date()).order_by("currency", "-on").distinct("currency")
    rates = {base: 1.0, **{rate.currency: float(rate.rate) for rate in latest}}
    found: dict[int, int] = {}
    for unit in Unit.objects.select_related("version"):
        rule = unit_rule_of(unit)
        if rule.kind == "money" and rule.currency in rates:
            # Minor units of one currency in minor units of the other: yen have no decimal places.
            digits = money.digits(base) - money.digits(rule.currency)
            found[unit.pk] = int(_SCALE * rates[rule.currency] * 10**digits)
        elif base in rule.worth:
            found[unit.pk] = _SCALE * rule.worth[base] // rule.worth_points
    return list(found), list(found.values())


def _rows(statement: str, period: Period, **more: Any) -> Sequence[tuple[Any, ...]]:
    units, worths_ = unit_worths(period.now)
    params = {
        "schemes": list(period.scheme_ids), "starts": period.starts, "ends": period.ends, "now": period.now,
        "units": units, "worths": worths_, "scale": _SCALE, "bought": list(Order.BOUGHT), **more,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()
