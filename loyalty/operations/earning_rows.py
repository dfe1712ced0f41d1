"""The statements of earning: members locked, what they earned before, and what they earn now as rows."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from loyalty.earning import Past, State
from loyalty.facts import ActivityFact, Fact, OrderFact
from loyalty.models import Earning
from loyalty.operations.due import Rules
from loyalty.operations.members import Who
from loyalty.rules import EarningRule
from retention.arrays import written
from retention.statements import fetch_row

_YEAR = dt.timedelta(days=367)

_LOCK = "SELECT is_live, members, orders, activities FROM loyalty_lock_v1(%s, %s, %s, %s)"
_PAST = """
SELECT member_id, rule, earned_at, amount FROM loyalty_earning
WHERE member_id = ANY(%(members)s) AND rule = ANY(%(rules)s) AND amount > 0 AND earned_at >= %(since)s
"""
_USED = "SELECT rule, code FROM loyalty_usedcode WHERE programme_id = %s AND code = ANY(%s)"
_EARN = "SELECT loyalty_earn_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
_COUNT = """
UPDATE loyalty_member AS member
SET earned = member.earned + each.amount, active_at = greatest(member.active_at, each.at)
FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[]) AS each (id, amount, at)
WHERE member.id = each.id RETURNING member.id
"""


@dataclass(slots=True)
class Row:
    """What one rule gives one member for one fact, on its way to an Earning and a grant; `id` once it is written."""

    member: Who
    rule: str
    version: int
    order_id: int | None
    activity_id: int | None
    about: str
    amount: int
    counts_for_tier: bool
    why: Mapping[str, Any]
    code: str
    earned_at: dt.datetime
    terms: Mapping[str, Any]
    id: int = 0

    @property
    def source(self) -> str:
        return source_of(self.id)


def source_of(earning_id: int) -> str:
    """The source of the grant by which an earning's value left."""
    return f"earning:{earning_id}"


@dataclass(frozen=True)
class Locked:
    """The members behind some facts by customer, locked until the transaction ends, and which facts earned already."""

    members: Mapping[int, Who]
    orders: frozenset[int]
    activities: frozenset[int]

    def has_earned(self, fact: Fact) -> bool:
        """Of a day only its rows know."""
        return (
            isinstance(fact, OrderFact)
            and fact.id in self.orders
            or (isinstance(fact, ActivityFact) and fact.id in self.activities)
        )


def lock_members(programme_id: int, facts: Sequence[Fact]) -> Locked | None:
    """Lock the members behind these facts in the order of all who lock members; None: the programme is not live."""
    is_live, members, *earned = fetch_row(
        _LOCK,
        [
            programme_id,
            written(sorted({fact.customer_id for fact in facts})),
            written([fact.id for fact in facts if isinstance(fact, OrderFact)]),
            written([fact.id for fact in facts if isinstance(fact, ActivityFact)]),
        ],
    )
    if not is_live:
        return None
    found = [
        Who(pk, customer, _instant(joined), left and _instant(left), tier, birth_month)
        for pk, customer, joined, left, tier, birth_month in members
    ]
    return Locked({who.customer_id: who for who in found}, *map(frozenset, earned))


def read_states(programme_id: int, rules: Rules, facts: Sequence[Fact], members: Mapping[int, Who]) -> dict[int, State]:
    """Member → what the engine must know of her; only rules with caps or rests look back."""
    bounded = [rule for each in rules.rules for rule in each.earning if rule.caps or rule.cool_down_hours]
    used = _used_codes(programme_id, rules, facts)
    states = {
        who.id: State(zone=rules.zone, tier=who.tier, birth_month=who.birth_month, used=used)
        for who in members.values()
    }
    if bounded and facts:
        params: dict[str, Any] = {
            "members": list(states),
            "rules": sorted({rule.key for rule in bounded}),
            "since": _since(bounded, min(fact.happened_at for fact in facts)),
        }
        with connection.cursor() as cursor:
            cursor.execute(_PAST, params)
            for member, rule, at, amount in cursor.fetchall():
                states[member].past.append(Past(rule, at, amount))
    return states


def insert_earnings(programme_id: int, rows: Sequence[Row], now: dt.datetime) -> list[Row]:
    """Write what was earned; the rows that are new, with their numbers. A code that is used up earns nothing."""
    if not rows:
        return []
    columns = zip(
        *[
            (
                row.member.id, row.rule, row.version, row.order_id, row.activity_id, row.about, row.amount,
                row.counts_for_tier, row.member.tier, json.dumps(row.why), row.earned_at,
            )
            for row in rows
        ],
        strict=True,
    )  # fmt: skip
    codes = written([row.code for row in rows]) if any(row.code for row in rows) else None
    (ids,) = fetch_row(_EARN, [now, programme_id, *(written(list(column)) for column in columns), codes])
    for row, pk in zip(rows, ids, strict=True):
        row.id = pk or 0
    return [row for row in rows if row.id]


def drop(ids: Sequence[int]) -> None:
    """What was refused was not earned: as if it had never been written."""
    if ids:
        Earning.objects.filter(pk__in=ids).delete()


def count_earned(rows: Sequence[Row]) -> None:
    """Members earned so much more, and were there when it happened."""
    if not rows:
        return
    sums: dict[int, int] = defaultdict(int)
    lasts: dict[int, dt.datetime] = {}
    for row in rows:
        sums[row.member.id] += row.amount
        lasts[row.member.id] = max(row.earned_at, lasts.get(row.member.id, row.earned_at))
    fetch_row(_COUNT, [written(list(sums)), written(list(sums.values())), written(list(lasts.values()))])


def _used_codes(programme_id: int, rules: Rules, facts: Sequence[Fact]) -> set[tuple[str, str]]:
    asked = {
        code
        for fact in facts
        if isinstance(fact, ActivityFact)
        for rule in rules.at(fact.happened_at)[1].earning
        if rule.kind == "activity" and rule.activity == fact.kind and (code := rule.code(fact))
    }
    if not asked:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_USED, [programme_id, sorted(asked)])
        return {(rule, code) for rule, code in cursor.fetchall()}


def _since(bounded: Sequence[EarningRule], first: dt.datetime) -> dt.datetime:
    """How far back caps and rests look from the first fact."""
    if any(cap.per == "life" for rule in bounded for cap in rule.caps):
        return dt.datetime.min.replace(tzinfo=dt.UTC)
    rests = max(dt.timedelta(hours=rule.cool_down_hours) for rule in bounded)
    return first - max(rests, _YEAR)


_instant = dt.datetime.fromisoformat
