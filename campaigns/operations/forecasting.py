"""What a plan would do and cost within a month, roughly, before it is launched."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Avg, Max
from django.utils.translation import gettext as _

from campaigns.models import Campaign
from campaigns.operations.foreseeing import foresee
from campaigns.plans import Plan
from campaigns.selection import Selection, zones_in_use
from retention import clock
from retention.customers.models import Customer, CustomerStats, Order
from retention.incentives.models import Counter as LimitCounter
from retention.incentives.models import Incentive
from retention.incentives.rules import Benefit
from retention.incentives.versions import rule_of
from retention.shop.models import Shop
from retention.work.querysets import shop_zone

#: How far a forecast looks, ahead or back.
FORECAST_DAYS = 30


def left_to_issue(incentive_id: int) -> int:
    """How many more grants an incentive allows in all."""
    incentive = Incentive.objects.get(pk=incentive_id)
    limit = rule_of(incentive.version_id).limits.issued
    if not limit:
        return 2**62
    issued = LimitCounter.objects.filter(incentive_id=incentive_id, scope="issue", subject_id=0, currency="")
    return max(0, limit - sum(issued.values_list("issued", flat=True)))


@dataclass
class Forecast:
    """Roughly what a plan would do.

    Attributes:
        is_ahead: of the next days; False: of the last ones, as a measure, because nobody knows who will sign up.
        heads: customers who would be reached; None where counting took too long.
        skipped: reason code → how many.
        later: of the heads, who would begin only after these days, because no more are touched a day.
        steps: how many of the heads would take each step, if nobody leaves before; all of them where it is empty.
        cost_minor: what it gives away at most, if everyone uses hers once; None where that cannot be said.
        cost_words: which figure that is.
        sample: some of those who would be reached.
    """

    days: int
    is_ahead: bool
    heads: int | None = None
    skipped: Counter = field(default_factory=Counter)
    later: int = 0
    steps: list[int] = field(default_factory=list)
    cost_minor: int | None = None
    currency: str = ""
    cost_words: str = ""
    sample: list[Customer] = field(default_factory=list)


def forecast(*, campaign: Campaign, plan: Plan, now: dt.datetime) -> Forecast:
    """Heads by step, skips by reason and cost of a plan for a month, whether or not it was launched. Changes nothing.

    The first step's segment, limits, ramp and shares are kept as far as today's facts say; what customers will do
    until a step comes is not.
    """
    of, zone, days = plan.of, shop_zone(), dt.timedelta(days=FORECAST_DAYS)
    last = of.last_due_at(plan.cleaned_args(), zone)
    found = Forecast(days=FORECAST_DAYS, is_ahead=of.is_foreseeable)
    if of.is_foreseeable:
        opens_at = max(now, plan.starts_at or now) if campaign.launched_at is None else now
        since = of.opens_at(plan.cleaned_args(), opens_at) if campaign.launched_at is None else now
        until = max(opens_at + days, last + dt.timedelta(seconds=1)) if last else opens_at + days
    else:
        opens_at, since, until = now - days, now - days, now
    selection = Selection.of(campaign, plan, shop_zone=zone, now=now, opens_at=opens_at)
    selection = selection.with_late_before(opens_at)
    last_id = Customer.objects.aggregate(last=Max("pk"))["last"] or 0
    due = selection.due(since, until, from_id=0, until_id=last_id + 1, zones=zones_in_use())
    if due is None:
        found.heads = 0
        return found
    starts = _days(opens_at, until, zone)
    seen = foresee(campaign, plan, due, as_of=now if found.is_ahead else None, days=starts, now=now)
    found.heads, found.skipped, found.steps = seen.heads, seen.skipped, seen.steps
    if plan.limits.touches_a_day is not None:
        found.later = _later(seen.by_day, len(starts), plan.limits.touches_a_day)
    by_id = Customer.objects.in_bulk(seen.sample)
    found.sample = [by_id[pk] for pk in seen.sample]
    price(found, plan)
    return found


def _days(since: dt.datetime, until: dt.datetime, zone: str) -> list[dt.datetime]:
    """When each of the shop's days begins of which some part lies within."""
    first, last = (at.astimezone(clock.zone(zone)).date() for at in (since, until))
    return [
        clock.local_instant(first + dt.timedelta(days=n), dt.time.min, zone) for n in range((last - first).days + 1)
    ]


