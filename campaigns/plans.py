"""What a campaign is, whole, as the JSON of its version: who, when, what, how, until when."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from django import forms
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from campaigns.models import Campaign
from retention import registries
from retention.customers.models.people import Channel

Id = Annotated[int, Field(ge=1, lt=2**63)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlannedStep(Part):
    """A wait after the step before (or after the occasion), then something given, something said, or both."""

    delay_hours: Annotated[int, Field(ge=0, le=24 * 3660)] = 0
    incentive: Id | None = None
    template: Id | None = None
    channel: Channel = Channel.EMAIL

    @model_validator(mode="after")
    def does_something(self) -> PlannedStep:
        if self.incentive is None and self.template is None:
            raise ValueError("a step gives something or says something")
        return self

    @property
    def delay(self) -> dt.timedelta:
        return dt.timedelta(hours=self.delay_hours)


class Plan(Part):
    """The whole plan. `audience` and `excluded` are segments; without an audience everyone is meant."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    playbook: Annotated[str, Field(max_length=60)] = ""
    audience: Id | None = None
    excluded: Id | None = None
    countries: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")], ...] = ()
    occasion: str
    occasion_args: dict[str, Any] = {}
    lateness_hours: Annotated[int, Field(ge=1, le=24 * 60)] = 48
    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    steps: Annotated[tuple[PlannedStep, ...], Field(min_length=1, max_length=20)]

    @field_validator("occasion")
    @classmethod
    def is_an_occasion(cls, key: str) -> str:
        if key not in registries.occasions:
            raise ValueError(f"there is no occasion {key!r}")
        return key

    @model_validator(mode="after")
    def fits(self) -> Plan:
        if self.starts_at and self.ends_at and self.starts_at >= self.ends_at:
            raise ValueError("the end must come after the start")
        try:
            self.cleaned_args()
        except forms.ValidationError as error:
            words = [f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items()]
            raise ValueError("; ".join(words)) from None
        return self

    @property
    def of(self) -> type[registries.Occasion]:
        return registries.occasions[self.occasion]

    def cleaned_args(self) -> dict[str, Any]:
        return self.of.clean(self.occasion_args)

    @property
    def lateness(self) -> dt.timedelta:
        return dt.timedelta(hours=self.lateness_hours)

    @property
    def first_template(self) -> int | None:
        """Of the first message, whatever step it comes with: it decides who can be written to."""
        return next((step.template for step in self.steps if step.template), None)

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


def plan_of(campaign: Campaign) -> Plan:
    """The plan as last saved."""
    return Plan.model_validate(campaign.version.data)


def running_plan(campaign: Campaign) -> Plan:
    """The plan that was approved: what runs, whatever was saved since."""
    return Plan.model_validate(campaign.approved_version.data)
