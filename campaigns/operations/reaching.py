"""Reaching who is due: a campaign looks from where it stopped, in bounded chunks, each whole in one transaction."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Min

from campaigns.arms import Arms
from campaigns.models import Campaign, Reach, Touch
from campaigns.operations.readiness import start_if_due
from campaigns.operations.stepping import Touched, after, take_due_steps, take_step, wait_for
from campaigns.plans import Plan, running_plan
from campaigns.selection import Selection, Sql, zones_in_use, zones_of_changed
from retention.actors import Actor
from retention.customers.models import Customer
from retention.marks import safe_mark
from retention.work.querysets import shop_zone

#: Touches in one transaction: what `grant` and `queue` take at once.
MOST = 5_000
#: A chunk that found few looks at more customers the next time.
WIDEST = 5_000_000
#: What was missed for longer is caught up in stretches: a year of local days of every zone is too much for a statement.
STRETCH = dt.timedelta(days=32)
#: Beyond it a look computes the days of those zones alone that customers live in.
DAY = dt.timedelta(days=1)


@dataclass
class Figures:
    """What became of those who were due."""

    due: int = 0
    touched: int = 0
    granted: int = 0
    queued: int = 0
    skipped: Counter = field(default_factory=Counter)
    #: How many campaigns were left to another worker who was at them.
    in_other_hands: int = 0

    def add(self, other: Figures) -> None:
        self.due += other.due
        self.touched += other.touched
        self.granted += other.granted
        self.queued += other.queued
        self.skipped.update(other.skipped)
        self.in_other_hands += other.in_other_hands

    def as_json(self) -> dict[str, Any]:
        return {
            "due": self.due,
            "touched": self.touched,
            "granted": self.granted,
            "queued": self.queued,
            "skipped": dict(sorted(self.skipped.items())),
        }


def reach(
    *,
    campaign_id: int,
    now: dt.datetime,
    by: Actor,
    most: int = MOST,
    progress: Callable[[int, int], None] | None = None,
) -> Figures:
    """Touch everyone due up to now, take the steps that are due, and end the campaign when it is over.

    Running it again does nothing more; two at once share the work out by waiting for no one: whoever finds the
    campaign in other hands leaves it. A campaign that is not live (any more) is left at the next chunk.
    """
    figures = Figures()
    size = most
    while True:
        try:
            chunk = _look(campaign_id, now=now, by=by, most=most, size=size)
        except _InOtherHands:
            figures.in_other_hands += 1
            break
        if chunk is None:
            break
        figures.add(chunk.figures)
        size = _next_size(size, chunk.found, most)
        if progress:
            progress(chunk.position, chunk.total)
        if chunk.is_last:
            break
    while (stepped := take_due_steps(campaign_id=campaign_id, now=now, by=by, most=most)) is not None:
        figures.granted += stepped.granted
        figures.queued += stepped.queued
        figures.touched -= stepped.never_begun
        figures.skipped.update(stepped.refused)
        if progress:
            progress(1, 1)
    return figures


class _InOtherHands(Exception):
    """Another worker has this campaign at the moment."""


@dataclass(frozen=True)
class _Chunk:
    figures: Figures
    found: int
    position: int
    total: int
    is_last: bool


def _next_size(size: int, found: int, most: int) -> int:
    """Twice as many customers where few were due, fewer where many were."""
    if found >= most // 2:
        return max(most, size // 2)
    return min(WIDEST, size * 4)


@transaction.atomic
def _look(campaign_id: int, *, now: dt.datetime, by: Actor, most: int, size: int) -> _Chunk | None:
    """One chunk: touch, grant, queue, and move on, together or not at all. None: there is nothing to look at."""
    reached = Reach.objects.select_for_update(skip_locked=True, no_key=True).filter(campaign_id=campaign_id).first()
    if reached is None:
        raise _InOtherHands
    # A pause or a stop waits for this chunk, and the next one sees it.
    campaign = Campaign.objects.select_for_update(of=("self",), no_key=True).get(pk=campaign_id)
    start_if_due(campaign, reached, now=now, by=by)
    if campaign.state != Campaign.State.LIVE:
        return None
    plan = running_plan(campaign)
    if reached.phase == Reach.Phase.REST and not _open(reached, plan, now):
        return None
    selection = Selection.of(campaign, plan, shop_zone=shop_zone(), now=now, opens_at=reached.opens_at)
    first_id, last_id = customer_ids()
    reached.position = max(reached.position, first_id)
    until_id = reached.position + size
    rows = _touch(campaign, selection, reached, until_id=until_id, most=most)
    figures = _act(campaign, plan, rows, now=now, by=by)
    position = reached.position
    if rows is None or (len(rows) < most and until_id > last_id):
        _next_phase(reached, plan)
        position = last_id
    elif len(rows) >= most:
        reached.position = position = rows[-1][0]
    else:
        reached.position = position = until_id
    reached.save()
    is_last = reached.phase == Reach.Phase.REST and reached.at >= _until(plan, now)
    return _Chunk(figures, len(rows or ()), position, last_id, is_last)


def _until(plan: Plan, now: dt.datetime) -> dt.datetime:
    return min(now, plan.ends_at) if plan.ends_at else now


def _open(reached: Reach, plan: Plan, now: dt.datetime) -> bool:
    """Begin a look at everything up to now; whether there is anything to look at."""
    if now < reached.opens_at:
        return False
    until = _until(plan, now)
    if plan.of.has_local_hour:
        until = min(until, reached.at + STRETCH)
    mark = safe_mark()
    if until <= reached.at and mark <= reached.mark:
        return False
    reached.until, reached.until_mark = max(until, reached.at), mark
    reached.phase, reached.position = Reach.Phase.FRESH, 0
    return True


def customer_ids() -> tuple[int, int]:
    """The lowest and the highest id of a customer."""
    found = Customer.objects.aggregate(first=Min("pk"), last=Max("pk"))
    return found["first"] or 0, found["last"] or 0


def _next_phase(reached: Reach, plan: Plan) -> None:
    """After what fell due, what facts that came since made due late; where none came, the look is over."""
    reached.position, reached.is_revived = 0, False
    is_fresh = reached.phase == Reach.Phase.FRESH
    if is_fresh and zones_of_changed((reached.mark, reached.until_mark), plan.of.facts):
        reached.phase = Reach.Phase.LATE
    else:
        reached.phase, reached.at, reached.mark = Reach.Phase.REST, reached.until, reached.until_mark
        reached.until = reached.until_mark = None


def window_of(reached: Reach, plan: Plan, now: dt.datetime) -> dict[str, Any] | None:
    """What the present phase looks at, as arguments of `Selection.due`; None where nobody can be due."""
    if reached.phase == Reach.Phase.FRESH:
        return {
            "since": reached.at,
            "until": reached.until,
            "zones": zones_in_use() if reached.until - reached.at > DAY else None,
        }
    changed = (reached.mark, reached.until_mark)
    if not (zones := zones_of_changed(changed, plan.of.facts)):
        return None
    since = max(now - plan.lateness, plan.of.opens_at(plan.cleaned_args(), reached.opens_at))
    return {"since": since, "until": reached.at, "changed": changed, "zones": zones}


_TOUCH = """
    WITH due AS MATERIALIZED ({due} ORDER BY d.customer_id LIMIT %s),
    new AS (
        INSERT INTO campaigns_touch
               (campaign_id, customer_id, occasion, version_id, state, reason, step, due_at, next_at, begun_at,
                ended_at, variant, is_ghost, grant_id, about, enlisted_at)
        SELECT %s, customer_id, occasion, %s,
               CASE WHEN reason <> '' THEN 'skipped' WHEN {waits} THEN 'due' ELSE %s END, reason,
               CASE WHEN reason <> '' OR {waits} THEN 0 ELSE %s END, due_at,
               CASE WHEN reason <> '' THEN NULL WHEN {waits} THEN due_at + %s ELSE %s END,
               CASE WHEN reason = '' AND NOT ({waits}) THEN %s END,
               CASE WHEN reason <> '' THEN %s WHEN NOT ({waits}) THEN %s END,
               {variant}, {ghost}, grant_id, about, %s
        FROM due ON CONFLICT DO NOTHING
        RETURNING id, customer_id, occasion, begun_at, reason, is_ghost
    )
    SELECT due.customer_id, new.id, due.grant_id, due.about, due.reason, new.begun_at, new.is_ghost
    FROM due LEFT JOIN new ON new.customer_id = due.customer_id AND new.occasion = due.occasion
    ORDER BY due.customer_id
