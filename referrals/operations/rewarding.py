"""Rewarding advocates for approved referrals: within their caps, at their level, and taking it back with the order."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import F

from referrals.arms import rule_for
from referrals.models import AdvocateCount, Referral
from referrals.operations.commissions import NoRate, earn_commission
from referrals.operations.giving import ADVOCATE, Gift, give
from referrals.operations.moving import Move, lock, move
from referrals.reasons import AdvocateGone, CameBack, CapReached, NothingAtThisLevel, RewardKept, RewardUsed
from referrals.rules import SchemeRule
from referrals.versions import rule_of, rules_of
from retention.actors import Actor
from retention.customers.querysets import NoSuchCustomer
from retention.incentives.operations import void_grant
from retention.incentives.operations.grant_life import GrantEnded, GrantUsed
from retention.refusals import Refusal
from retention.work.querysets import shop_zone

State = Referral.State
#: A reward that cannot be given now, because its offer is stopped or its budget spent, is tried again so much later.
LATER = dt.timedelta(hours=1)

# Locks the counts of these advocates in their order and says what they hold; a cap may come down, not below them.
_HOLD = """
INSERT INTO referrals_advocatecount AS held (advocate_id, period, rewarded, most)
SELECT wanted.advocate_id, wanted.period, 0, wanted.most
FROM unnest(%s::bigint[], %s::text[], %s::int[]) AS wanted (advocate_id, period, most)
ORDER BY wanted.advocate_id, wanted.period
ON CONFLICT (advocate_id, period) DO UPDATE
SET most = CASE WHEN excluded.most IS NOT NULL THEN greatest(excluded.most, held.rewarded) END
RETURNING advocate_id, period, rewarded
"""
_COUNT = """
UPDATE referrals_advocatecount held SET rewarded = held.rewarded + 1
FROM unnest(%s::bigint[], %s::text[]) AS taken (advocate_id, period)
WHERE held.advocate_id = taken.advocate_id AND held.period = taken.period
"""


@transaction.atomic
def reward(referral_ids: Sequence[int], *, now: dt.datetime, by: Actor) -> int:
    """Reward what is approved, at most one referral of each advocate; how many were moved on.

    One whose advocate has reached a cap, or was forgotten, is rejected; one whose reward cannot be given now waits.
    """
    held = [each for each in lock(referral_ids, skipping=True) if each.state == State.APPROVED]
    held = list({each.advocate_id: each for each in reversed(held)}.values())
    if not held:
        return 0
    rules = rules_of(each.version_id for each in held)
    counts = _hold(held, rules, now)
    had = _had(counts)
    moves, waiting, gifts, levels = [], [], [], {}
    for each in sorted(held, key=lambda each: each.pk):
        rule, hers = rules[each.version_id], counts[each.advocate_id]
        if (cap := _cap(rule, hers)) is not None:
            moves.append(Move(each.pk, each.state, State.REJECTED, [cap]))
            continue
        levels[each.pk] = count = hers[""] + 1
        level = rule_for(each.advocate, rule).level_at(count, had[each.advocate_id])
        if each.advocate.customer_id is not None and level is not None:
            gifts.append(Gift(each, each.advocate.customer_id, level.incentive_id, rule))
    given = give(gifts, step=ADVOCATE, now=now, by=by)
    gifted = {gift.referral.pk for gift in gifts}
    taken = []
    for each in held:
        if each.pk not in levels:
            continue
        refusal = given.refused.get(each.pk) or _commission_refused(each, now, by)
        if refusal is not None and refusal.code == NoSuchCustomer.code:
            moves.append(Move(each.pk, each.state, State.REJECTED, [AdvocateGone().as_refusal()]))
            continue
        if refusal is not None:
            onward = Move(each.pk, each.state, State.APPROVED, [refusal], due_at=now + LATER)
            (waiting if each.reasons == [refusal.code] else moves).append(onward)
            continue
        taken += [(each.advocate_id, period) for period in counts[each.advocate_id]]
        nothing = each.pk not in gifted and each.advocate.customer_id is not None
        moves.append(
            Move(
                each.pk, each.state, State.REWARDED, level=levels[each.pk],
                reasons=[NothingAtThisLevel(level=levels[each.pk]).as_refusal()] if nothing else [],
                advocate_grant=given.grants.get(each.pk),
            )
        )  # fmt: skip
    _count(taken)
    # That it waits for the same still is no news: no step a try.
    Referral.objects.filter(pk__in=[each.id for each in waiting]).update(due_at=now + LATER)
    return len(move(moves, now=now, by=by))


def reverse(referrals: Iterable[Referral], *, now: dt.datetime, by: Actor) -> list[Move]:
    """The moves of rewarded, locked referrals whose order came back; what advocates were given is taken back first.

    A reward that was used stays, and so does the count of it.
    """
    held = sorted(referrals, key=lambda each: (each.advocate_id, each.pk))
    # The counts before the grants, as rewarding takes them.
    counts = AdvocateCount.objects.filter(advocate_id__in={each.advocate_id for each in held})
    list(counts.order_by("advocate_id", "period").select_for_update(no_key=True).values_list("pk"))
    return [
        Move(each.pk, each.state, State.REVERSED, [CameBack().as_refusal(), *_take_back(each, now, by)])
        for each in held
    ]


def _take_back(referral: Referral, now: dt.datetime, by: Actor) -> list[Refusal]:
    if not rule_of(referral.version_id).claws_back:
        return [RewardKept().as_refusal()]
    if referral.advocate_grant_id is not None:
        try:
            with transaction.atomic():
                void_grant(grant_id=referral.advocate_grant_id, now=now, by=by, reason=CameBack.code)
        except GrantUsed:
            return [RewardUsed().as_refusal()]
        except GrantEnded:
            pass
    periods = ["", *_periods(referral.ended_at)] if referral.ended_at else [""]
    counts = AdvocateCount.objects.filter(advocate_id=referral.advocate_id, period__in=periods, rewarded__gt=0)
    counts.update(rewarded=F("rewarded") - 1)
    return []


def _commission_refused(referral: Referral, now: dt.datetime, by: Actor) -> Refusal | None:
    """A partner's share of the order, where a partner brought her; why it could not be earned now."""
    if referral.advocate.partner_id is None or referral.order_id is None:
        return None
    try:
        with transaction.atomic():
            earn_commission(referral=referral, now=now, by=by)
    except NoRate as refused:
        return refused.as_refusal()
    return None


