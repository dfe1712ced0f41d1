"""What a campaign would do: exactly, for a run at a given time; or roughly, for a month, before it is launched."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.models import Avg, Max
from django.utils.translation import gettext as _

from campaigns.models import Campaign, Reach, Touch
from campaigns.operations.reaching import Figures, window_of
from campaigns.plans import Plan, running_plan
from campaigns.selection import Selection, Sql, zones_in_use
from campaigns.settled import settled
from retention.customers.models import Customer, CustomerStats
from retention.incentives.models import Counter as LimitCounter
from retention.incentives.models import Incentive
from retention.incentives.rules import Benefit
from retention.incentives.versions import rule_of
from retention.marks import safe_mark
from retention.shop.models import Shop
from retention.work.querysets import shop_zone

#: How far a forecast looks, ahead or back.
FORECAST_DAYS = 30
SAMPLE = 10
#: A forecast on a page gives up after so long.
MOST_MS = 15_000


@dataclass(frozen=True)
class Due:
    """One customer who would be touched, or skipped with a reason."""

    campaign_id: int
    customer_id: int
    occasion: str
    reason: str

    def as_json(self) -> dict[str, Any]:
        return {
            "campaign": self.campaign_id,
            "customer": self.customer_id,
            "occasion": self.occasion,
            "skipped": self.reason,
        }


def preview(*, campaign_id: int, now: dt.datetime) -> tuple[Figures, list[Due]]:
    """What `reach` would do at `now`: its figures and everyone it would touch or skip. Changes and locks nothing."""
    campaign = Campaign.objects.select_related("approved_version", "reach").get(pk=campaign_id)
    figures, found = Figures(), []
    if campaign.state not in (Campaign.State.LIVE, Campaign.State.SCHEDULED):
        return figures, found
    plan = running_plan(campaign)
    for reached in _looks(campaign.reach, plan, now):
        window = window_of(reached, plan, now)
        if window is None or window["since"] >= window["until"]:
            continue
        selection = Selection.of(campaign, plan, shop_zone=shop_zone(), now=now, opens_at=reached.opens_at)
        last_id = Customer.objects.aggregate(last=Max("pk"))["last"] or 0
        due = selection.due(**window, from_id=reached.position, until_id=last_id + 1)
        if due is not None:
            found += _rows(campaign_id, due)
    figures.due = len(found)
    figures.skipped = Counter(row.reason for row in found if row.reason)
    figures.touched = figures.due - sum(figures.skipped.values())
    _count_steps(campaign, plan, figures, now)
    return figures, found


def _looks(reached: Reach, plan: Plan, now: dt.datetime) -> list[Reach]:
    """The looks that a run at `now` would take, as the `Reach` stands at the begin of each."""
    if reached.phase != Reach.Phase.REST:
        rest = [reached.phase] if reached.phase == Reach.Phase.LATE else [Reach.Phase.FRESH, Reach.Phase.LATE]
        looks = [_copy(reached, phase=phase, position=0) for phase in rest]
        looks[0].position = reached.position
        reached = _copy(reached, phase=Reach.Phase.REST, at=reached.until, mark=reached.until_mark, position=0)
        return looks + _looks(reached, plan, now)
    until = min(now, plan.ends_at) if plan.ends_at else now
    if now < reached.opens_at:
        return []
    opened = {"until": max(until, reached.at), "until_mark": safe_mark(), "position": 0}
    return [_copy(reached, phase=phase, **opened) for phase in (Reach.Phase.FRESH, Reach.Phase.LATE)]


def _copy(reached: Reach, **changes: Any) -> Reach:
    values = {name.attname: getattr(reached, name.attname) for name in Reach._meta.concrete_fields}
    return Reach(**{**values, **changes})


def _rows(campaign_id: int, due: Sql) -> list[Due]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT customer_id, occasion, reason FROM ({due.text}) x ORDER BY 1, 2", due.params)  # noqa: S608
        return [Due(campaign_id, *row) for row in cursor.fetchall()]


def _count_steps(campaign: Campaign, plan: Plan, figures: Figures, now: dt.datetime) -> None:
    """What the first step gives and says to those due, and other steps to those whose wait is over by then."""
    waiting = Touch.objects.filter(campaign=campaign, state=Touch.State.DUE, next_at__lte=now)
    steps = dict(waiting.values_list("pk", "step"))
    gone = settled(steps)
    figures.skipped.update(gone.values())
    taken = Counter(step for pk, step in steps.items() if pk not in gone)
    if not plan.steps[0].wait.delay and not plan.steps[0].wait.is_by_her_clock:
        taken[0] += figures.touched
    for index, count in sorted(taken.items()):
        if index >= len(plan.steps):
            continue
        step = plan.steps[index]
        served = min(count, left_to_issue(step.incentive)) if step.incentive else count
        figures.granted += served if step.incentive else 0
        figures.queued += served if step.messages else 0
        if served < count:
            figures.skipped["incentives.all_issued"] += count - served
            figures.touched -= (count - served) if index == 0 else 0


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
        cost_minor: what it gives away at most, if everyone uses hers once; None where that cannot be said.
        cost_words: which figure that is.
        sample: some of those who would be reached.
    """

    days: int
    is_ahead: bool
    heads: int | None = None
    skipped: Counter = field(default_factory=Counter)
    cost_minor: int | None = None
    currency: str = ""
    cost_words: str = ""
    sample: list[Customer] = field(default_factory=list)


