"""Taking a step for many touched customers: give, say, move on; and what becomes of those who were refused."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from campaigns.models import Campaign, Touch
from campaigns.plans import Plan
from campaigns.settled import settled
from retention.actors import Actor
from retention.audit.models import Version
from retention.incentives import operations as incentives
from retention.messaging import operations as messaging

#: On whose behalf grants and messages of campaigns are.
ORIGIN = "campaigns.touch"


@dataclass(frozen=True, slots=True)
class Touched:
    """A touch whose step is taken; `grant_id` is what its occasion is about, where it is about a grant."""

    touch_id: int
    customer_id: int
    grant_id: int | None
    about: Mapping[str, Any]


@dataclass
class Stepped:
    """How many were granted something and how many messages queued; refusal code → how many."""

    granted: int = 0
    queued: int = 0
    refused: Counter = field(default_factory=Counter)


def after(plan: Plan, index: int, now: dt.datetime) -> tuple[str, int, dt.datetime | None]:
    """(state, next step, when) of a touch whose step `index` is taken now."""
    following = index + 1
    if following < len(plan.steps):
        return Touch.State.DUE, following, now + plan.steps[following].wait.delay
    says_something = bool(plan.steps[index].messages)
    return (Touch.State.WAITING if says_something else Touch.State.DONE), following, None


def source(touch_id: int, index: int) -> str:
    """The idempotency key of what a step gives."""
    return f"{ORIGIN}:{touch_id}:{index}"


def take_step(
    campaign: Campaign, plan: Plan, index: int, touched: list[Touched], *, now: dt.datetime, by: Actor
) -> Stepped:
    """Give and say what step `index` of the plan has for these, at most 5,000; called inside a transaction.

    The touches already stand as `after` says. Those who are refused become skipped, with the refusal's code.
    """
    step = plan.steps[index]
    stepped = Stepped()
    grants = {row.touch_id: row.grant_id for row in touched}
    if step.incentive is not None:
        granted = incentives.grant(
            incentive_id=step.incentive,
            sources=[source(row.touch_id, index) for row in touched],
            customer_ids=[row.customer_id for row in touched],
            origin=ORIGIN,
            origin_ids=[row.touch_id for row in touched],
            now=now,
            by=by,
            # Nothing will be said: then nothing is waited for.
            is_given=not step.messages,
        )
        refused = {
            row.touch_id: granted.refused[key].code
            for row in touched
            if (key := source(row.touch_id, index)) in granted.refused
        }
        _skip(refused)
        stepped.refused.update(refused.values())
        stepped.granted = len(granted.grants) - len(granted.repeated)
        touched = [row for row in touched if row.touch_id not in refused]
        grants = {row.touch_id: granted.grants[source(row.touch_id, index)] for row in touched}
    if step.messages and touched:
        stepped.queued = messaging.queue(
            template_id=step.messages[0],
            origin=ORIGIN,
            step=index,
            messages=[
                messaging.Message(
                    origin_id=row.touch_id,
                    customer_id=row.customer_id,
                    grant_id=grants[row.touch_id],
                    context={"occasion": row.about} if row.about else {},
                )
                for row in touched
            ],
            priority=plan.priority,
            now=now,
        ).queued
    return stepped


def _skip(refused: Mapping[int, str]) -> None:
    if refused:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE campaigns_touch t SET state = 'skipped', reason = r.reason, next_at = NULL,"
                " xid = pg_current_xact_id() FROM unnest(%s::bigint[], %s::text[]) AS r (id, reason) WHERE t.id = r.id",
                [list(refused), [code[:60] for code in refused.values()]],
            )


@transaction.atomic
def take_due_steps(*, campaign_id: int, now: dt.datetime, by: Actor, most: int) -> Stepped | None:
    """Take the steps of up to `most` touches whose wait is over; None where no step is due or it is not live.

    A touch follows the version that it was enlisted under, whatever was approved since.
    """
    campaign = Campaign.objects.select_for_update(no_key=True).get(pk=campaign_id)
    if campaign.state != Campaign.State.LIVE:
        return None
    rows = _due_steps(campaign_id, now, most)
    if not rows:
        return None
    stepped = Stepped()
    gone = settled(row[0] for row in rows)
    _skip(gone)
    stepped.refused.update(gone.values())
    rows = [row for row in rows if row[0] not in gone]
    plans = {
        version.pk: Plan.model_validate(version.data)
        for version in Version.objects.filter(pk__in={row[3] for row in rows})
    }
    for version_id, index in sorted({(row[3], row[4]) for row in rows}):
        plan = plans[version_id]
        touched = [
            Touched(touch_id, customer_id, grant_id, about)
            for touch_id, customer_id, grant_id, its_version, step, about in rows
            if (its_version, step) == (version_id, index)
        ]
        state, following, next_at = after(plan, index, now)
        Touch.objects.filter(pk__in=[row.touch_id for row in touched]).update(
            state=state, step=following, next_at=next_at
        )
        one = take_step(campaign, plan, index, touched, now=now, by=by)
        stepped.granted += one.granted
        stepped.queued += one.queued
        stepped.refused.update(one.refused)
    return stepped


def _due_steps(campaign_id: int, now: dt.datetime, most: int) -> list[tuple]:
    due = (
        Touch.objects.filter(campaign_id=campaign_id, state=Touch.State.DUE, next_at__lte=now)
        .order_by("next_at", "pk")
        .select_for_update(skip_locked=True, no_key=True)
        .values_list("pk", "customer_id", "grant_id", "version_id", "step", "about")
    )
    return list(due[:most])
