"""What the room's endpoints take and give, in the shapes of the HTTP API."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any

from ninja import Schema
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StringConstraints

from retention.segments.models import Membership, Segment
from retention.segments.querysets import Explained

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
About = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
Why = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
Rule = Annotated[
    dict[str, Any],
    Field(
        description='A tree of `{"all": [node, …]}`, `{"any": [node, …]}`, `{"not": node}` and'
        ' `{"key": "country", "args": {"countries": ["DE"]}}`; `{}` is nobody. `segment-conditions/` lists the keys.',
        examples=[{"all": [{"key": "country", "args": {"countries": ["DE", "AT"]}}]}],
    ),
]


class Body(BaseModel):
    """A request: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid")


class SegmentIn(Body):
    name: Name
    rule: Rule
    about: About = ""
    why: Why = ""


class SegmentChanges(Body):
    """What to change; what is absent stays."""

    edited: StrictInt = Field(description="The version you read before; refused where somebody saved since.")
    name: Name | None = None
    rule: Rule | None = None
    about: About | None = None
    why: Why = ""


class PreviewIn(Body):
    rule: Rule


class ExplainIn(Body):
    customer: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=254)] = Field(
        description="Public id, reference or email. In the body, so that no log holds an address."
    )


class SegmentOut(Schema):
    id: uuid.UUID
    key: str | None = Field(description="Of a ready segment.")
    name: str
    about: str
    rule: dict[str, Any]
    sentence: str | None = Field(description="The rule in words; null where it is not valid any more.")
    version: int
    size: int | None
    computed_at: dt.datetime | None
    error: str = Field(description="Why the last refresh failed; empty if it did not.")
    archived_at: dt.datetime | None


class PreviewOut(Schema):
    size: int | None = Field(description="Null where counting takes longer than a few seconds.")
    sample: list[uuid.UUID] | None
    sentence: str


class MemberOut(Schema):
    customer: uuid.UUID
    reference: str | None
    entered_at: dt.datetime


class ExplainedOut(Schema):
    sentence: str
    is_met: bool
    kind: str = Field(description="whole, live, all, any, not, condition or segment.")
    path: str = Field(description="JSON pointer into the rule.")
    parts: list[ExplainedOut]


class ConditionOut(Schema):
    key: str
    label: str
    about: str
    fields: list[dict[str, Any]]


class ConditionGroupOut(Schema):
    label: str
    conditions: list[ConditionOut]


def segment_out(segment: Segment, said: str | None) -> dict[str, Any]:
    return {
        "id": segment.public_id,
        "key": segment.key,
        "name": segment.name,
        "about": segment.about,
        "rule": segment.rule,
        "sentence": said,
        "version": segment.version.number if segment.version else 0,
        "size": segment.size,
        "computed_at": segment.computed_at,
        "error": segment.error,
        "archived_at": segment.archived_at,
    }


def member_out(membership: Membership) -> dict[str, Any]:
    customer = membership.customer
    return {
        "customer": customer.public_id,
        "reference": customer.reference,
        "entered_at": membership.entered_at,
    }


def explained_out(node: Explained) -> dict[str, Any]:
    return {
        "sentence": node.sentence,
        "is_met": node.is_met,
        "kind": node.kind,
        "path": node.path,
        "parts": [explained_out(part) for part in node.parts],
    }
