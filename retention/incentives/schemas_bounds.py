"""What the endpoints of budgets and of the checkout policy take and give."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from ninja import Schema
from pydantic import Field, StrictInt, StringConstraints

from retention.incentives.models import Budget, CheckoutPolicy
from retention.incentives.policy import Policy
from retention.incentives.rules import BudgetLimit
from retention.incentives.schemas import Body
from retention.incentives.versions import limits_of, policy_of

Why = Annotated[str, StringConstraints(max_length=300)]
Edited = Annotated[StrictInt, Field(ge=1)]


class PolicyIn(Body):
    policy: Policy
    edited: Edited | None = Field(description="The version that was read before this change; null for the first.")
    why: Why = ""


class PolicyOut(Schema):
    version: int | None
    sentence: str
    policy: Policy


class BudgetIn(Body):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    origin: Annotated[str, StringConstraints(pattern=r"^[a-z_]+\.[a-z_]+$", max_length=40)] = Field(
        description="On whose behalf grants draw on it, such as `campaigns.campaign`."
    )
    origin_id: Annotated[StrictInt, Field(ge=1, le=2**62)]
    limits: Annotated[tuple[BudgetLimit, ...], Field(max_length=20)]
    edited: Edited | None = Field(description="The version that was read before this change; null for a new budget.")
    why: Why = ""


class BudgetOut(Schema):
    id: uuid.UUID
    name: str
    origin: str
    origin_id: int
    version: int
    sentences: list[str]
    limits: list[BudgetLimit]


def policy_out(row: CheckoutPolicy | None) -> dict[str, Any]:
    version = row.version if row else None
    policy = policy_of(version.pk) if version else Policy()
    return {
        "version": version.number if version else None,
        "sentence": ", ".join(policy.sentences()),
        "policy": policy,
    }


def budget_out(budget: Budget) -> dict[str, Any]:
    limits = limits_of(budget.version_id)
    return {
        "id": budget.public_id,
        "name": budget.name,
        "origin": budget.origin,
        "origin_id": budget.origin_id,
        "version": budget.version.number,
        "sentences": limits.sentences(),
        "limits": list(limits.limits),
    }
