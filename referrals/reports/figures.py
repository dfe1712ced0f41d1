"""The report of a period: the formulas over the figures that were read; and the shop's own figures for an estimate."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from referrals.models import Scheme
from referrals.reports.formulas import Inputs, cost_per_customer, k_factor, roi
from referrals.reports.reading import Funnel, Leader, Period, Worth, all_schemes, funnel, leaders, months, worths
from referrals.versions import rule_of
from retention import clock, money
from retention.customers.models import CustomerStats
from retention.experiments.means import Amounts, mean_difference
from retention.experiments.rates import Difference
from retention.incentives.models import Incentive
from retention.incentives.versions import rule_of as incentive_rule_of
from retention.ledger.models import Unit
from retention.ledger.versions import rule_of as unit_rule_of
from retention.shop.models import Shop
from retention.work.querysets import shop_zone

YEAR = dt.timedelta(days=365)
#: Fewer than so many of a kind are no figure of one's own.
ENOUGH = 20
#: What is taken for granted where the shop has no figures yet: cautious ones.
ASSUMED = {"joins": 0.05, "invitations": 3.0, "conversion": 0.08}


@dataclass(frozen=True)
class Report:
    """Of one period. `running_minor` is the whole period's; `referred` and `others` are worth over the same days."""

    period: Period
    funnel: Funnel
    leaders: list[Leader]
    months: list[tuple[dt.date, int, int]]
    referred: Worth
    others: Worth
    difference: Difference
    running_minor: int

    @property
    def k(self) -> float | None:
        return k_factor(
            users=self.funnel.advocates, invitations=self.funnel.invitations, converted=self.funnel.won
        )  # fmt: skip

    @property
    def cac_minor(self) -> int | None:
        return cost_per_customer(
            reward_minor=self.funnel.reward_minor, running_minor=self.running_minor, converted=self.funnel.won
        )

    @property
    def roi(self) -> float | None:
        """Of all: a friend's worth by now, against what one cost."""
        if not self.funnel.won or self.cac_minor is None:
            return None
        return roi(
            ltv_minor=self.funnel.spend_minor / self.funnel.won, k=self.k or 0.0, reward_minor=self.cac_minor
        )  # fmt: skip

    def roi_of(self, leader: Leader) -> float | None:
        """Of one advocate: her friends' worth against what they cost, with her part of the running cost."""
        if not leader.won:
            return None
        share = self.running_minor * leader.won / self.funnel.won if self.funnel.won else 0
        reward = (leader.reward_minor + share) / leader.won
        return roi(ltv_minor=leader.spend_minor / leader.won, k=self.k or 0.0, reward_minor=reward)


@dataclass(frozen=True)
class Defaults:
    """What an estimate begins with, and which of it is no figure of the shop's own."""

    inputs: Inputs
    assumed: tuple[Any, ...]


def report_of(
    *, scheme: Scheme | None, first: dt.date, last: dt.date, days: int, running_minor: int, now: dt.datetime
) -> Report:
    """From one day of the shop to another, both included; `running_minor` is a month's."""
    zone = shop_zone()
    starts = clock.local_instant(first, dt.time(), zone)
    ends = clock.local_instant(last + dt.timedelta(days=1), dt.time(), zone)
    period = Period((scheme.pk,) if scheme else all_schemes(), starts, ends, now)
    referred, others = worths(period, days=days)
    lasted = max(dt.timedelta(), min(ends, now) - starts)
    return Report(
        period=period,
        funnel=funnel(period),
        leaders=leaders(period),
        months=months(period),
        referred=referred,
        others=others,
        difference=mean_difference(Amounts(**vars(referred)), Amounts(**vars(others))),
        running_minor=money.round_half_up(Decimal(running_minor) * 12 * (lasted // dt.timedelta(days=1)) / 365),
    )


def estimate_defaults(scheme: Scheme | None, *, now: dt.datetime) -> Defaults:
    """The last year's own figures where there are enough; else cautious ones, which are named."""
    period = Period(all_schemes(), now - YEAR, now, now)
    came = funnel(period)
    _referred, others = worths(Period(period.scheme_ids, now - 2 * YEAR, now - YEAR, now), days=365)
    customers = CustomerStats.objects.filter(last_order_at__gte=now - YEAR).count()
    assumed = []
    joins, invitations, conversion = ASSUMED["joins"], ASSUMED["invitations"], ASSUMED["conversion"]
    if came.advocates >= ENOUGH and came.invitations >= ENOUGH:
        joins = min(1.0, came.advocates / customers) if customers else joins
        invitations, conversion = came.invitations / came.advocates, min(1.0, came.won / came.invitations)
    else:
        assumed += [_("how many share their link"), _("how many they invite"), _("how many of these come")]
    if others.mean_minor is None:
        assumed.append(_("what a friend spends"))
    assumed.append(_("your margin"))
    friend, advocate, unknown = _rewards(scheme, int(others.mean_minor or 0))
    if unknown:
        assumed.append(_("what the rewards cost"))
    return Defaults(
        Inputs(customers, joins, invitations, conversion, int(others.mean_minor or 0), friend, advocate, margin=0.5),
        tuple(assumed),
    )


def _rewards(scheme: Scheme | None, spent_minor: int) -> tuple[int, int, bool]:
    """(what the friend's is worth, what the advocate's, whether either is not known) in the base currency."""
    if scheme is None or scheme.version_id is None:
        return 0, 0, True
    rule = rule_of(scheme.version_id)
    level = rule.level_at(1)
    ids = (rule.friend_incentive, level.incentive_id if level else None)
    worth = [worth_of(each, spent_minor) if each else 0 for each in ids]
    return worth[0] or 0, worth[1] or 0, None in worth or rule.kind == "partners"


def worth_of(incentive_id: int, spent_minor: int) -> int | None:
    """What an incentive is worth at its face, in the base currency; a percentage is of what a friend spends.

    None: it says nothing in that currency.
    """
    currency = Shop.objects.get().currency
    incentive = Incentive.objects.filter(pk=incentive_id).first()
    if incentive is None or incentive.version_id is None:
        return None
    found = 0
    for effect in incentive_rule_of(incentive.version_id).effects:
        if effect.kind == "percent":
            found += spent_minor * effect.basis_points // 10_000
        elif currency in (getattr(effect, "amounts", None) or {}):
            found += effect.amounts[currency]
        elif effect.kind == "points" and (worth := _points_worth(effect.unit, effect.points or 0, currency)):
            found += worth
        else:
            return None
    return found


def _points_worth(key: str, points: int, currency: str) -> int | None:
    unit = Unit.objects.filter(key=key).select_related("version").first()
    rule = unit_rule_of(unit) if unit else None
    return rule.in_minor(points, currency) if rule and rule.is_payable_in(currency) else None
