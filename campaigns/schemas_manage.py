"""What the endpoints that manage campaigns take and give; plans name rows by the ids that the API knows."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from ninja import Schema
from pydantic import ConfigDict, Field, StrictInt, StringConstraints
from pydantic import ValidationError as PlanError

from campaigns.forecasts import unforeseen
from campaigns.operations import Forecast
from campaigns.plans import Plan
from campaigns.plans.references import Kind, places, told_by
from campaigns.reasons import reason_text
from campaigns.sentences import summary
from retention.incentives.models import Incentive
from retention.messaging.models import Template
from retention.refusals import Refused
from retention.segments.models import Segment

Why = Annotated[str, StringConstraints(max_length=300)]
_MODELS: dict[Kind, Any] = {"segments": Segment, "incentives": Incentive, "templates": Template}


class UnknownPart(Refused):
    code = "campaigns.unknown_part"
    sentence = _("The plan names %(what)s %(id)s, and there is no such row.")
    status = 422


class Body(Schema):
    model_config = ConfigDict(extra="forbid")


class CampaignIn(Body):
    plan: dict[str, Any] = Field(
        description="As `plan` of the answer: name, occasion, occasion_args, steps, what bounds it; rows by their ids."
    )
    why: Why = ""


class CampaignChanges(CampaignIn):
    edited: Annotated[StrictInt, Field(ge=1)] = Field(description="The version that was read before this change.")


class ApprovalIn(Body):
    version: Annotated[StrictInt, Field(ge=1, lt=2**31)] = Field(description="The one that was looked at.")


class RejectionIn(Body):
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


class WideningIn(Body):
    """One of both, or neither: then it is open to everyone."""

    percent: Annotated[StrictInt, Field(ge=1, le=99)] | None = None
    first: Annotated[StrictInt, Field(ge=1, lt=2**31)] | None = None


class SkippedOut(Schema):
    reason: str
    reason_text: str
    count: int


class StepOut(Schema):
    key: str
    customers: int


class ForecastOut(Schema):
    sentence: str = Field(description="The whole plan in a few sentences.")
    days: int
    is_ahead: bool = Field(description="Of the next days; otherwise of the last ones, as a measure.")
    customers: int | None = Field(description="Absent where counting takes too long.")
    later: int = Field(description="Of the customers: only after these days, since no more are touched a day.")
    steps: list[StepOut] = Field(description="Customers who would take each step, if nobody leaves before.")
    unforeseen: str = Field(description="What these figures leave out, because nobody knows it today.")
    skipped: list[SkippedOut]
    cost_minor: int | None = Field(description="At most, if everyone uses hers once; absent where nobody can say.")
    currency: str
    cost_words: str


def read_plan(data: Mapping[str, Any]) -> Plan:
    """The plan that was sent.

    Raises:
        UnknownPart: it names a row that is not there.
        ValidationError: it is no plan, by field.
    """
    ids = _ids(places(data))

    def own(kind: Kind, said: Any) -> Any:
        if str(said) not in ids[kind]:
            raise UnknownPart(what=_MODELS[kind]._meta.verbose_name, id=str(said)[:40])
        return ids[kind][str(said)]

    try:
        return Plan.model_validate(told_by(data, own))
    except PlanError as error:
        found: dict[str, list[str]] = defaultdict(list)
        for one in error.errors():
            place = "/".join(str(part) for part in ("plan", *one["loc"]))
            found[place].append(one["msg"].removeprefix("Value error, "))
        raise ValidationError(found) from None


def _ids(named: Iterable[tuple[Kind, Any]]) -> dict[Kind, dict[str, int]]:
    wanted: dict[Kind, set[str]] = {kind: set() for kind in _MODELS}
    for kind, said in named:
        try:
            wanted[kind].add(str(uuid.UUID(str(said))))
        except ValueError:
            continue
    return {
        kind: {
            str(key): pk for key, pk in model.objects.filter(public_id__in=wanted[kind]).values_list("public_id", "pk")
        }
        for kind, model in _MODELS.items()
    }


def plan_out(plan: Mapping[str, Any]) -> dict[str, Any]:
    """A plan as kept, but with the ids by which the API knows what it names."""
    wanted: dict[Kind, set[int]] = {kind: set() for kind in _MODELS}
    for kind, pk in places(plan):
        wanted[kind].add(pk)
    known = {
        kind: dict(model.objects.filter(pk__in=wanted[kind]).values_list("pk", "public_id"))
        for kind, model in _MODELS.items()
    }
    return told_by(plan, lambda kind, pk: str(known[kind][pk]) if pk in known[kind] else None)


def forecast_out(plan: Plan, found: Forecast) -> dict[str, Any]:
    return {
        "sentence": summary(plan),
        "days": found.days,
        "is_ahead": found.is_ahead,
        "customers": found.heads,
        "later": found.later,
        "steps": [{"key": step.key, "customers": heads} for step, heads in zip(plan.steps, found.steps, strict=False)],
        "unforeseen": unforeseen(plan),
        "skipped": [
            {"reason": code, "reason_text": reason_text(code), "count": count}
            for code, count in sorted(found.skipped.items())
        ],
        "cost_minor": found.cost_minor,
        "currency": found.currency,
        "cost_words": found.cost_words,
    }