"""


def _touch(campaign: Campaign, selection: Selection, reached: Reach, *, until_id: int, most: int) -> list | None:
    """Write the touches of one chunk; (customer, touch or None, grant, about, reason, begun, ghost) of each row due."""
    plan, now = selection.plan, selection.now
    window = window_of(reached, plan, now)
    if window is None:
        return None
    if window["since"] >= window["until"]:
        due = None
    else:
        due = selection.due(**window, from_id=reached.position, until_id=until_id)
    rows = []
    if due is not None:
        statement = _enlisting(campaign, plan, due, most=most, now=now)
        with connection.cursor() as cursor:
            cursor.execute(statement.text, statement.params)
            rows = cursor.fetchall()
    if reached.phase == Reach.Phase.LATE and not reached.is_revived:
        reached.is_revived = True
        _revive(campaign, selection, window["changed"])
    return rows if due is not None else None


def _enlisting(campaign: Campaign, plan: Plan, due: Sql, *, most: int, now: dt.datetime) -> Sql:
    """The statement that writes touches.

    Of a plain plan the first step is taken in this very transaction where its wait is over, and the row is born as it
    then ends. Other plans ask first: their touches are born waiting, and `take_due_steps` goes on with them.
    """
    delay = plan.steps[0].wait.delay
    state, step, next_at = after(plan, 0, now)
    waits, still = ("due_at + %s > %s", [delay, now]) if plan.begins_plainly else ("true", [])
    ended_at = now if state == Touch.State.DONE else None
    arms = Arms.of(campaign, plan)
    variant, variant_params = arms.variant_sql("customer_id")
    ghost, ghost_params = arms.ghost_sql("customer_id")
    return Sql(
        _TOUCH.format(due=due.text, waits=waits, variant=variant, ghost=ghost),
        [*due.params, most, campaign.pk, campaign.approved_version_id, *still, state, *still, step, *still, delay]
        + [next_at, *still, now, now, *still, ended_at, *variant_params, *ghost_params, now],
    )


def _revive(campaign: Campaign, selection: Selection, changed: tuple[int, int]) -> None:
    mended = selection.mended(changed)
    statement = f"""
        UPDATE campaigns_touch SET state = 'due', reason = '', version_id = %s, step = 0, next_at = due_at + %s,
               ended_at = NULL, xid = pg_current_xact_id()
        WHERE id IN ({mended.text})
    """  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [campaign.approved_version_id, selection.plan.steps[0].wait.delay, *mended.params])


def _act(campaign: Campaign, plan: Plan, rows: list | None, *, now: dt.datetime, by: Actor) -> Figures:
    """Take the first step of those just touched whose wait is over."""
    figures = Figures(due=len(rows or ()))
    new = [row for row in rows or () if row[1] is not None]
    figures.skipped.update(row[4] for row in new if row[4])
    enlisted = [row for row in new if not row[4]]
    figures.touched = len(enlisted)
    ready = [
        Touched(touch_id, customer_id, grant_id, json.loads(about) if isinstance(about, str) else about, is_ghost=ghost)
        for customer_id, touch_id, grant_id, about, _reason, begun_at, ghost in enlisted
        if begun_at is not None
    ]
    if ready:
        stepped = take_step(plan, 0, ready, campaign_id=campaign.pk, now=now, by=by)
        figures.granted, figures.queued = stepped.granted, stepped.queued
        figures.skipped.update(stepped.refused)
        figures.touched -= sum(stepped.refused.values())
        state, following, _next_at = after(plan, 0, now)
        if state == Touch.State.DUE:
            wait_for(plan, following, "", [row.touch_id for row in ready], now)
    return figures
