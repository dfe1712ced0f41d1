"""Taking a step for many touched customers: give and say; and what becomes of those who were refused."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from campaigns.goals import ORIGIN
from campaigns.occasions.events import INCENTIVE
from campaigns.operations.stepping.touched import Stepped, Touched
from campaigns.plans import Plan, PlannedStep
from campaigns.reachability import usable_ways, ways
from campaigns.selection import NO_WAY
from retention.actors import Actor
from retention.incentives import operations as incentives
from retention.incentives.models import Incentive
from retention.messaging import operations as messaging


def source(touch_id: int, index: int) -> str:
    """The idempotency key of what a step gives."""
    return f"{ORIGIN}:{touch_id}:{index}"


def take_step(
    plan: Plan,
    index: int,
    touched: Sequence[Touched],
    *,
    campaign_id: int,
    variant: str = "",
    now: dt.datetime,
    by: Actor,
) -> Stepped:
    """Give and say what step `index` has for these, at most 5,000 of one variant; called inside a transaction.

    The touches already stand as `after` says. Those who are refused end, with the refusal's code. Ghosts are given
    nothing, and their messages are withheld.
    """
    step, stepped, rows = plan.step_for(index, variant), Stepped(), list(touched)
    messages = dict.fromkeys(step.messages, rows)
    if len(step.messages) > 1:
        rows, messages = _routed(step, rows, stepped, now)
    grants = {row.touch_id: row.grant_id for row in rows}
    if step.incentive is not None:
        rows, given = _give(step, index, rows, stepped, now=now, by=by)
        grants |= given
    remaining = {row.touch_id for row in rows}
    for template_id, its in messages.items():
        its = [row for row in its if row.touch_id in remaining]
        if its:
            stepped.queued += messaging.queue(
                template_id=template_id,
                origin=ORIGIN,
                group_id=campaign_id,
                step=index,
                messages=[_message(row, grants[row.touch_id]) for row in its],
                priority=plan.priority,
                now=now,
            ).queued
    return stepped


def _message(row: Touched, grant_id: int | None) -> messaging.Message:
    return messaging.Message(
        origin_id=row.touch_id,
        customer_id=row.customer_id,
        grant_id=grant_id,
        context={"occasion": row.about} if row.about else {},
        is_ghost=row.is_ghost,
    )


def _routed(
    step: PlannedStep, rows: list[Touched], stepped: Stepped, now: dt.datetime
) -> tuple[list[Touched], dict[int, list[Touched]]]:
    """Template → whom it goes to: one message each, or all by which she may be written to. Nobody is left silent."""
    usable = usable_ways(ways(step.messages), [row.customer_id for row in rows], now)
    messages: dict[int, list[Touched]] = defaultdict(list)
    for row in rows:
        found = usable.get(row.customer_id, [])
        for way in found[:1] if step.reach == "first" else found:
            messages[way.template_id].append(row)
    rows = stepped.stop(rows, {row.touch_id: NO_WAY for row in rows if not usable.get(row.customer_id)}, now)
    return rows, {pk: messages[pk] for pk in step.messages if pk in messages}


def _give(
    step: PlannedStep, index: int, rows: list[Touched], stepped: Stepped, *, now: dt.datetime, by: Actor
) -> tuple[list[Touched], dict[int, int]]:
    """Those who go on, and touch → what she was granted."""
    given: dict[int, int] = {}
    refused: dict[int, str] = {}
    for incentive_id, its in _by_incentive(step, rows).items():
        granted = incentives.grant(
            incentive_id=incentive_id,
            sources=[source(row.touch_id, index) for row in its],
            customer_ids=[row.customer_id for row in its],
            origin=ORIGIN,
            origin_ids=[row.touch_id for row in its],
            now=now,
            by=by,
            # Nothing will be said: then nothing is waited for.
            is_given=not step.messages,
        )
        for row in its:
            key = source(row.touch_id, index)
            if key in granted.refused:
                refused[row.touch_id] = granted.refused[key].code
            if key in granted.grants:
                given[row.touch_id] = granted.grants[key]
        stepped.granted += len(granted.grants) - len(granted.repeated)
    return stepped.stop(rows, refused, now), given


def _by_incentive(step: PlannedStep, rows: list[Touched]) -> dict[int, list[Touched]]:
    """What each is given: the step's incentive, or that of the local event she is touched for while it is live."""
    real = [row for row in rows if not row.is_ghost]
    named = {row.about[INCENTIVE] for row in real if row.about.get(INCENTIVE)}
    live = set(Incentive.objects.filter(pk__in=named, state=Incentive.State.LIVE).values_list("pk", flat=True))
    found: dict[int, list[Touched]] = defaultdict(list)
    for row in real:
        its = row.about.get(INCENTIVE)
        found[its if its in live else step.incentive].append(row)
    return found
