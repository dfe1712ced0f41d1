"""What is asked before a step is taken: is it still time, still wanted, an hour for it, and meant for her?"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Q

from campaigns.goals import convert, done
from campaigns.models import Campaign, Touch
from campaigns.operations.stepping.entering import enter
from campaigns.operations.stepping.touched import Stepped, Touched, go_to, put_off, target, zones_in
from campaigns.plans import Plan
from campaigns.selection import CONVERTED, LEFT, NOT_MEANT, TOO_LATE
from campaigns.settled import settled
from campaigns.waits import closed, moments
from retention.customers.models import CustomerStats
from retention.segments.models import Segment
from retention.segments.querysets import members
from retention.work.querysets import shop_zone

_INSTANT = dt.timedelta(microseconds=1)


def those_to_step(
    campaign: Campaign, running: Plan, plan: Plan, rows: list[Touched], stepped: Stepped, now: dt.datetime
) -> list[Touched]:
    """Those whose step is taken now. The others end, wait, or go on elsewhere.

    Steps, goal and exits are those of the version she was enlisted under (`plan`); hours and limits those that run
    now (`running`). A question that the plan does not ask costs nothing.
    """
    rows = _after_first_wait(plan, rows, now)
    rows = stepped.stop(rows, dict.fromkeys(_late(running, rows, now), TOO_LATE), now)
    rows = stepped.stop(rows, settled([row.touch_id for row in rows]), now)
    rows = _wanted(plan, rows, stepped, now)
    rows = _within_hours(running, rows, now)
    rows = _meant(plan, _started(plan, rows), stepped, now)
    return enter(campaign, running, rows, stepped, now)


def _after_first_wait(plan: Plan, rows: list[Touched], now: dt.datetime) -> list[Touched]:
    """The first wait, counted from the occasion, may end on a day of her calendar: until then she waits."""
    by_wait: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if not row.has_begun and row.step == 0 and plan.step_for(0, row.variant).wait.is_by_her_clock:
            by_wait[row.variant].append(row.touch_id)
    waiting: set[int] = set()
    for variant, ids in by_wait.items():
        wait = plan.step_for(0, variant).wait
        begins = list(Touch.objects.filter(pk__in=ids).values_list("due_at", flat=True))
        spans = moments(wait, min(begins), max(begins) + _INSTANT, zones=zones_in(ids), shop_zone=shop_zone())
        waiting |= put_off(ids, spans, begin=("t.due_at", []), now=now)
    return [row for row in rows if row.touch_id not in waiting]


def _late(running: Plan, rows: Iterable[Touched], now: dt.datetime) -> list[int]:
    """Steps that nobody took in time. Who waits for her turn under a daily limit is never too late."""
    asked = [row.touch_id for row in rows if row.has_begun or running.limits.touches_a_day is None]
    late = Touch.objects.filter(pk__in=asked, next_at__lt=now - running.lateness)
    return list(late.values_list("pk", flat=True))


def _wanted(plan: Plan, rows: list[Touched], stepped: Stepped, now: dt.datetime) -> list[Touched]:
    """Those who neither did what the campaign is for, nor came into the segment that ends it."""
    if plan.exits.on_goal:
        found = done(plan.goal, (row.touch_id for row in rows), now)
        convert(plan.goal, found)
        rows = stepped.stop(rows, {row.touch_id: CONVERTED for row in found}, now)
    if plan.exits.segment is not None:
        left = _members(plan.exits.segment, rows, now)
        rows = stepped.stop(rows, {row.touch_id: LEFT for row in rows if row.customer_id in left}, now)
    return rows


def _within_hours(running: Plan, rows: list[Touched], now: dt.datetime) -> list[Touched]:
    """Those in whose zones an hour of the plan is open; for the others the step waits until one is."""
    if not running.windows or not rows:
        return rows
    ids = [row.touch_id for row in rows]
    shut = closed(running.windows, now, zones=zones_in(ids), shop_zone=shop_zone())
    waiting = put_off(ids, shut, begin=("%s::timestamptz", [now]), now=now)
    return [row for row in rows if row.touch_id not in waiting]


def _started(plan: Plan, rows: list[Touched]) -> list[Touched]:
    """Where full-price buyers begin at the first step: the others begin further on."""
    if plan.starts_low is None:
        return rows
    fresh = [row.customer_id for row in rows if not row.has_begun and row.step == 0]
    used_to_it = set(
        CustomerStats.objects.filter(
            customer__in=fresh, discount_share__gte=plan.starts_low.below_percent / 100
        ).values_list("customer_id", flat=True)
    )
    at = plan.index_of(plan.starts_low.others_at)
    return [
        dataclasses.replace(row, step=at)
        if not row.has_begun and row.step == 0 and row.customer_id in used_to_it
        else row
        for row in rows
    ]


def _meant(plan: Plan, rows: list[Touched], stepped: Stepped, now: dt.datetime) -> list[Touched]:
    """Those for whom their step is meant; the others go on with the step that the plan names instead, or end."""
    by_step: dict[int, list[Touched]] = defaultdict(list)
    for row in rows:
        by_step[row.step].append(row)
    meant: list[Touched] = []
    for index, its in sorted(by_step.items()):
        step = plan.steps[index]
        if step.only_for is None:
            meant += its
            continue
        inside = _members(step.only_for, its, now)
        meant += [row for row in its if row.customer_id in inside]
        outside = [row for row in its if row.customer_id not in inside]
        following = target(plan, index, step.otherwise)
        if following is None:
            stepped.stop(outside, {row.touch_id: NOT_MEANT for row in outside}, now)
            continue
        for variant in sorted({row.variant for row in outside}):
            ids = [row.touch_id for row in outside if row.variant == variant]
            go_to(plan, following, variant, ids, now)
    return meant


def _members(segment_id: int, rows: Iterable[Touched], now: dt.datetime) -> set[int]:
    """The customers among these whom the segment means now."""
    rule = Segment.objects.values_list("rule", flat=True).get(pk=segment_id)
    ids = [row.customer_id for row in rows]
    return set(members(rule, now, of=segment_id, among=Q(pk__in=ids)).values_list("pk", flat=True))
