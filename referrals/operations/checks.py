"""Checking referrals: what was claimed is rejected, put before a person, or waits for what the friend must do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.db import transaction

from referrals.arms import rule_for
from referrals.checking import Verdict, judge
from referrals.evidence import facts_of
from referrals.models import Referral
from referrals.operations.giving import FRIEND, Gift, give
from referrals.operations.moving import Move, lock, move
from referrals.rules import SchemeRule
from referrals.versions import rule_of, rules_of
from retention.actors import Actor

State = Referral.State


@transaction.atomic
def check(referral_ids: Sequence[int], *, now: dt.datetime, by: Actor) -> int:
    """Check what is claimed: on to pending (with the friend's welcome), to a person, or to its end; how many."""
    held = [each for each in lock(referral_ids) if each.state == State.CLAIMED]
    if not held:
        return 0
    rules, verdicts = rules_of(each.version_id for each in held), verdicts_of(held)
    moves = [_judged(each, verdicts[each.pk], rules[each.version_id], now) for each in held]
    return len(move(with_welcome(held, moves, now=now, by=by), now=now, by=by))


def verdicts_of(referrals: Iterable[Referral]) -> dict[int, Verdict]:
    """What the checks of each one's own version say of the facts as they stand."""
    held = list(referrals)
    rules = rules_of(each.version_id for each in held)
    facts = facts_of([each.pk for each in held])
    return {each.pk: judge(facts[each.pk], rules[each.version_id].checks) for each in held}


def with_welcome(held: Iterable[Referral], moves: Sequence[Move], *, now: dt.datetime, by: Actor) -> list[Move]:
    """The moves, those to pending with the grant of what their friend is given at once, or with why not."""
    pending = {each.id for each in moves if each.becomes == State.PENDING}
    gifts = []
    for each in held:
        rule = rule_for(each.advocate, rule_of(each.version_id))
        if each.pk in pending and rule.friend_incentive is not None and each.friend_grant_id is None:
            gifts.append(Gift(each, each.friend_id, rule.friend_incentive, rule))
    given = give(gifts, step=FRIEND, now=now, by=by)
    return [
        replace(
            each,
            friend_grant=given.grants.get(each.id),
            reasons=(*each.reasons, *([given.refused[each.id]] if each.id in given.refused else [])),
        )
        for each in moves
    ]


def to_review(referral: Referral, verdict: Verdict, rule: SchemeRule, now: dt.datetime) -> Move:
    """Before a person, until the scheme's deadline if it has one."""
    until = None if rule.at_deadline == "wait" else now + dt.timedelta(days=rule.review_days)
    return Move(referral.pk, referral.state, State.REVIEW, verdict.reasons, due_at=until, score=verdict.score)


def to_pending(referral: Referral, rule: SchemeRule) -> Move:
    """Until the friend did it, or her time for it is over."""
    until = referral.since_at + dt.timedelta(days=rule.within_days)
    return Move(referral.pk, referral.state, State.PENDING, due_at=until)


def _judged(referral: Referral, verdict: Verdict, rule: SchemeRule, now: dt.datetime) -> Move:
    if verdict.is_hard:
        return Move(referral.pk, referral.state, State.REJECTED, verdict.reasons, score=verdict.score)
    if verdict.score >= rule.review_from:
        return to_review(referral, verdict, rule, now)
    return replace(to_pending(referral, rule), reasons=verdict.reasons, score=verdict.score)
