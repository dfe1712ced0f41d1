"""One glance over all live campaigns says which have anything to do; those without cost no statement of their own."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.expressions import RawSQL

from campaigns.local_days import every_zone
from campaigns.models import Campaign, Quota, Reach, Touch
from campaigns.operations.stepping.entering import day_of
from campaigns.plans import Plan, plan_of_version
from campaigns.selection import MENDABLE, Sql, changed_sql, zones_of_changed
from retention.marks import safe_mark
from retention.registries import Window
from retention.work.querysets import shop_zone

log = logging.getLogger(__name__)

#: Whoever has not looked for longer looks at once: a glance is for what fell due since the last tick.
LATELY = dt.timedelta(days=1)


def running(now: dt.datetime) -> QuerySet[Reach]:
    """How far the live campaigns, and those whose start has come, have looked; the most important first."""
    states = (Campaign.State.LIVE, Campaign.State.SCHEDULED)
    reaches = Reach.objects.filter(campaign__state__in=states, opens_at__lte=now).select_related("campaign")
    return reaches.order_by("-campaign__priority", "campaign_id")


def glance(*, now: dt.datetime) -> list[int]:
    """The campaigns that have something to do, the most important first. The others have looked up to now thereby.

    What it asks leaves out all that narrows a campaign down (segments, countries, consents): it may send a campaign
    to look for nothing, and never lets one rest for whom somebody is due. No row is locked while it asks; a campaign
    that anybody moved meanwhile is left where it is, and the next glance asks again.
    """
    # Before all else: facts below the mark are in everything that is read from here on.
    mark = safe_mark()
    zone = shop_zone()
    due = Touch.objects.filter(campaign=OuterRef("campaign"), state=Touch.State.DUE, next_at__lte=now)
    today = Quota.objects.filter(campaign=OuterRef("campaign"), period=day_of(now, zone)).values("taken")
    reaches = list(
        running(now).annotate(
            has_steps=Exists(due),
            has_steps_of_begun=Exists(due.filter(begun_at__isnull=False)),
            taken_today=Subquery(today),
            row=RawSQL("campaigns_reach.xmin::text", []),
        )
    )
    resting = [reached for reached in reaches if not _must_look(reached, zone, now)]
    questions = _questions(resting, mark, zone, now)
    busy = _answers(questions)
    idle = {reached.pk: reached.row for reached in resting if reached.pk in questions.keys() - busy}
    _move_on(idle, mark, now)
    return [reached.pk for reached in reaches if reached.pk not in idle]


@lru_cache(maxsize=1_000)
def _known(version_id: int, zone: str) -> tuple[Plan, dict[str, Any], dt.datetime | None]:
    """(plan, its occasion's arguments, when it is over) of a version, which never change."""
    plan = plan_of_version(version_id)
    return plan, plan.cleaned_args(), plan.over_at(zone)


def _must_look(reached: Any, zone: str, now: dt.datetime) -> bool:
    """Whether there is something to do without asking: a start, an end, steps, a look to go on with or to catch up."""
    if reached.campaign.state != Campaign.State.LIVE or reached.phase != Reach.Phase.REST:
        return True
    if now - reached.at > LATELY or reached.has_steps_of_begun:
        return True
    try:
        plan, _args, over_at = _known(reached.campaign.approved_version_id, zone)
    except Exception:  # it is said by the look of its own, which fails in the same way
        return True
    # Whoever has not begun waits for a day with room.
    a_day = plan.limits.touches_a_day
    if reached.has_steps and (a_day is None or (reached.taken_today or 0) < a_day):
        return True
    return over_at is not None and now >= over_at


def _questions(resting: Sequence[Reach], mark: int, zone: str, now: dt.datetime) -> dict[int, Sql | None]:
    """Campaign → whether anybody is due, as a condition of SQL; None where the calendar knows that nobody is.

    Who cannot be asked for (a plan that names what is gone) is left out, and looks by itself.
    """
    facts = {fact for reached in resting for fact in _facts(reached, zone)}
    since = min((reached.mark for reached in resting), default=mark)
    zones = zones_of_changed((since, mark), sorted(facts)) if resting else frozenset()
    questions: dict[int, Sql | None] = {}
    for reached in resting:
        try:
            questions[reached.pk] = _question(reached, mark, zones, zone, now)
        except Exception as error:
            log.warning("campaign %s cannot be asked for: %s", reached.pk, type(error).__name__)
    return questions


def _facts(reached: Reach, zone: str) -> tuple[str, ...]:
    return _known(reached.campaign.approved_version_id, zone)[0].of.facts


def _question(reached: Reach, mark: int, zones: frozenset[str], zone: str, now: dt.datetime) -> Sql | None:
    """Whether anybody fell due since the last look, or became due late by facts of customers in these zones."""
    plan, args, _over_at = _known(reached.campaign.approved_version_id, zone)
    parts = []
    fresh = plan.of.due_sql(args, Window(reached.at, max(reached.at, now), zone, every_zone()))
    if fresh is not None:
        parts.append(Sql(f"SELECT FROM ({fresh[0]}) d", fresh[1]))  # noqa: S608
    if zones:
        parts += _late(reached, plan, args, mark, zones, zone, now)
    if not parts:
        return None
    return Sql(" OR ".join(f"EXISTS ({part.text})" for part in parts), [one for part in parts for one in part.params])


def _late(
    reached: Reach, plan: Plan, args: Mapping[str, Any], mark: int, zones: frozenset[str], zone: str, now: dt.datetime
) -> Iterable[Sql]:
    changed = (reached.mark, mark)
    since = max(now - plan.lateness, plan.of.opens_at(args, reached.opens_at))
    late = plan.of.due_sql(args, Window(since, reached.at, zone, zones)) if since < reached.at else None
    if late is not None:
        those = changed_sql(changed, plan.of.facts)
        text = f"""
            SELECT FROM ({late[0]}) d WHERE d.customer_id IN ({those.text}) AND NOT EXISTS (
                SELECT FROM campaigns_touch t
                WHERE t.campaign_id = %s AND t.customer_id = d.customer_id AND t.occasion = d.occasion)
        """  # noqa: S608
        yield Sql(text, [*late[1], *those.params, reached.pk])
    those = changed_sql(changed)
    text = f"""
        SELECT FROM campaigns_touch t WHERE t.campaign_id = %s AND t.state = 'skipped' AND t.reason = ANY(%s)
        AND t.due_at >= %s AND t.customer_id IN ({those.text})
    """  # noqa: S608
    yield Sql(text, [reached.pk, list(MENDABLE), now - plan.lateness, *those.params])


def _answers(questions: Mapping[int, Sql | None]) -> set[int]:
    """The campaigns with somebody due, by one statement; all of them, where one cannot be answered."""
    asked = {pk: question for pk, question in questions.items() if question is not None}
    if not asked:
        return set()
    text = " UNION ALL ".join(f"SELECT {pk:d}::bigint WHERE {question.text}" for pk, question in asked.items())
    try:
        with connection.cursor() as cursor:
            cursor.execute(text, [one for question in asked.values() for one in question.params])
            return {pk for (pk,) in cursor.fetchall()}
    except DatabaseError as error:
        log.warning("campaigns cannot be asked for together: %s", type(error).__name__)
        return set(asked)


def _move_on(idle: Mapping[int, str], mark: int, now: dt.datetime) -> None:
    """They have looked up to now. A row that is in other hands, or was changed since it was read, stays as it is."""
    if idle:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE campaigns_reach r SET at = greatest(r.at, %s), mark = greatest(r.mark, %s::text::xid8)
                FROM unnest(%s::bigint[], %s::text[]) AS i (id, row)
                WHERE r.campaign_id = i.id AND r.xmin::text = i.row AND r.campaign_id IN (
                    SELECT f.campaign_id FROM campaigns_reach f WHERE f.campaign_id = ANY(%s)
                    FOR NO KEY UPDATE SKIP LOCKED)
                """,
                [now, mark, list(idle), list(idle.values()), list(idle)],
            )
