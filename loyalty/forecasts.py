"""What lies ahead of members: the next tier, what is missing to it, and what keeps the one they have."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from loyalty.counted import Asked, counted
from loyalty.ladders import Ladder, ladder_of
from loyalty.models import Member, Programme
from loyalty.rules import TierRules
from loyalty.rules.tiers import Forecast, forecast
from retention import money
from retention.ledger.units import UnitRule
from retention.shop.models import Shop


def forecasts(members: Sequence[Member], *, now: dt.datetime) -> dict[int, Forecast]:
    """Member → her forecast, by two statements for each programme among them."""
    by_programme: dict[int, list[Member]] = defaultdict(list)
    for member in members:
        by_programme[member.programme_id].append(member)
    found: dict[int, Forecast] = {}
    for hers in by_programme.values():
        found.update(_of_one(ladder_of(hers[0].programme), hers, now))
    return found


def _of_one(ladder: Ladder, members: Sequence[Member], now: dt.datetime) -> dict[int, Forecast]:
    rules = ladder.rules
    sums = counted(ladder.measure, [Asked(one.pk, one.customer_id, ladder.since(now)) for one in members])
    lasts = {one.pk: ladder.last_day(one) for one in members}
    asked = [
        Asked(one.pk, one.customer_id, rules.counts_from(last, ladder.zone))
        for one in members
        if (last := lasts[one.pk])
    ]
    kept = counted(ladder.measure, asked) if asked else {}
    return {
        one.pk: forecast(
            rules, rank=ladder.rank(one), counted=sums[one.pk], kept=kept.get(one.pk, 0), last_day=lasts[one.pk]
        )
        for one in members
    }


def show_counted(rules: TierRules, amount: int, *, unit: UnitRule, currency: str, language: str = "en") -> str:
    """So much of what counts as readers of the language read it: "320 Points", "€320.00"; of orders the number."""
    if rules.measure == "points":
        return unit.show(amount, language)
    return money.show(amount, currency, language) if rules.measure == "spend" else str(amount)


def parts(programme: Programme, rules: TierRules) -> int:
    """How many of the smallest part of what counts are one of what people say."""
    if rules.measure == "points":
        return 10**programme.unit.digits
    currency = Shop.objects.values_list("currency", flat=True).first() or "EUR"
    return 10 ** money.digits(currency) if rules.measure == "spend" else 1
