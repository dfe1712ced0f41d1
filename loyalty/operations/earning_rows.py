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
from loyalty.facts import ActivityFact, DayFact, Fact, OrderFact
from loyalty.models import Earning
from loyalty.operations.due import Rules
from loyalty.operations.members import Who
from loyalty.rules import EarningRule

_YEAR = dt.timedelta(days=367)

_LOCK = """
SELECT member.id, member.customer_id, member.joined_at, member.left_at, coalesce(tier.key, '')
FROM loyalty_member member LEFT JOIN loyalty_tier tier ON tier.id = member.tier_id
WHERE member.programme_id = %s AND member.customer_id = ANY(%s)
ORDER BY member.id FOR NO KEY UPDATE OF member
"""
# Two parts: each by its own index.
_BEFORE = """
SELECT 'order', e.order_id FROM loyalty_earning e JOIN loyalty_member m ON m.id = e.member_id
WHERE m.programme_id = %(programme)s AND e.order_id = ANY(%(orders)s)
UNION ALL
SELECT 'activity', e.activity_id FROM loyalty_earning e JOIN loyalty_member m ON m.id = e.member_id
WHERE m.programme_id = %(programme)s AND e.activity_id = ANY(%(activities)s)
"""
_PAST = """
SELECT member_id, rule, earned_at, amount FROM loyalty_earning
WHERE member_id = ANY(%(members)s) AND rule = ANY(%(rules)s) AND amount > 0 AND earned_at >= %(since)s
"""
_USED = "SELECT rule, code FROM loyalty_usedcode WHERE programme_id = %s AND code = ANY(%s)"
_INSERT = """
INSERT INTO loyalty_earning AS earning
       (member_id, rule, version_id, order_id, activity_id, about, given, amount, counts_for_tier, tier, why, earned_at,
        recorded_at)
SELECT row.member, row.rule, row.version, row.order_id, row.activity_id, row.about, row.amount, row.amount, row.counts,
       row.tier, row.why::jsonb, row.earned_at, %(now)s
FROM unnest(%(member)s::bigint[], %(rule)s::text[], %(version)s::bigint[], %(order_id)s::bigint[],
            %(activity_id)s::bigint[], %(about)s::text[], %(amount)s::bigint[], %(counts)s::boolean[],
            %(tier)s::text[], %(why)s::text[], %(earned_at)s::timestamptz[])
     WITH ORDINALITY AS row (member, rule, version, order_id, activity_id, about, amount, counts, tier, why, earned_at,
                             place)
ORDER BY row.place
ON CONFLICT DO NOTHING
RETURNING earning.id, earning.member_id, earning.rule, earning.order_id, earning.activity_id, earning.about
"""
_USE_CODES = """
INSERT INTO loyalty_usedcode AS used (earning_id, programme_id, rule, code)
SELECT row.earning, %(programme)s, row.rule, row.code
FROM unnest(%(earnings)s::bigint[], %(rules)s::text[], %(codes)s::text[]) AS row (earning, rule, code)
ORDER BY row.rule, row.code
ON CONFLICT DO NOTHING RETURNING used.earning_id
"""
_COUNT = """
UPDATE loyalty_member AS member
SET earned = member.earned + each.amount, active_at = greatest(member.active_at, each.at)
FROM unnest(%(members)s::bigint[], %(amounts)s::bigint[], %(ats)s::timestamptz[]) AS each (id, amount, at)
WHERE member.id = each.id
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

    @property
    def key(self) -> tuple[Any, ...]:
        return self.member.id, self.rule, self.order_id, self.activity_id, self.about


def source_of(earning_id: int) -> str:
    """The source of the grant by which an earning's value left."""
    return f"earning:{earning_id}"


def lock_members(programme_id: int, customer_ids: Sequence[int]) -> dict[int, Who]:
    """Customer → member, each locked until the transaction ends, in the order of all who lock members."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [programme_id, list(customer_ids)])
        return {row[1]: Who(*row) for row in cursor.fetchall()}


def earned_before(programme_id: int, facts: Sequence[Fact]) -> list[Fact]:
    """Those of the facts that have not earned in the programme yet; to be asked under the lock of their members."""
    params: dict[str, Any] = {
        "programme": programme_id,
        "orders": [fact.id for fact in facts if isinstance(fact, OrderFact)],
        "activities": [fact.id for fact in facts if isinstance(fact, ActivityFact)],
    }
    with connection.cursor() as cursor:
        cursor.execute(_BEFORE, params)
        done = set(cursor.fetchall())
    return [fact for fact in facts if isinstance(fact, DayFact) or (fact.about, fact.id) not in done]


def read_states(
    programme_id: int, rules: Rules, facts: Sequence[Fact], members: Mapping[int, Who], zone: str
) -> dict[int, State]:
    """Member → what the engine must know of her; only rules with caps or rests look back."""
    bounded = [rule for each in rules.rules for rule in each.earning if rule.caps or rule.cool_down_hours]
    used = _used_codes(programme_id, rules, facts)
    states = {who.id: State(zone=zone, tier=who.tier, used=used) for who in members.values()}
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
    params: dict[str, Any] = {
        "now": now,
        "member": [row.member.id for row in rows],
        "rule": [row.rule for row in rows],
        "version": [row.version for row in rows],
        "order_id": [row.order_id for row in rows],
        "activity_id": [row.activity_id for row in rows],
        "about": [row.about for row in rows],
        "amount": [row.amount for row in rows],
        "counts": [row.counts_for_tier for row in rows],
        "tier": [row.member.tier for row in rows],
        "why": [json.dumps(row.why) for row in rows],
        "earned_at": [row.earned_at for row in rows],
    }
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, params)
        made = {tuple(key): pk for pk, *key in cursor.fetchall()}
    for row in rows:
        row.id = made.get(row.key, 0)
    return _use_codes(programme_id, [row for row in rows if row.id])


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
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"members": list(sums), "amounts": list(sums.values()), "ats": list(lasts.values())})


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


def _use_codes(programme_id: int, rows: list[Row]) -> list[Row]:
    coded = [row for row in rows if row.code]
    if not coded:
        return rows
    params: dict[str, Any] = {
        "programme": programme_id,
        "earnings": [row.id for row in coded],
        "rules": [row.rule for row in coded],
        "codes": [row.code for row in coded],
    }
    with connection.cursor() as cursor:
        cursor.execute(_USE_CODES, params)
        ours = {pk for (pk,) in cursor.fetchall()}
    lost = {row.id for row in coded} - ours
    drop(sorted(lost))
    return [row for row in rows if row.id not in lost]