def forecast(*, campaign: Campaign, plan: Plan, now: dt.datetime) -> Forecast:
    """Heads, skips by reason and cost of a plan for a month, whether or not it was launched. Changes nothing."""
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
    counts, ids = _counted(due)
    if counts is None:
        return found
    found.heads = counts.pop("", 0)
    found.skipped = counts
    by_id = Customer.objects.in_bulk(ids)
    found.sample = [by_id[pk] for pk in ids]
    price(found, plan)
    return found


def _counted(due: Sql) -> tuple[Counter | None, list[int]]:
    statement = f"""
        WITH due AS MATERIALIZED ({due.text})
        SELECT reason, count(*), (array_agg(customer_id ORDER BY customer_id))[1:{SAMPLE}] FROM due GROUP BY reason
    """  # noqa: S608
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, due.params)
        rows = cursor.fetchall()
    ids = next((ids for reason, _count, ids in rows if not reason), [])
    return Counter({reason: count for reason, count, _ids in rows}), list(dict.fromkeys(ids))


def price(found: Forecast, plan: Plan) -> None:
    """At most: every head uses each of her codes once. A percentage is taken of the average order."""
    shop = Shop.objects.first()
    incentives = Incentive.objects.in_bulk([step.incentive for step in plan.steps if step.incentive])
    if not incentives or shop is None:
        return
    found.currency, found.cost_minor = shop.currency, 0
    average = CustomerStats.objects.aggregate(average=Avg("average_order_minor"))["average"]
    words = []
    for step in plan.steps:
        if step.incentive is None:
            continue
        incentive = incentives[step.incentive]
        one, sentence = cost_of_one(rule_of(incentive.version_id), shop.currency, average and round(average))
        if one is None:
            found.cost_minor, found.cost_words = None, sentence
            return
        found.cost_minor += one * min(found.heads, left_to_issue(incentive.pk))
        words.append(sentence)
    found.cost_words = "; ".join(words)


#: Kinds of effects that give an amount as a whole.
_WHOLE_AMOUNTS = frozenset({"amount", "cash_back", "gift_card", "store_credit", "cash"})


def cost_of_one(rule: Any, currency: str, average: int | None) -> tuple[int | None, str]:
    total, words = 0, []
    for effect in rule.effects:
        cap = getattr(effect, "cap", {}).get(currency)
        amounts = getattr(effect, "amounts", {})
        if effect.kind in _WHOLE_AMOUNTS and not getattr(effect, "is_per_unit", False) and currency in amounts:
            total += amounts[currency]
            words.append(_("the whole amount, for everyone who is reached"))
        elif effect.kind in ("percent", "cash_back") and effect.basis_points and average is not None:
            share = average * effect.basis_points // 10_000
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
