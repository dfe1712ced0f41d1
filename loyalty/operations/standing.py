"""Tiers by hand: invitations, and staff who put a member where she belongs and say why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from loyalty.ladders import Ladder, ladder_of
from loyalty.models import Member, Programme, TierChange
from loyalty.operations.moving import Move, Moved, Place, locked, move
from loyalty.rules.tiers import local_day
from retention.actors import Actor
from retention.audit.operations import record
from retention.ledger.units import day_end
from retention.refusals import Refused


class NoSuchTier(Refused):
    code = "loyalty.no_such_tier"
    sentence = _("The programme has no tier “%(key)s”.")
    status = 404


class NotAMember(Refused):
    code = "loyalty.not_a_member"
    sentence = _("The customer is not in this programme, or has left it.")
    status = 404


class NotHigher(Refused):
    code = "loyalty.not_higher"
    sentence = _("An invitation only leads up, and she has this tier or a higher one.")


class WhyMissing(Refused):
    code = "loyalty.why_missing"
    sentence = _("Say why: a tier given by hand without a reason cannot be understood later.")
    status = 422


class EndsBefore(Refused):
    code = "loyalty.ends_before"
    sentence = _("This day is over already.")
    status = 422


@transaction.atomic
def invite(
    *, programme_id: int, customer_ids: Sequence[int], tier: str, reason: str, now: dt.datetime, by: Actor,
    until: dt.date | None = None,
) -> Moved:  # fmt: skip
    """Invite members to a tier above theirs, until the end of a day; otherwise for as long as its rules say.

    Who is no member, or has the tier or a higher one, is passed over; of one alone it is refused.

    Raises:
        NoSuchTier, WhyMissing, EndsBefore
        NotAMember, NotHigher: only for one customer.
    """
    ladder, rank = _by_hand(programme_id, tier, reason, until, now)
    members = _hers(ladder, customer_ids)
    if len(customer_ids) == 1 and not members:
        raise NotAMember
    moves = [
        _set(ladder, one, rank, TierChange.Why.INVITED, reason, until, now)
        for one in members
        if ladder.rank(one) < rank
    ]
    if len(customer_ids) == 1 and not moves:
        raise NotHigher
    done = move(ladder, moves, now=now, by=by)
    after = {"tier": tier, "reason": reason, "members": len(moves)}
    record(verb="loyalty.invite", by=by, now=now, subject=ladder.programme, after=after)
    return done


@transaction.atomic
def set_tier(
    *, member_id: int, tier: str, reason: str, now: dt.datetime, by: Actor, until: dt.date | None = None
) -> Member:
    """Put a member into a tier by hand, up or down; an empty one is none.

    Raises:
        NotAMember, NoSuchTier, WhyMissing, EndsBefore
    """
    found = Member.objects.filter(pk=member_id, left_at=None).values_list("programme_id", "customer_id").first()
    if found is None:
        raise NotAMember
    ladder, rank = _by_hand(found[0], tier, reason, until, now)
    for member in _hers(ladder, [found[1]]):
        before = ladder.rank(member)
        wanted = _set(ladder, member, rank, TierChange.Why.STAFF if rank != before else "", reason, until, now)
        move(ladder, [wanted], now=now, by=by)
        record(
            verb="loyalty.set_tier", by=by, now=now, subject=Member(pk=member.pk), customer_id=member.customer_id,
            before={"rank": before}, after={"rank": rank, "tier": tier, "reason": reason},
        )  # fmt: skip
    return Member.objects.select_related("tier").get(pk=member_id)


def _by_hand(programme_id: int, tier: str, reason: str, until: dt.date | None, now: dt.datetime) -> tuple[Ladder, int]:
    if not reason.strip():
        raise WhyMissing
    programme = Programme.objects.filter(pk=programme_id, version__isnull=False).first()
    if programme is None:
        raise NoSuchTier(key=tier)
    ladder = ladder_of(programme)
    rank = ladder.rules.rank(tier)
    if tier and not rank:
        raise NoSuchTier(key=tier)
    if until is not None and until < local_day(now, ladder.zone):
        raise EndsBefore
    return ladder, rank


def _hers(ladder: Ladder, customer_ids: Sequence[int]) -> list[Place]:
    ids = Member.objects.filter(programme=ladder.programme, customer__in=list(customer_ids), left_at=None)
    return [one for one in locked(ids.values_list("pk", flat=True)) if one.left_at is None]


def _set(
    ladder: Ladder, member: Place, rank: int, why: str, reason: str, until: dt.date | None, now: dt.datetime
) -> Move:
    ends = ladder.until(rank, local_day(now, ladder.zone))
    if until and rank and ladder.rules.downgrade != "none":
        ends = day_end(until + dt.timedelta(days=ladder.rules.grace_days), ladder.zone)
    is_up = bool(why) and rank > ladder.rank(member)
    return Move(member, ladder.rows.get(rank), why, member.qualifying, ends, is_up=is_up, reason=reason[:120])
