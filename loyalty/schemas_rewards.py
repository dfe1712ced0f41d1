"""What callers send and get of rewards, claims, choices, challenges and surprises; points in their smallest part."""

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from django.utils.text import capfirst
from ninja import Schema
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from loyalty.catalogue import Offered, challenge_rule, reward_rule, surprise_rule
from loyalty.models import Challenge, Claim, Completion, Passing, Reward, Surprise
from loyalty.operations.challenges import Progress
from loyalty.operations.milestones import milestone_of
from loyalty.rules.challenges import ChallengePlan
from loyalty.rules.rewards import RewardPlan
from loyalty.rules.surprises import SurprisePlan
from loyalty.sentences import Teller
from loyalty.tellers import teller_of
from retention.incentives.models import Incentive
from retention.segments.models import Segment

Why = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Edited = Annotated[int, Field(ge=1, description="The `version` that was read before.")]
Kind = Literal["coupon", "gift_card", "credit", "product", "experience", "donation"]


class In(Schema):
    model_config = ConfigDict(extra="forbid")


class RewardSaid(In):
    """A reward whole: `plan`, what it gives, and the segment that may have it (absent: every member)."""

    plan: RewardPlan
    incentive: uuid.UUID
    segment: uuid.UUID | None = None
    why: Why = ""


class RewardIn(RewardSaid):
    programme: Key


class RewardChange(RewardSaid):
    edited: Edited


class RewardOut(Schema):
    """A reward as it is managed."""

    id: uuid.UUID
    programme: str
    name: str
    state: Literal["draft", "live", "stopped"]
    version: int
    plan: RewardPlan
    incentive: uuid.UUID
    segment: uuid.UUID | None
    taken: int = Field(description="By everybody, what was returned not counted.")


class Refusal(Schema):
    code: str
    params: dict[str, Any]
    sentence: str


class OfferedOut(Schema):
    """A reward as one customer sees it: whether she can have it now, or why not."""

    id: uuid.UUID
    names: dict[str, str]
    descriptions: dict[str, str]
    image_url: str
    kind: Kind
    price: int
    can_have: bool
    refusal: Refusal | None
    short: int = Field(description="How much more she would need.")
    left: int | None = Field(description="How many there are; absent: as many as are wanted.")
    ends_at: dt.datetime | None


class CatalogueOut(Schema):
    """What a member has, and what she can have for it: what she likes best first."""

    programme: str
    customer: uuid.UUID
    available: int
    prefers: Kind | None
    rewards: list[OfferedOut]


class PageOut(Schema):
    """Where a customer reads of a programme. `url` is hers alone: whoever has it may act as her there."""

    url: str
    expires_at: dt.datetime
    how_it_works: str


class ClaimIn(In):
    reward: uuid.UUID
    customer: uuid.UUID


class ClaimReturnIn(In):
    reason: Reason


class ClaimOut(Schema):
    """One reward that was taken. `code` is what it gave to be typed or shown, if anything."""

    id: uuid.UUID
    reward: uuid.UUID
    name: str
    customer: uuid.UUID
    programme: str
    state: Literal["claimed", "returned"]
    price: int
    code: str | None
    claimed_at: dt.datetime
    ended_at: dt.datetime | None


class PreferenceIn(In):
    kind: Kind | None = Field(description="The kind of reward that she likes best; absent: none more than others.")


class ChoiceOut(Schema):
    """One choice of one member: open, or what became of it."""

    id: uuid.UUID
    programme: str
    customer: uuid.UUID
    milestone: str
    names: dict[str, str]
    state: Literal["due", "open", "given", "lapsed", "refused"]
    choose_until: dt.datetime | None
    rewards: list[uuid.UUID] = Field(description="To choose from.")
    claim: uuid.UUID | None


class ChooseIn(In):
    reward: uuid.UUID


class ChallengeSaid(In):
    """A challenge whole: `plan`, the reward that it brings, and for whose segment it is (absent: every member)."""

    plan: ChallengePlan
    reward: uuid.UUID | None = None
    segment: uuid.UUID | None = None
    why: Why = ""


class ChallengeIn(ChallengeSaid):
    programme: Key


class ChallengeChange(ChallengeSaid):
    edited: Edited


class ChallengeOut(Schema):
    id: uuid.UUID
    programme: str
    name: str
    state: Literal["draft", "live", "stopped"]
    version: int
    sentence: str
    plan: ChallengePlan
    reward: uuid.UUID | None
    segment: uuid.UUID | None


class ProgressOut(Schema):
    """How far a customer is with one challenge."""

    id: uuid.UUID
    names: dict[str, str]
    descriptions: dict[str, str]
    image_url: str
    sentence: str
    done: int
    target: int
    ends_at: dt.datetime | None
    completed_at: dt.datetime | None


class BadgeOut(Schema):
    challenge: uuid.UUID
    programme: str
    names: dict[str, str]
    image_url: str
    earned_at: dt.datetime


class SurpriseSaid(In):
    """A surprise whole: `plan`, what is given, and whose members may win (absent: every member)."""

    plan: SurprisePlan
    reward: uuid.UUID
    segment: uuid.UUID | None = None
    why: Why = ""