def _later(by_day: Mapping[int, int], days: int, most: int) -> int:
    """Who is left when each day took as many as it may, those of the days before first."""
    waiting = by_day.get(0, 0)
    for day in range(1, days + 1):
        waiting = max(0, waiting + by_day.get(day, 0) - most)
    return waiting


def price(found: Forecast, plan: Plan) -> None:
    """At most: every head uses each of her codes once. A percentage and free shipping are those of an average order."""
    shop = Shop.objects.first()
    incentives = Incentive.objects.in_bulk([step.incentive for step in plan.steps if step.incentive])
    if not incentives or shop is None:
        return
    found.currency, found.cost_minor = shop.currency, 0
    average = CustomerStats.objects.aggregate(average=Avg("average_order_minor"))["average"]
    usual, shipping, words = average and round(average), average_shipping(shop.currency), []
    for index, step in enumerate(plan.steps):
        if step.incentive is None:
            continue
        incentive = incentives[step.incentive]
        one, sentence = cost_of_one(rule_of(incentive.version_id), shop.currency, usual, shipping)
        if one is None:
            found.cost_minor, found.cost_words = None, sentence
            return
        heads = found.steps[index] if found.steps else found.heads
        found.cost_minor += one * min(heads, left_to_issue(incentive.pk))
        words.append(sentence)
    found.cost_words = "; ".join(dict.fromkeys(words))


#: Orders whose shipping is asked for.
LATEST = 1_000
#: Kinds of effects that give an amount as a whole.
_WHOLE_AMOUNTS = frozenset({"amount", "cash_back", "gift_card", "store_credit", "cash"})


def average_shipping(currency: str) -> int | None:
    """What shipping came to in the latest orders in this currency, on average; None without any."""
    orders = Order.objects.filter(currency=currency, state__in=Order.BOUGHT).order_by("-placed_at")
    average = orders[:LATEST].aggregate(average=Avg("shipping_minor"))["average"]
    return None if average is None else round(average)


def cost_of_one(rule: Any, currency: str, average: int | None, shipping: int | None = None) -> tuple[int | None, str]:
    """What one use costs at most, and in words how that is known; None where nobody can say.

    `average` and `shipping` are what an order and its shipping come to, in minor units; None: not known.
    """
    total, words = 0, []
    for effect in rule.effects:
        cap = getattr(effect, "cap", {}).get(currency)
        amounts = getattr(effect, "amounts", {})
        points = 10_000 if effect.kind == "free_shipping" else getattr(effect, "basis_points", 0)
        scope = getattr(effect, "scope", None)
        is_of_shipping = effect.kind == "free_shipping" or scope is not None and scope.on == "shipping"
        if is_of_shipping and points and shipping is not None:
            share = shipping * points // 10_000
            total += min(share, cap) if cap is not None else share
            words.append(_("the shipping of an average order, for everyone who is reached"))
        elif effect.kind in _WHOLE_AMOUNTS and not getattr(effect, "is_per_unit", False) and currency in amounts:
            total += amounts[currency]
            words.append(_("the whole amount, for everyone who is reached"))
        elif effect.kind in ("percent", "cash_back") and points and not is_of_shipping and average is not None:
            share = average * points // 10_000
            total += min(share, cap) if cap is not None else share
            words.append(_("its share of the average order, for everyone who is reached"))
        elif cap is not None:
            total += cap
            words.append(_("its cap, for everyone who is reached"))
        elif isinstance(effect, Benefit) and not hasattr(effect, "amounts"):
            words.append(_("what has no price is not counted"))
        else:
            return None, _("What “%(name)s” costs depends on each order; it has no cap.") % {"name": rule.name}
    return total, _(" and ").join(words)
