"""Touches in hand: what of them a step needs, how they end, and how they go on."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import F
from django.db.models.functions import Coalesce

from campaigns.local_days import zones_of
from campaigns.models import Touch
from campaigns.occasions.base import ZONE, known_zones
from campaigns.plans import END, Plan
from campaigns.waits import Moment, as_json, moments
from retention.customers.models import Customer
from retention.work.querysets import shop_zone


@dataclass(frozen=True, slots=True)
class Touched:
    """A touch whose step is taken.

    Attributes:
        grant_id: what its occasion is about, where it is about a grant.
        has_begun: an earlier step was taken.
    """

    touch_id: int
    customer_id: int
    grant_id: int | None
    about: Mapping[str, Any]
    version_id: int = 0
    step: int = 0
    variant: str = ""
    is_ghost: bool = False
    has_begun: bool = False


@dataclass
class Stepped:
    """How many were granted something and how many messages queued; code of why not → how many.

    Attributes:
        never_begun: how many of those who were stopped had not begun.
    """

    granted: int = 0
    queued: int = 0
    refused: Counter = field(default_factory=Counter)
    never_begun: int = 0

    def add(self, other: Stepped) -> None:
        self.granted += other.granted
        self.queued += other.queued
        self.refused.update(other.refused)
        self.never_begun += other.never_begun

    def stop(self, rows: Sequence[Touched], reasons: Mapping[int, str], now: dt.datetime) -> list[Touched]:
        """End those for whom there is a reason and count them; the others."""
        stopped = [row for row in rows if row.touch_id in reasons]
        end(stopped, reasons, now)
        self.refused.update(reasons[row.touch_id] for row in stopped)
        self.never_begun += sum(not row.has_begun for row in stopped)
        return [row for row in rows if row.touch_id not in reasons]


def end(rows: Sequence[Touched], reasons: Mapping[int, str], now: dt.datetime) -> None:
    """No further steps: who had begun before is done, who had not is skipped; each with the reason."""
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE campaigns_touch t
                SET state = CASE WHEN r.has_begun THEN 'done' ELSE 'skipped' END, reason = r.reason, next_at = NULL,
                    begun_at = CASE WHEN r.has_begun THEN t.begun_at END, ended_at = %s, xid = pg_current_xact_id()
                FROM unnest(%s::bigint[], %s::text[], %s::boolean[]) AS r (id, reason, has_begun) WHERE t.id = r.id
                """,
                [
                    now,
                    [row.touch_id for row in rows],
                    [reasons[row.touch_id][:60] for row in rows],
                    [row.has_begun for row in rows],
                ],
            )


def target(plan: Plan, index: int, leads_to: str | None) -> int | None:
    """The place of the step to go on with; None: there is none."""
    if leads_to == END:
        return None
    following = index + 1 if leads_to is None else plan.index_of(leads_to)
    return following if following < len(plan.steps) else None


def after(plan: Plan, index: int, now: dt.datetime, variant: str = "") -> tuple[str, int, dt.datetime | None]:
    """(state, next step, when) of a touch whose step `index` is taken now; `put_off` tells days on her clock."""
    step = plan.step_for(index, variant)
    following = target(plan, index, step.then)
    if following is not None:
        return Touch.State.DUE, following, now + plan.step_for(following, variant).wait.delay
    return (Touch.State.WAITING if step.messages else Touch.State.DONE), index + 1, None


def move_on(plan: Plan, index: int, variant: str, rows: Sequence[Touched], now: dt.datetime) -> None:
    """The step of these is taken now: they wait for the next one, for their last message, or are done."""
    state, following, next_at = after(plan, index, now, variant)
    ids = [row.touch_id for row in rows]
    Touch.objects.filter(pk__in=ids).update(
        state=state,
        step=following,
        next_at=next_at,
        begun_at=Coalesce(F("begun_at"), now),
        ended_at=now if state == Touch.State.DONE else None,
    )
    if next_at is not None:
        wait_for(plan, following, variant, ids, now)


def go_to(plan: Plan, index: int, variant: str, ids: Sequence[int], now: dt.datetime) -> None:
    """They go on with another step, whose wait begins now."""
    next_at = now + plan.step_for(index, variant).wait.delay
    Touch.objects.filter(pk__in=ids).update(step=index, next_at=next_at)
    wait_for(plan, index, variant, ids, now)


def wait_for(plan: Plan, index: int, variant: str, ids: Sequence[int], now: dt.datetime) -> None:
    """Where a step comes on a day of her calendar: put it off until then."""
    wait = plan.step_for(index, variant).wait
    if wait.is_by_her_clock:
        zone = shop_zone()
        put_off(
            ids,
            moments(wait, now, now + dt.timedelta(microseconds=1), zones=zones_in(ids), shop_zone=zone),
            begin=("%s::timestamptz", [now]),
            now=now,
        )


def zones_in(touch_ids: Iterable[int]) -> frozenset[str]:
    """The zones that the customers of these touches live in."""
    ids = list(touch_ids)
    names = Customer.objects.filter(touches__in=ids).order_by().values_list("time_zone", flat=True).distinct()
    return zones_of(names)


def put_off(ids: Sequence[int], rows: Sequence[Moment], *, begin: tuple[str, list[Any]], now: dt.datetime) -> set[int]:
    """Let these touches wait as the rows say for their customers' zones; the ids of those for whom that is to come.

    `begin` is the SQL of the instant that the rows are asked for, with its parameters.
    """
    if not ids or not rows:
        return set()
    text, params = begin
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE campaigns_touch t SET next_at = v.at
            FROM customers_customer c,
                jsonb_to_recordset(%s::jsonb) AS v (zones text[], from_at timestamptz, until_at timestamptz,
                                                    at timestamptz)
            WHERE t.id = ANY(%s) AND t.state = 'due' AND c.id = t.customer_id AND {ZONE} = ANY(v.zones)
            AND {text} >= v.from_at AND {text} < v.until_at AND v.at > %s
            RETURNING t.id
            """,  # noqa: S608
            [as_json(rows), list(ids), known_zones(), *params, *params, now],
        )
        return {pk for (pk,) in cursor.fetchall()}
