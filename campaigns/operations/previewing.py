"""What a run of a campaign would do at a given time."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Max

from campaigns.models import Campaign, Reach, Touch
from campaigns.operations.forecasting import left_to_issue
from campaigns.operations.foreseeing import foresee
from campaigns.operations.reaching import Figures, window_of
from campaigns.plans import AT_ONCE, Plan, running_plan
from campaigns.selection import HELD, HELD_OUT, Selection, Sql
from campaigns.settled import settled
from retention.customers.models import Customer
from retention.marks import safe_mark
from retention.work.querysets import shop_zone


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
    figures, found, begin, ghosts = Figures(), [], 0, 0
    if campaign.state not in (Campaign.State.LIVE, Campaign.State.SCHEDULED):
        return figures, found
    plan = running_plan(campaign)
    begins_at_once = plan.steps[0].wait == AT_ONCE
    for reached in _looks(campaign.reach, plan, now):
        window = window_of(reached, plan, now)
        if window is None or window["since"] >= window["until"]:
            continue
        selection = Selection.of(campaign, plan, shop_zone=shop_zone(), now=now, opens_at=reached.opens_at)
        last_id = Customer.objects.aggregate(last=Max("pk"))["last"] or 0
        due = selection.due(**window, from_id=reached.position, until_id=last_id + 1)
        if due is None:
            continue
        rows = _rows(campaign_id, due)
        found += rows
        if begins_at_once:
            # Hours of the week are not asked here, nor who goes on with another step instead: they may have to wait.
            seen = foresee(campaign, plan, due, as_of=now, days=[now], now=now)
            figures.skipped.update({code: n for code, n in seen.skipped.items() if code not in (HELD, HELD_OUT)})
            begin += seen.steps[0]
            ghosts += seen.ghosts[0]
        else:
            figures.skipped.update(row.reason for row in rows if row.reason)
    figures.due = len(found)
    figures.touched = figures.due - sum(figures.skipped.values())
    _count_steps(campaign, plan, figures, begin, now)
    figures.queued += ghosts if plan.steps[0].messages else 0
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


def _count_steps(campaign: Campaign, plan: Plan, figures: Figures, begin: int, now: dt.datetime) -> None:
    """What the first step gives and says to those who begin, and other steps to those whose wait is over by then."""
    waiting = Touch.objects.filter(campaign=campaign, state=Touch.State.DUE, next_at__lte=now)
    steps = dict(waiting.values_list("pk", "step"))
    gone = settled(steps)
    figures.skipped.update(gone.values())
    taken = Counter(step for pk, step in steps.items() if pk not in gone)
    taken[0] += begin
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