class SurpriseIn(SurpriseSaid):
    programme: Key


class SurpriseChange(SurpriseSaid):
    edited: Edited


class SurpriseOut(Schema):
    id: uuid.UUID
    programme: str
    name: str
    state: Literal["draft", "live", "stopped"]
    version: int
    sentence: str
    plan: SurprisePlan
    reward: uuid.UUID
    segment: uuid.UUID | None
    winners_today: int = Field(description="Who would win today, before budget and stock.")
    drawn_on: dt.date | None


def reward_out(reward: Reward) -> dict[str, Any]:
    rule = reward_rule(reward.version_id)
    counts = reward.counts.filter(member=None).values_list("taken", flat=True)
    return {
        "id": reward.public_id, "programme": reward.programme.key, "name": reward.name,
        "state": reward.state, "version": reward.version.number, "taken": counts.first() or 0,
        "plan": _plan(RewardPlan, rule), "segment": _segment(rule.segment_id),
        "incentive": Incentive.objects.values_list("public_id", flat=True).get(pk=rule.incentive_id),
    }  # fmt: skip


def offered_out(one: Offered) -> dict[str, Any]:
    rule = one.rule
    why = one.refusal
    return {
        "id": one.reward.public_id, "names": rule.names, "descriptions": rule.descriptions,
        "image_url": rule.image_url, "kind": rule.kind, "price": rule.price, "can_have": one.can_have,
        "refusal": {"code": why.code, "params": dict(why.params), "sentence": str(why)} if why else None,
        "short": one.short, "left": one.left, "ends_at": rule.ends_at,
    }  # fmt: skip


def claim_out(claim: Claim) -> dict[str, Any]:
    code = getattr(claim.grant, "code", None)
    return {
        "id": claim.public_id, "reward": claim.reward.public_id, "name": claim.reward.name,
        "customer": claim.member.customer.public_id, "programme": claim.reward.programme.key, "state": claim.state,
        "price": claim.price, "code": code.code if code and claim.state == Claim.State.CLAIMED else None,
        "claimed_at": claim.claimed_at, "ended_at": claim.ended_at,
    }  # fmt: skip


def choice_out(passing: Passing) -> dict[str, Any]:
    milestone = milestone_of(passing)
    numbers = milestone.gives.rewards if milestone else ()
    rewards = dict(Reward.objects.filter(pk__in=numbers).values_list("pk", "public_id"))
    return {
        "id": passing.public_id, "programme": passing.member.programme.key,
        "customer": passing.member.customer.public_id, "milestone": passing.milestone,
        "names": milestone.names if milestone else {}, "state": passing.state, "choose_until": passing.choose_until,
        "rewards": [rewards[pk] for pk in numbers if pk in rewards],
        "claim": passing.claim.public_id if passing.claim else None,
    }  # fmt: skip


def challenge_out(challenge: Challenge) -> dict[str, Any]:
    rule = challenge_rule(challenge.version_id)
    return {
        "id": challenge.public_id, "programme": challenge.programme.key, "name": challenge.name,
        "state": challenge.state, "version": challenge.version.number,
        "sentence": capfirst(rule.sentence(teller_of(challenge.programme))),
        "plan": _plan(ChallengePlan, rule), "reward": _reward(rule.reward_id), "segment": _segment(rule.segment_id),
    }  # fmt: skip


def progress_out(one: Progress, teller: Teller) -> dict[str, Any]:
    rule = one.rule
    return {
        "id": one.challenge.public_id, "names": rule.names, "descriptions": rule.descriptions,
        "image_url": rule.image_url, "sentence": capfirst(rule.sentence(teller)), "done": one.done,
        "target": one.target, "ends_at": rule.ends_at, "completed_at": one.completed_at,
    }  # fmt: skip


def badge_out(completion: Completion) -> dict[str, Any]:
    rule = challenge_rule(completion.version_id)
    return {
        "challenge": completion.challenge.public_id, "programme": completion.challenge.programme.key,
        "names": rule.names, "image_url": rule.image_url, "earned_at": completion.completed_at,
    }  # fmt: skip


def surprise_out(surprise: Surprise, winners_today: int) -> dict[str, Any]:
    rule = surprise_rule(surprise.version_id)
    return {
        "id": surprise.public_id, "programme": surprise.programme.key, "name": surprise.name, "state": surprise.state,
        "version": surprise.version.number, "sentence": rule.sentence(), "plan": _plan(SurprisePlan, rule),
        "reward": _reward(rule.reward_id), "segment": _segment(rule.segment_id), "winners_today": winners_today,
        "drawn_on": surprise.drawn_on,
    }  # fmt: skip


def _plan(kind: type[BaseModel], rule: Any) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in kind.model_fields}


def _segment(pk: int | None) -> uuid.UUID | None:
    return Segment.objects.values_list("public_id", flat=True).get(pk=pk) if pk else None


def _reward(pk: int | None) -> uuid.UUID | None:
    return Reward.objects.values_list("public_id", flat=True).get(pk=pk) if pk else None
