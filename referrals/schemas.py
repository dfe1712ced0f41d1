"""What the endpoints of schemes, advocates and referrals take and give; rows by the ids that the API knows."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import ConfigDict, Field, StrictInt, StringConstraints

from referrals.models import Advocate, Referral, Scheme
from referrals.reasons import sentences
from referrals.references import FIELDS, rule_out
from referrals.rules import SchemeRule
from referrals.sharing import link_of
from retention.doors.documents import rule_of

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Why = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
VisitorKey = Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)]
#: A fingerprint or an address: only a keyed hash is kept.
Told = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
Channel = Annotated[str, StringConstraints(pattern=r"^[a-z_]{0,20}$")]
Language = Annotated[str, StringConstraints(pattern=r"^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$")]
Persona = Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)]


Said = Annotated[
    dict[str, Any],
    rule_of(SchemeRule, ids=FIELDS),
    Field(description="The whole rule, as the answer has it; incentives, templates and segments by their ids."),
]


class Body(Schema):
    model_config = ConfigDict(extra="forbid")


class SchemeIn(Body):
    key: Key
    rule: Said
    why: Why = ""


class SchemeChanges(Body):
    edited: Annotated[StrictInt, Field(ge=1)] = Field(description="The version that was read before this change.")
    rule: Said
    why: Why = ""


class SchemeOut(Schema):
    id: uuid.UUID
    key: str
    name: str
    kind: Literal["customers", "partners"]
    state: Literal["draft", "live", "paused", "ended"]
    version: int
    launched_at: dt.datetime | None


class SchemeWithRuleOut(SchemeOut):
    rule: dict[str, Any]


class AdvocatesIn(Body):
    customers: Annotated[list[uuid.UUID], Field(min_length=1, max_length=5_000)]


class ReferralLinkIn(Body):
    customer: uuid.UUID
    scheme: Key | None = Field(default=None, description="Its key; the one that is for her, if it is not said.")
    language: Language = Field(default="", description="Of the texts; hers, if it is not said.")
    persona: Persona = Field(default="", description="Whose texts; by her segments, if it is not said.")
    device: Told = Field(default="", description="A fingerprint of her browser or app; only a keyed hash is kept.")
    network: Told = Field(default="", description="Her IP address; only a keyed hash is kept.")


class AdvocateLinkOut(Schema):
    customer: uuid.UUID
    id: uuid.UUID
    code: str
    link: str


class OpenedOut(Schema):
    new: int
    advocates: list[AdvocateLinkOut]


class ReferralShareOut(Schema):
    channel: str
    persona: str
    language: str
    subject: str
    text: str
    link: str


class ReferralLinkOut(Schema):
    id: uuid.UUID = Field(description="The advocate's.")
    scheme: str
    code: str
    link: str
    friend_gets: str
    shares: list[ReferralShareOut]


class AdvocateOut(Schema):
    id: uuid.UUID
    scheme: str
    customer: uuid.UUID | None = Field(description="Empty for a partner.")
    code: str
    link: str
    joined_at: dt.datetime
    is_blocked: bool
    visits: int
    referred: int
    waiting: int
    rewarded: int


class VisitIn(Body):
    code: Code
    visitor_key: VisitorKey = ""
    channel: Channel = ""
    device: Told = ""
    network: Told = ""


class VisitOut(Schema):
    scheme: str
    advocate: uuid.UUID
    code: str
    friend_gets: str


class ReferralIn(Body):
    code: Code
    customer: uuid.UUID = Field(description="The friend.")
    visitor_key: VisitorKey = ""
    channel: Channel = ""
    device: Told = ""
    network: Told = ""
    order_reference: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = Field(
        default="", description="Of the order for which she typed the code."
    )


class ReferralDecisionIn(Body):
    why: Why = ""


class ReferralReasonOut(Schema):
    code: str
    sentence: str


class ReferralStepOut(Schema):
    state: str
    at: dt.datetime
    by: str
    reasons: list[ReferralReasonOut]


class ReferralOut(Schema):
    id: uuid.UUID
    scheme: str
    advocate: uuid.UUID
    friend: uuid.UUID
    state: Literal[
        "claimed", "pending", "hold", "review", "approved", "rewarded", "rejected", "lapsed", "reversed"
    ]  # fmt: skip
    score: int
    level: int | None
    claimed_at: dt.datetime
    qualified_at: dt.datetime | None
    due_at: dt.datetime | None
    ended_at: dt.datetime | None
    friend_code: str | None = Field(description="Of her welcome, where it is a code.")
    steps: list[ReferralStepOut]


def scheme_out(scheme: Scheme) -> dict[str, Any]:
    return {
        "id": scheme.public_id,
        "key": scheme.key,
        "name": scheme.name,
        "kind": scheme.kind,
        "state": scheme.state,
        "version": scheme.version.number,
        "launched_at": scheme.launched_at,
    }


def scheme_with_rule_out(scheme: Scheme) -> dict[str, Any]:
    return {**scheme_out(scheme), "rule": rule_out(scheme.version.data)}


def advocate_out(advocate: Any) -> dict[str, Any]:
    """Of a row of `querysets.with_counts`."""
    return {
        "id": advocate.public_id,
        "scheme": advocate.scheme.key,
        "customer": advocate.customer.public_id if advocate.customer else None,
        "code": advocate.code,
        "link": link_of(advocate.code),
        "joined_at": advocate.joined_at,
        "is_blocked": advocate.blocked_at is not None,
        "visits": advocate.visited,
        "referred": advocate.referred,
        "waiting": advocate.waiting,
        "rewarded": advocate.rewarded,
    }


def link_out(advocate: Advocate) -> dict[str, Any]:
    """Of a customer's advocate."""
    return {
        "customer": advocate.customer.public_id,
        "id": advocate.public_id,
        "code": advocate.code,
        "link": link_of(advocate.code),
    }


def referral_out(referral: Referral) -> dict[str, Any]:
    welcome = getattr(referral.friend_grant, "code", None)
    return {
        "id": referral.public_id,
        "scheme": referral.scheme.key,
        "advocate": referral.advocate.public_id,
        "friend": referral.friend.public_id,
        "state": referral.state,
        "score": referral.score,
        "level": referral.level,
        "claimed_at": referral.claimed_at,
        "qualified_at": referral.qualified_at,
        "due_at": referral.due_at,
        "ended_at": referral.ended_at,
        "friend_code": welcome.code if welcome else None,
        "steps": [
            {
                "state": step.state,
                "at": step.at,
                "by": step.by,
                "reasons": [
                    {"code": code, "sentence": said}
                    for code, said in zip(step.reasons, sentences(step.reasons, step.params), strict=True)
                ],
            }
            for step in referral.steps.all()
        ],
    }
