"""What the endpoints that manage incentives and codes take and give, in the shapes of the HTTP API."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import AwareDatetime, Field, StrictInt, StringConstraints

from retention.incentives.cart_conditions import Condition
from retention.incentives.models import Code, CodeBatch, Fulfilment, Grant, Incentive, Ticket
from retention.incentives.rules import CodeSettings, Effect, IncentiveRule, Limits, Stackable, Validity, sentence
from retention.incentives.schemas import Body
from retention.incentives.schemas_out import IncentiveRef
from retention.incentives.versions import rule_of


class IncentiveIn(Body):
    rule: IncentiveRule
    why: Annotated[str, StringConstraints(max_length=300)] = ""


class IncentiveChanges(Body):
    """The parts that change, each whole; what is left out stays."""

    edited: Annotated[StrictInt, Field(ge=1)] = Field(description="The version that was read before this change.")
    why: Annotated[str, StringConstraints(max_length=300)] = ""
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)] | None = None
    effects: Annotated[tuple[Effect, ...], Field(min_length=1, max_length=5)] | None = None
    conditions: Annotated[tuple[Condition, ...], Field(max_length=20)] | None = None
    limits: Limits | None = None
    codes: CodeSettings | None = None
    validity: Validity | None = None
    stacking: Stackable | None = None


class WhyIn(Body):
    why: Annotated[str, StringConstraints(max_length=300)] = ""


class UsedOut(Schema):
    issued: int
    redeemed: int
    spent_minor: dict[str, int]


class IncentiveOut(Schema):
    id: uuid.UUID
    name: str
    state: Literal["draft", "live", "stopped"]
    version: int
    sentence: str
    rule: IncentiveRule
    used: UsedOut


class CodesIn(Body):
    count: Annotated[StrictInt, Field(ge=1, le=5_000_000)]
    purpose: Literal["handout", "pool"] = Field(
        default="handout", description="`handout`: they work at once; `pool`: each works once it is granted."
    )
    expires_at: AwareDatetime | None = None


class BatchOut(Schema):
    id: uuid.UUID
    state: Literal["waiting", "done"]
    purpose: Literal["handout", "pool"]
    wanted: int
    made: int


class CodeOut(Schema):
    code: str
    incentive: IncentiveRef
    state: Literal["free", "reserved", "given", "redeemed", "void"]
    is_public: bool
    version: int
    starts_at: dt.datetime | None
    expires_at: dt.datetime | None
    given_at: dt.datetime | None


def incentive_out(incentive: Incentive, used: Mapping[str, Any]) -> dict[str, Any]:
    rule = rule_of(incentive.version_id)
    return {
        "id": incentive.public_id,
        "name": incentive.name,
        "state": incentive.state,
        "version": incentive.version.number,
        "sentence": sentence(rule),
        "rule": rule,
        "used": used,
    }


def batch_out(batch: CodeBatch) -> dict[str, Any]:
    return {**{name: getattr(batch, name) for name in BatchOut.model_fields}, "id": batch.public_id}


def code_out(code: Code) -> dict[str, Any]:
    return {
        "code": code.code,
        "incentive": {"id": code.incentive.public_id, "name": code.incentive.name},
        "state": code.state,
        "is_public": code.is_public,
        "version": code.version.number,
        "starts_at": code.starts_at,
        "expires_at": code.expires_at,
        "given_at": code.given_at,
    }


class FulfilmentOut(Schema):
    id: uuid.UUID
    what: str
    instructions: str
    state: Literal["open", "done", "cancelled"]
    customer: uuid.UUID | None
    asked_at: dt.datetime
    settled_at: dt.datetime | None
    note: str


class SettleIn(Body):
    note: Annotated[str, StringConstraints(max_length=300)] = ""


class TicketOut(Schema):
    id: uuid.UUID
    name: str
    code: str
    customer: uuid.UUID | None
    checked_in_at: dt.datetime | None
    withdrawn_at: dt.datetime | None


def fulfilment_out(row: Fulfilment) -> dict[str, Any]:
    plain = {name: getattr(row, name) for name in FulfilmentOut.model_fields if name not in ("id", "customer")}
    return {**plain, "id": row.public_id, "customer": _customer(row.grant)}


def ticket_out(ticket: Ticket) -> dict[str, Any]:
    return {
        "id": ticket.public_id,
        "name": ticket.name,
        "code": ticket.grant.code.code,
        "customer": _customer(ticket.grant),
        "checked_in_at": ticket.checked_in_at,
        "withdrawn_at": ticket.withdrawn_at,
    }


def _customer(grant: Grant) -> uuid.UUID | None:
    return grant.customer.public_id if grant.customer else None
