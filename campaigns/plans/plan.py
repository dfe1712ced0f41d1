"""What a campaign is, whole, as the JSON of its version: who, when, what, how, until when."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Annotated, Any

from django import forms
from pydantic import AwareDatetime, Field, StringConstraints, field_validator, model_validator

from campaigns.models import Campaign
from campaigns.plans.bounds import Days, Exits, Goal, Hours, Limits, Ramp, ReEntry, StartsLow
from campaigns.plans.steps import END, Id, Part, PlannedStep, Variant
from retention import registries
from retention.audit.models import Version


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
    goal: Goal = Goal()
    exits: Exits = Exits()
    re_entry: ReEntry | None = None
    cool_down_days: Days | None = None
    starts_low: StartsLow | None = None
    limits: Limits = Limits()
    ramp: Ramp | None = None
    windows: Annotated[tuple[Hours, ...], Field(max_length=14)] = ()
    holdout_percent: Annotated[int, Field(ge=0, le=50)] = 0
    ignores_global_holdout: bool = False
    variants: Annotated[tuple[Variant, ...], Field(max_length=8)] = ()
    experiment: Annotated[int, Field(ge=1, le=10_000, description="Another number draws the arms anew.")] = 1

    @model_validator(mode="before")
    @classmethod
    def with_keys(cls, data: Any) -> Any:
        """Steps that were not named are step-1, step-2, …"""
        steps = data.get("steps") if isinstance(data, dict) else None
        if not isinstance(steps, list | tuple):
            return data
        named = [
            {"key": f"step-{place}", **step} if isinstance(step, dict) else step
            for place, step in enumerate(steps, start=1)
        ]
        return {**data, "steps": named}

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

    @model_validator(mode="after")
    def leads_forward(self) -> Plan:
        keys = [step.key for step in self.steps]
        if len(set(keys)) != len(keys) or END in keys:
            raise ValueError(f"each step has a key of its own, and none is {END!r}")
        for place, step in enumerate(self.steps):
            for target in (step.then, step.otherwise):
                if target is not None and target not in (END, *keys[place + 1 :]):
                    raise ValueError(f"step {step.key!r} cannot lead to {target!r}: steps lead forward, or to the end")
        if self.starts_low is not None and self.starts_low.others_at not in keys[1:]:
            raise ValueError("those who are used to discounts begin at a step after the first")
        for variant in self.variants:
            if unknown := sorted(set(variant.steps) - set(keys)):
                raise ValueError(f"variant {variant.key!r} changes the step {unknown[0]!r}, which is not there")
        if len({variant.key for variant in self.variants}) != len(self.variants) or len(self.variants) == 1:
            raise ValueError("a test has at least two variants, each with a key of its own")
        return self

    @property
    def of(self) -> type[registries.Occasion]:
        return registries.occasions[self.occasion]

    def cleaned_args(self) -> dict[str, Any]:
        return self.of.clean(self.occasion_args)

    @property
    def lateness(self) -> dt.timedelta:
        return dt.timedelta(hours=self.lateness_hours)

    def over_at(self, shop_zone: str) -> dt.datetime | None:
        """From when on nothing falls due any more; None: it goes on."""
        last = self.of.last_due_at(self.cleaned_args(), shop_zone)
        return min((at for at in (self.ends_at, last and last + self.lateness) if at), default=None)

    @property
    def begins_plainly(self) -> bool:
        """Nothing is asked before the first step, so that it is taken in the statements that touch."""
        first = self.steps[0]
        return not (
            first.wait.is_by_her_clock
            or first.only_for
            or len(first.messages) > 1
            or self.exits != Exits()
            or self.limits != Limits()
            or self.re_entry
            or self.cool_down_days
            or self.starts_low
            or self.ramp
            or self.windows
            or self.variants
        )

    @property
    def first_messages(self) -> tuple[int, ...]:
        """Of the first step that says something: they decide who can be written to."""
        return next((step.messages for step in self.steps if step.messages), ())

    @property
    def templates(self) -> set[int]:
        """Every template that it names."""
        changed = (change.messages or () for variant in self.variants for change in variant.steps.values())
        return {pk for messages in (*(step.messages for step in self.steps), *changed) for pk in messages}

    @property
    def incentives(self) -> set[int]:
        """Every incentive that it names."""
        changed = {change.incentive for variant in self.variants for change in variant.steps.values()}
        return {pk for pk in {step.incentive for step in self.steps} | changed if pk}

    @property
    def segments(self) -> set[int]:
        """Every segment that it names."""
        return {
            pk
            for pk in (self.audience, self.excluded, self.exits.segment, *(step.only_for for step in self.steps))
            if pk
        }

    def index_of(self, key: str) -> int:
        """The place of the step with this key."""
        return next(index for index, step in enumerate(self.steps) if step.key == key)

    def step_for(self, index: int, variant: str) -> PlannedStep:
        """The step as this arm of the test has it; "" is the plan's own."""
        step = self.steps[index]
        arm = next((arm for arm in self.variants if arm.key == variant), None)
        change = arm.steps.get(step.key) if arm else None
        if change is None:
            return step
        return step.model_copy(update={name: value for name, value in change if value is not None})

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


@lru_cache(maxsize=1_000)
def plan_of_version(version_id: int) -> Plan:
    """The plan that a version holds; read once a process, since versions never change."""
    return Plan.model_validate(Version.objects.values_list("data", flat=True).get(pk=version_id))


def plan_of(campaign: Campaign) -> Plan:
    """The plan as last saved."""
    return Plan.model_validate(campaign.version.data)


def running_plan(campaign: Campaign) -> Plan:
    """The plan that was approved: what runs, whatever was saved since."""
    return plan_of_version(campaign.approved_version_id)
