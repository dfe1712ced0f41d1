"""What a person decides of a referral: that it is fine, or that it is not."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from referrals.models import Referral
from referrals.operations.checks import with_welcome
from referrals.operations.following import approved
from referrals.operations.moving import Move, lock, move
from referrals.reasons import ByHand
from retention.actors import Actor
from retention.audit.operations import record
from retention.incentives.operations import void_grant
from retention.incentives.operations.grant_life import GrantEnded, GrantUsed
from retention.refusals import Refused

State = Referral.State


class NoSuchReferral(Refused):
    code = "referrals.no_such_referral"
    sentence = _("There is no such referral.")
    status = 404


class NotInReview(Refused):
    code = "referrals.not_in_review"
    sentence = _("Nobody is asked about this referral: it is %(state)s.")


class OverAlready(Refused):
    code = "referrals.over_already"
    sentence = _("This referral is over: it is %(state)s.")


@transaction.atomic
def approve(*, referral_id: int, now: dt.datetime, by: Actor, why: str = "") -> Referral:
    """It is fine: the friend is given her welcome, and the advocate her reward once the rest has happened.

    Raises:
        NoSuchReferral, NotInReview
    """
    referral = _held(referral_id)
    if referral.state != State.REVIEW:
        raise NotInReview(state=referral.get_state_display())
    onward = approved(referral, [ByHand().as_refusal()], staff=by.staff_id)
    return _moved(referral, with_welcome([referral], [onward], now=now, by=by), "referrals.approve", why, now, by)


@transaction.atomic
def reject(*, referral_id: int, now: dt.datetime, by: Actor, why: str = "") -> Referral:
    """It is not: nothing more is given for it, and a welcome that was not used yet is taken back.

    Raises:
        NoSuchReferral, OverAlready
    """
    referral = _held(referral_id)
    if referral.state not in Referral.OPEN:
        raise OverAlready(state=referral.get_state_display())
    if referral.friend_grant_id is not None:
        try:
            with transaction.atomic():
                void_grant(grant_id=referral.friend_grant_id, now=now, by=by, reason=ByHand.code)
        except (GrantUsed, GrantEnded):
            pass
    onward = Move(
        referral.pk, referral.state, State.REJECTED, [ByHand().as_refusal()], score=referral.score, staff=by.staff_id
    )
    return _moved(referral, [onward], "referrals.reject", why, now, by)


def _held(referral_id: int) -> Referral:
    held = lock([referral_id])
    if not held:
        raise NoSuchReferral
    return held[0]


def _moved(referral: Referral, moves: list[Move], verb: str, why: str, now: dt.datetime, by: Actor) -> Referral:
    before = referral.state
    move(moves, now=now, by=by)
    referral.refresh_from_db()
    record(
        verb=verb, by=by, now=now, subject=referral, customer_id=referral.friend_id,
        before={"state": before}, after={"state": referral.state, "why": why},
    )  # fmt: skip
    return referral