def _hold(held: Iterable[Referral], rules: dict[int, SchemeRule], now: dt.datetime) -> dict[int, dict[str, int]]:
    """Advocate → how many were rewarded, by period; locked until the transaction ends."""
    month, year = _periods(now)
    rows = []
    for each in held:
        caps = rules[each.version_id].caps
        rows += [
            (each.advocate_id, "", caps.in_all),
            (each.advocate_id, year, caps.per_year),
            (each.advocate_id, month, caps.per_month),
        ]
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [list(column) for column in zip(*rows, strict=True)])
        for advocate_id, period, rewarded in cursor.fetchall():
            counts[advocate_id][period] = rewarded
    return counts


def _had(counts: dict[int, dict[str, int]]) -> dict[int, set[int]]:
    """Advocate → the incentives that she has for her next friend's number: one who had it came back since."""
    had: dict[int, set[int]] = defaultdict(set)
    given = Referral.objects.filter(
        advocate_id__in=counts, level__in={hers[""] + 1 for hers in counts.values()}, state=State.REWARDED,
        advocate_grant__isnull=False,
    )  # fmt: skip
    for advocate_id, level, incentive_id in given.values_list("advocate_id", "level", "advocate_grant__incentive_id"):
        if level == counts[advocate_id][""] + 1:
            had[advocate_id].add(incentive_id)
    return had


def _cap(rule: SchemeRule, counts: dict[str, int]) -> Refusal | None:
    for period, rewarded in sorted(counts.items()):
        most = {0: rule.caps.in_all, 4: rule.caps.per_year, 7: rule.caps.per_month}[len(period)]
        if most is not None and rewarded >= most:
            return CapReached(most=most, period=period or "–").as_refusal()
    return None


def _count(taken: list[tuple[int, str]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [[pk for pk, _period in taken], [period for _pk, period in taken]])


def _periods(at: dt.datetime) -> tuple[str, str]:
    day = at.astimezone(ZoneInfo(shop_zone()))
    return f"{day:%Y-%m}", f"{day:%Y}"
