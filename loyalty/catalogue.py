"""The rules of rewards, challenges and surprises by their versions, and what a member can have for her points."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db.models import Q, QuerySet

from loyalty.models import Member, Programme, Reward, RewardCount
from loyalty.rules.challenges import ChallengeRule
from loyalty.rules.rewards import RewardRule, Standing, liking, refusal
from loyalty.rules.surprises import SurpriseRule
from loyalty.tellers import Tellers
from retention.customers.models import CustomerStats, Product
from retention.incentives.rules import period
from retention.incentives.versions import Parsed
from retention.ledger.days import book_day
from retention.ledger.models import Account
from retention.ledger.querysets import balances
from retention.recommendations.querysets import for_customers
from retention.refusals import Refusal
from retention.segments.models import Membership

_rewards = Parsed(RewardRule)
reward_rule, reward_rules = _rewards.one, _rewards.many
challenge_rule, surprise_rule = Parsed(ChallengeRule).one, Parsed(SurpriseRule).one

#: In these states of a programme its rewards can be had.
OPEN = (Programme.State.LIVE, Programme.State.PAUSED)


@dataclass(frozen=True)
class Offered:
    """One reward as a member sees it.

    Attributes:
        refusal: why she cannot have it now; None: she can.
        short: how much more she would need, whatever else there is.
        left: how many there are; None: as many as are wanted.
    """

    reward: Reward
    rule: RewardRule
    refusal: Refusal | None
    short: int
    left: int | None

    @property
    def can_have(self) -> bool:
        return self.refusal is None


def rewards_of(programme_id: int) -> QuerySet[Reward]:
    """What is in the catalogue now."""
    return Reward.objects.filter(programme_id=programme_id, state=Reward.State.LIVE, archived_at=None)


def standing_of(
    member: Member, rules: Sequence[RewardRule], *, available: int, now: dt.datetime
) -> Standing:  # fmt: skip
    """Where a member stands before her counts of each reward are known."""
    asked = {rule.segment_id for rule in rules if rule.segment_id}
    found = Membership.objects.filter(customer_id=member.customer_id, segment_id__in=asked) if asked else ()
    tier = member.tier.key if member.tier_id else ""
    names = Tellers().of(member.programme).tiers if any(rule.tiers for rule in rules) else {}
    segments = frozenset(one.segment_id for one in found)
    return Standing(now, tier, segments, available=available, tier_names=names)


def available_to(member: Member, *, now: dt.datetime) -> int:
    """What she can spend in her programme's unit."""
    account = Account.objects.filter(customer_id=member.customer_id, unit_id=member.programme.unit_id).first()
    return balances([account.pk], now=now)[0].available if account else 0


def offered_to(member: Member, *, now: dt.datetime) -> list[Offered]:
    """The catalogue for one member: her preferred kind first, then what she likes best, then what costs least.

    What is over, gone, or for a segment that she is not in is not shown; what she cannot have yet says why.
    """
    if member.programme.state not in OPEN:
        return []
    rewards = list(rewards_of(member.programme_id))
    rules = reward_rules(reward.version_id for reward in rewards)
    available = available_to(member, now=now)
    standing = standing_of(member, list(rules.values()), available=available, now=now)
    counts = _counts(member, rewards, now)
    found = []
    for reward in rewards:
        rule = rules[reward.version_id]
        taken = counts.get((reward.pk, None, ""), 0)
        hers = counts.get((reward.pk, member.pk, period(rule.within, book_day(now))), 0)
        why = refusal(rule, replace(standing, taken=taken, hers=hers))
        if not rule.is_in_catalogue or (why and why.code in _HIDDEN):
            continue
        left = None if rule.stock is None else max(0, rule.stock - taken)
        short = max(0, rule.price - available)
        found.append(Offered(reward, rule, why.as_refusal() if why else None, short, left))
    return _liked_first(member, found, now)


_HIDDEN = ("loyalty.reward_gone", "loyalty.other_segment")


def _counts(member: Member, rewards: Sequence[Reward], now: dt.datetime) -> dict[tuple[int, int | None, str], int]:
    rows = RewardCount.objects.filter(Q(member=None) | Q(member=member), reward__in=rewards)
    return {(row.reward_id, row.member_id, row.period): row.taken for row in rows}


def _liked_first(member: Member, found: list[Offered], now: dt.datetime) -> list[Offered]:
    favourite = CustomerStats.objects.filter(pk=member.customer_id).values_list("favourite_category", flat=True).first()
    suggested: list[str] = []
    if any(one.rule.categories for one in found):
        skus = [one.sku for one in for_customers([member.customer_id], now=now).get(member.customer_id, [])]
        suggested = list(Product.objects.filter(sku__in=skus).values_list("category", flat=True))

    def place(one: Offered) -> tuple[bool, int, int, int]:
        likes = liking(one.rule.categories, favourite or "", suggested)
        return (one.rule.kind != member.prefers, -likes, one.rule.price, one.reward.pk)

    return sorted(found, key=place)
