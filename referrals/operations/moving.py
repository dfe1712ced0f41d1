"""Moving referrals from one state to the next: guarded, as a set, each move with its step and its activity."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from referrals.models import Referral, ReferralStep
from retention.actors import Actor
from retention.refusals import Refusal
from retention.work.ingest import ingest

State = Referral.State
#: What neighbours and campaigns hear of a state: the activity's kind, and whether it is the friend's or the advocate's.
TOLD: Mapping[str, tuple[tuple[str, str], ...]] = {
    State.PENDING: (("referrals.claimed", "advocate"), ("referrals.friend_joined", "friend")),
    State.HOLD: (("referrals.qualified", "advocate"),),
    State.REWARDED: (("referrals.rewarded", "advocate"),),
    State.REVERSED: (("referrals.reversed", "advocate"),),
}

_MOVE = """
UPDATE referrals_referral referral
SET state = move.becomes, reasons = move.reasons, due_at = move.due_at,
    score = coalesce(move.score, referral.score),
    cleared_score = coalesce(move.cleared, referral.cleared_score),
    -- Who waits for what must happen has nothing that happened, also if it had and came back.
    order_id = CASE WHEN move.becomes <> 'pending' THEN coalesce(move.order_id, referral.order_id) END,
    qualified_at = CASE WHEN move.becomes <> 'pending' THEN coalesce(move.qualified_at, referral.qualified_at) END,
    level = coalesce(move.level, referral.level),
    friend_grant_id = coalesce(move.friend_grant, referral.friend_grant_id),
    advocate_grant_id = coalesce(move.advocate_grant, referral.advocate_grant_id),
    decided_by_id = coalesce(move.staff, referral.decided_by_id),
    ended_at = CASE WHEN move.becomes = ANY(%(ends)s) THEN %(now)s::timestamptz END,
    xid = pg_current_xact_id()
FROM jsonb_to_recordset(%(moves)s::jsonb) AS move (
    id bigint, was text, becomes text, reasons text[], due_at timestamptz, score int, cleared int, order_id bigint,
    qualified_at timestamptz, level int, friend_grant bigint, advocate_grant bigint, staff bigint)
WHERE referral.id = move.id AND referral.state = move.was
RETURNING referral.id
"""
_MARK = """
WITH held AS MATERIALIZED (
    SELECT id FROM referrals_advocate
    WHERE id IN (SELECT advocate_id FROM referrals_referral WHERE id = ANY(%s)) ORDER BY id FOR NO KEY UPDATE
)
UPDATE referrals_advocate advocate SET xid = pg_current_xact_id() FROM held WHERE advocate.id = held.id
"""
_ENDS = [State.REWARDED, State.REJECTED, State.LAPSED, State.REVERSED]
# Who is told: the friend, and the advocate where she is a customer; nobody who was erased.
_WHOSE = """
SELECT referral.id, referral.public_id, scheme.key, coalesce(friend.merged_into_id, friend.id),
       coalesce(customer.merged_into_id, customer.id), referral.level
FROM referrals_referral referral
JOIN referrals_scheme scheme ON scheme.id = referral.scheme_id
JOIN referrals_advocate advocate ON advocate.id = referral.advocate_id
LEFT JOIN customers_customer friend ON friend.id = referral.friend_id AND friend.erased_at IS NULL
LEFT JOIN customers_customer customer ON customer.id = advocate.customer_id AND customer.erased_at IS NULL
WHERE referral.id = ANY(%s)
"""


@dataclass(frozen=True)
class Move:
    """One referral's next state; what is None stays as it is, but `due_at`, which is of the new state.

    Back to pending the order is forgotten, and that it qualified.
    """

    id: int
    was: str
    becomes: str
    reasons: Sequence[Refusal] = ()
    due_at: dt.datetime | None = None
    score: int | None = None
    cleared: int | None = None
    order_id: int | None = None
    qualified_at: dt.datetime | None = None
    level: int | None = None
    friend_grant: int | None = None
    advocate_grant: int | None = None
    staff: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)

    def as_row(self) -> dict[str, Any]:
        row = {name: value for name, value in vars(self).items() if name not in ("reasons", "params")}
        return {**row, "reasons": codes_of(self.reasons)}


def codes_of(reasons: Sequence[Refusal]) -> list[str]:
    return list(dict.fromkeys(reason.code for reason in reasons))


def move(moves: Iterable[Move], *, now: dt.datetime, by: Actor) -> set[int]:
    """Move those that are still where they were; the ids that were moved. Called in a transaction that holds them."""
    wanted = {each.id: each for each in moves}
    if not wanted:
        return set()
    rows = json.dumps([wanted[pk].as_row() for pk in sorted(wanted)], default=str)
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, {"moves": rows, "ends": _ENDS, "now": now})
        moved = {pk for (pk,) in cursor.fetchall()}
    ReferralStep.objects.bulk_create(
        [
            ReferralStep(
                referral_id=pk,
                state=each.becomes,
                reasons=codes_of(each.reasons),
                params={
                    **each.params,
                    **{reason.code: dict(reason.params) for reason in each.reasons if reason.params},
                },
                at=now,
                by=by.name,
            )
            for pk, each in sorted(wanted.items())
            if pk in moved
        ]
    )
    _mark_advocates(moved)
    _tell({pk: wanted[pk].becomes for pk in moved}, now, by)
    return moved


def lock(ids: Sequence[int], *, skipping: bool = False) -> list[Referral]:
    """Hold these rows in their order, with their schemes and advocates; those in other hands are waited for or left."""
    held = Referral.objects.select_for_update(of=("self",), no_key=True, skip_locked=skipping)
    return list(held.select_related("advocate__scheme").filter(pk__in=ids).order_by("pk"))


def _mark_advocates(moved: set[int]) -> None:
    """What segments ask of advocates has changed with their referrals."""
    with connection.cursor() as cursor:
        cursor.execute(_MARK, [sorted(moved)])


def _tell(moved: Mapping[int, str], now: dt.datetime, by: Actor) -> None:
    loud = [pk for pk, state in moved.items() if state in TOLD]
    if not loud:
        return
    with connection.cursor() as cursor:
        cursor.execute(_WHOSE, [loud])
        whose = cursor.fetchall()
    rows = []
    for pk, public_id, scheme, friend, advocate, level in whose:
        for kind, side in TOLD[moved[pk]]:
            customer = friend if side == "friend" else advocate
            if customer is None:
                continue
            rows.append(
                {
                    "customer_id": customer,
                    # A state that is reached again, after a review, is told of once.
                    "reference": f"{kind}:{pk}",
                    "kind": kind,
                    "properties": {"referral": str(public_id), "scheme": scheme} | ({"level": level} if level else {}),
                    "occurred_at": now.isoformat(),
                }
            )
    if rows:
        ingest("activities", rows, now=now, by=by, good_only=True, is_own=True)
