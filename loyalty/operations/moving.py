"""Moving members between tiers: their rows, the history, the activities, the checkout's word, and what they are given.

Everything about a move is one transaction. The caller holds the members' locks, and decided under them.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import connection

from loyalty.ladders import Ladder
from loyalty.models import Member, Tier, TierChange
from loyalty.operations.telling import Told, tell
from retention.actors import Actor
from retention.bulk import batches
from retention.incentives import operations as incentives

#: Members of one transaction.
CHUNK = 5_000
ORIGIN = "loyalty.tier_change"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a member stands: as much of `Member` as a move needs, read under her lock."""

    pk: int
    customer_id: int
    tier_id: int | None
    tier_until: dt.datetime | None
    left_at: dt.datetime | None
    qualifying: int


@dataclass(frozen=True, slots=True)
class Move:
    """One member's next place. Where `why` is empty she stays, and only what counted and her end are written."""

    member: Place
    after: Tier | None
    why: str
    counted: int
    until: dt.datetime | None
    is_up: bool = False
    reason: str = ""


@dataclass
class Moved:
    """How many rose and fell, were looked at, and what they were given or refused."""

    looked_at: int = 0
    up: int = 0
    down: int = 0
    granted: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def add(self, other: Moved) -> None:
        self.looked_at += other.looked_at
        self.up += other.up
        self.down += other.down
        self.granted += other.granted
        self.refused += other.refused


def locked(ids: Iterable[int]) -> list[Place]:
    """These members, locked in the order of all who lock members."""
    found = Member.objects.filter(pk__in=list(ids)).order_by("pk").select_for_update(no_key=True)
    columns = ("pk", "customer_id", "tier_id", "tier_until", "left_at", "qualifying")
    return [Place(*row) for row in found.values_list(*columns)]


def move(ladder: Ladder, moves: Sequence[Move], *, now: dt.datetime, by: Actor) -> Moved:
    """Write these moves of different members, at most 5,000."""
    if not moves:
        return Moved()
    _write_members(moves, now)
    programme, turned = ladder.programme, [one for one in moves if one.why]
    if not turned:
        return Moved()
    changes = _write_changes(ladder, turned, now=now, by=by)
    _tell(ladder, turned, changes, now)
    incentives.put_tiers(
        programme=programme.key,
        customer_ids=[one.member.customer_id for one in turned],
        tiers=[one.after.key if one.after else "" for one in turned],
    )
    done = Moved(up=sum(one.is_up for one in turned), down=sum(not one.is_up for one in turned))
    _reward(ladder, turned, changes, done, now=now, by=by)
    return done


def _write_members(moves: Sequence[Move], now: dt.datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE loyalty_member m
            SET tier_id = told.tier, tier_until = told.until, qualifying = told.counted, xid = pg_current_xact_id(),
                tier_since = CASE WHEN told.tier IS NULL THEN NULL WHEN told.has_moved THEN %s ELSE m.tier_since END
            FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::bigint[], %s::boolean[])
                 AS told (member, tier, until, counted, has_moved)
            WHERE m.id = told.member
            """,
            [
                now,
                [one.member.pk for one in moves],
                [one.after.pk if one.after else None for one in moves],
                [one.until for one in moves],
                [one.counted for one in moves],
                [bool(one.why) for one in moves],
            ],
        )


def _write_changes(ladder: Ladder, turned: Sequence[Move], *, now: dt.datetime, by: Actor) -> list[int]:
    """The history of these moves: their numbers, in the same order."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO loyalty_tierchange (member_id, before_id, after_id, why, is_up, qualifying, reason, version_id,
                changed_at, by)
            SELECT told.member, told.before, told.after, told.why, told.is_up, told.counted, told.reason, %s, %s, %s
            FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::boolean[], %s::bigint[], %s::text[])
                 AS told (member, before, after, why, is_up, counted, reason)
            RETURNING member_id, id
            """,
            [
                ladder.programme.version_id,
                now,
                by.name,
                [one.member.pk for one in turned],
                [one.member.tier_id for one in turned],
                [one.after.pk if one.after else None for one in turned],
                [str(one.why) for one in turned],
                [one.is_up for one in turned],
                [one.counted for one in turned],
                [one.reason for one in turned],
            ],
        )
        numbers = dict(cursor.fetchall())
    return [numbers[one.member.pk] for one in turned]


def _tell(ladder: Ladder, turned: Sequence[Move], changes: Sequence[int], now: dt.datetime) -> None:
    names = {row.pk: row.key for row in (*ladder.rows.values(), *ladder.gone.values())}
    said: dict[tuple[int | None, bool, str], dict[str, str]] = {}
    told: dict[bool, list[Told]] = {True: [], False: []}
    for one, change in zip(turned, changes, strict=True):
        after = one.after.key if one.after else ""
        way = (one.member.tier_id, one.is_up, after)
        if way not in said:
            before = names.get(one.member.tier_id or 0, "")
            tier = after if one.is_up else before
            said[way] = {"programme": ladder.programme.key, "tier": tier, "before": before, "after": after}
        told[one.is_up].append(Told(one.member.customer_id, f"{ORIGIN}:{change}", said[way]))
    tell(kind="loyalty.tier_reached", told=told[True], now=now)
    tell(kind="loyalty.tier_lost", told=told[False], now=now)


def _reward(
    ladder: Ladder, turned: Sequence[Move], changes: Sequence[int], done: Moved, *, now: dt.datetime, by: Actor
) -> None:
    """What rising to a tier brings, once for a tier and window; those between that she passes over bring nothing."""
    rewards = {step.key: step.rewards for step in ladder.rules.steps if step.rewards}
    risen = [
        (one, change)
        for one, change in zip(turned, changes, strict=True)
        if one.is_up and one.after and one.after.key in rewards
    ]
    had = _had_before([one.member.pk for one, _change in risen], changes, ladder.since(now))
    wishes: dict[int, list[tuple[str, int, int]]] = {}
    for one, change in risen:
        if one.after and (one.member.pk, one.after.pk) not in had:
            for n, incentive in enumerate(rewards[one.after.key]):
                wishes.setdefault(incentive, []).append((f"tier:{change}:{n}", one.member.customer_id, change))
    for incentive, wanted in sorted(wishes.items()):
        for some in batches(wanted, CHUNK):
            granted = incentives.grant(
                incentive_id=incentive, sources=[source for source, _customer, _change in some],
                customer_ids=[customer for _source, customer, _change in some], origin=ORIGIN,
                origin_ids=[change for _source, _customer, change in some], is_given=True, now=now, by=by,
            )  # fmt: skip
            done.granted += len(granted.grants)
            done.refused.update(why.code for why in granted.refused.values())


def _had_before(
    members: Sequence[int], changes: Sequence[int], since: dt.datetime | None
) -> set[tuple[int, int | None]]:
    """Who rose to the same tier before these changes, in the window as it is today."""
    if not members:
        return set()
    earlier = TierChange.objects.filter(member__in=members, is_up=True, pk__lt=min(changes))
    if since is not None:
        earlier = earlier.filter(changed_at__gte=since)
    return {*earlier.values_list("member_id", "after_id")}
