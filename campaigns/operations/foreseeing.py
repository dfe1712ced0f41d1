"""Whom of those due a plan would let in, and which way they would go, as far as both are known today.

Asked of all at once, by what gates and entry ask of each when her step comes: the segment that ends it, for whom a step
is meant, how far the campaign is opened, coming again, cooling down, the limits. What they do meanwhile nobody knows.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from campaigns.arms import Arms
from campaigns.goals import ORIGIN
from campaigns.models import Campaign, Quota, Reach
from campaigns.operations import quotas
from campaigns.operations.readiness import ramp_of
from campaigns.operations.stepping.touched import target
from campaigns.plans import Plan
from campaigns.selection import (
    COOLING_DOWN,
    CUSTOMERS_LIMIT,
    HELD,
    HELD_OUT,
    LEFT,
    LIMIT_REACHED,
    NOT_MEANT,
    TOO_SOON,
    Sql,
)
from retention.experiments.holdouts import Holdout
from retention.segments.models import Segment
from retention.segments.querysets import members

SAMPLE = 10
_NO_LIMIT = 2**62


@dataclass
class Foreseen:
    """What becomes of those due.

    Attributes:
        heads: who would be touched, without those held out.
        skipped: reason code → how many are not; those held out or held back among them.
        steps: how many of the heads would take each step of the plan, if nobody leaves before.
        ghosts: the same of those held out, to whom nothing is given and nothing sent.
        by_day: heads by the shop's day on which they fall due.
        sample: ids of some of the heads.
    """

    heads: int = 0
    skipped: Counter = field(default_factory=Counter)
    steps: list[int] = field(default_factory=list)
    ghosts: list[int] = field(default_factory=list)
    by_day: Counter = field(default_factory=Counter)
    sample: list[int] = field(default_factory=list)


def foresee(
    campaign: Campaign, plan: Plan, due: Sql, *, as_of: dt.datetime | None, days: list[dt.datetime], now: dt.datetime
) -> Foreseen:
    """What becomes of the rows of `Selection.due`; `days` are the instants at which the shop's days begin.

    `as_of` is the earliest instant at which they would be asked; None: each when she falls due.
    """
    question = _Question.of(campaign, plan, due, as_of=as_of, days=days, now=now)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(question.text, question.params)
        rows = cursor.fetchall()
    found, groups, ghosts = Foreseen(), Counter(), Counter()
    for reason, further_on, inside, day, count, ids in rows:
        if reason == HELD_OUT:
            ghosts[further_on, tuple(inside)] += count
        if reason:
            found.skipped[reason] += count
            continue
        found.heads += count
        found.by_day[day] += count
        groups[further_on, tuple(inside)] += count
        found.sample = sorted({*found.sample, *ids})[:SAMPLE]
    found.steps, found.ghosts = heads_by_step(plan, groups), heads_by_step(plan, ghosts)
    return found


def heads_by_step(plan: Plan, groups: Mapping[tuple[bool, tuple[bool, ...]], int]) -> list[int]:
    """How many take each step; groups are of those who begin further on, by the segments of `only_for` they are in."""
    asked = _segments(plan)
    heads = [0] * len(plan.steps)
    for (further_on, inside), count in groups.items():
        index: int | None = plan.index_of(plan.starts_low.others_at) if further_on and plan.starts_low else 0
        while index is not None:
            step = plan.steps[index]
            is_meant = step.only_for is None or inside[asked.index(step.only_for)]
            heads[index] += count if is_meant else 0
            index = target(plan, index, step.then if is_meant else step.otherwise)
    return heads


def _segments(plan: Plan) -> list[int]:
    """Those that steps ask for, each once."""
    return list(dict.fromkeys(step.only_for for step in plan.steps if step.only_for))


@dataclass
class _Question:
    """The statement, put together of what the plan asks; what it does not ask costs nothing."""

    text: str
    params: list[Any]

    @classmethod
    def of(
        cls, campaign: Campaign, plan: Plan, due: Sql, *, as_of: dt.datetime | None, days: list[dt.datetime],
        now: dt.datetime,
    ) -> _Question:  # fmt: skip
        ramp = _ramp(campaign, plan)
        inside = [_member(pk, now) for pk in _segments(plan)]
        cases, further_on = list(_cases(campaign, plan, ramp, as_of, now)), _further_on(plan)
        ghost, ghost_params = Arms.of(campaign, plan).ghost_sql("d.customer_id") if campaign.pk else ("false", [])
        room = _room(campaign, plan, ramp)
        text = f"""
            WITH due AS MATERIALIZED ({due.text}),
            asked AS MATERIALIZED (
                SELECT d.customer_id, d.due_at,
                       CASE WHEN d.reason <> '' THEN d.reason {" ".join(case.text for case in cases)} ELSE '' END
                       AS reason,
                       {ghost} AS is_ghost, {further_on.text} AS further_on,
                       ARRAY[{", ".join(one.text for one in inside)}]::boolean[] AS inside
                FROM (SELECT *, row_number() OVER hers AS nth, lag(due_at) OVER hers AS before_at FROM due
                      WINDOW hers AS (PARTITION BY customer_id, reason = '' ORDER BY due_at, occasion)) d),
            meant AS (
                SELECT *, CASE WHEN reason = '' AND NOT ({_begins(plan)}) THEN '{NOT_MEANT}' ELSE reason END AS why
                FROM asked),
            let_in AS (
                SELECT *, CASE WHEN why <> '' THEN why
                               WHEN row_number() OVER (PARTITION BY why ORDER BY due_at, customer_id) > %s THEN '{HELD}'
                               WHEN row_number() OVER (PARTITION BY why ORDER BY due_at, customer_id) > %s
                               THEN '{LIMIT_REACHED}' WHEN is_ghost THEN '{HELD_OUT}' ELSE '' END AS outcome
                FROM meant)
            SELECT outcome, further_on, inside, width_bucket(due_at, %s::timestamptz[]), count(*),
                   (array_agg(customer_id ORDER BY customer_id))[1:{SAMPLE}]
            FROM let_in GROUP BY 1, 2, 3, 4
        """  # noqa: S608
        parts = [due.params, *(case.params for case in cases), ghost_params, further_on.params]
        parts += [*(one.params for one in inside), room, [days]]
        return cls(text, [one for part in parts for one in part])


def _ramp(campaign: Campaign, plan: Plan) -> dict[str, int]:
    """How far it is opened: as it stands now where it runs, else as planned."""
    reached = Reach.objects.filter(campaign_id=campaign.pk).first()
    return (reached.ramp if reached else ramp_of(plan)) or {}


def _room(campaign: Campaign, plan: Plan, ramp: Mapping[str, int]) -> list[int]:
    """How many may still begin: by the ramp, and by the limit of all."""
    taken = dict(Quota.objects.filter(campaign_id=campaign.pk).values_list("period", "taken"))
    limits = (ramp.get("first"), quotas.RAMP), (plan.limits.touches, quotas.IN_ALL)
    return [_NO_LIMIT if limit is None else max(0, limit - taken.get(period, 0)) for limit, period in limits]


def _cases(
    campaign: Campaign, plan: Plan, ramp: Mapping[str, int], as_of: dt.datetime | None, now: dt.datetime
) -> Iterable[Sql]:
    """Why she does not begin, in the order in which it is asked."""
    then, at = ("GREATEST(d.due_at, %s)", [as_of]) if as_of else ("d.due_at", [])
    if plan.exits.segment is not None:
        left = _member(plan.exits.segment, now)
        yield Sql(f"WHEN {left.text} THEN '{LEFT}'", left.params)
    if "percent" in ramp and campaign.pk:
        share, params = Holdout(f"{campaign.public_id}:ramp", ramp["percent"]).sql("d.customer_id")
        yield Sql(f"WHEN NOT ({share}) THEN '{HELD}'", params)
    before = (
        "FROM campaigns_touch o WHERE o.campaign_id = %s AND o.customer_id = d.customer_id"
        " AND o.begun_at IS NOT NULL AND o.state <> 'skipped'"
    )
    if plan.limits.per_customer is not None:
        text = f"WHEN d.nth + (SELECT count(*) {before}) > %s THEN '{CUSTOMERS_LIMIT}'"
        yield Sql(text, [campaign.pk, plan.limits.per_customer])
    if plan.re_entry is not None:
        apart = dt.timedelta(days=plan.re_entry.days)
        text = (
            f"WHEN d.before_at > d.due_at - %s OR EXISTS (SELECT {before}"
            f" AND (o.ended_at IS NULL OR o.ended_at > {then} - %s)) THEN '{TOO_SOON}'"
        )
        yield Sql(text, [apart, campaign.pk, *at, apart])
    if plan.cool_down_days is not None:
        text = (
            "WHEN EXISTS (SELECT FROM incentives_grant g WHERE g.customer_id = d.customer_id AND g.origin = %s"
            f" AND g.state = 'active' AND g.granted_at > {then} - %s) THEN '{COOLING_DOWN}'"
        )
        yield Sql(text, [ORIGIN, *at, dt.timedelta(days=plan.cool_down_days)])


def _further_on(plan: Plan) -> Sql:
    """Whether she is used to discounts, and begins where those do."""
    if plan.starts_low is None:
        return Sql("false", [])
    text = (
        "EXISTS (SELECT FROM customers_customerstats s WHERE s.customer_id = d.customer_id AND s.discount_share >= %s)"
    )
    return Sql(text, [plan.starts_low.below_percent / 100])


def _member(segment_id: int, now: dt.datetime) -> Sql:
    rule = Segment.objects.values_list("rule", flat=True).get(pk=segment_id)
    text, params = members(rule, now, of=segment_id).order_by().values("pk").query.sql_with_params()
    return Sql(f"d.customer_id IN ({text})", list(params))


def _begins(plan: Plan) -> str:
    """Whether any step is meant for her, over `further_on` and `inside`."""
    asked = _segments(plan)

    def takes(index: int | None) -> str:
        if index is None:
            return "false"
        step = plan.steps[index]
        if step.only_for is None:
            return "true"
        return f"(inside[{asked.index(step.only_for) + 1}] OR {takes(target(plan, index, step.otherwise))})"

    if plan.starts_low is None:
        return takes(0)
    return f"CASE WHEN further_on THEN {takes(plan.index_of(plan.starts_low.others_at))} ELSE {takes(0)} END"
