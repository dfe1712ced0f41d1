"""What bounds a campaign: goal and exits, coming again, limits, opening by and by, and the hours of the week."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from campaigns.plans.steps import Id, Key, Part

Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
Days = Annotated[int, Field(ge=1, le=3660)]


class Goal(Part):
    """What the campaign is for: done within so many days after its occasion, she has converted."""

    kind: Literal["order", "activity", "redemption"] = "order"
    activity: Annotated[str, StringConstraints(min_length=1, max_length=60)] | None = None
    days: Days = 30

    @model_validator(mode="after")
    def names_its_activity(self) -> Goal:
        if (self.kind == "activity") != (self.activity is not None):
            raise ValueError("a goal names an activity exactly where it is one")
        return self


class Exits(Part):
    """When no further step is taken: she did what it is for, or she is in a segment."""

    on_goal: bool = False
    segment: Id | None = None


class ReEntry(Part):
    days: Days


class Limits(Part):
    """How many customers are touched: in all, on one day of the shop's, and how often one of them."""

    touches: Count | None = None
    touches_a_day: Count | None = None
    per_customer: Count | None = None


class Ramp(Part):
    """Opened to so many percent, or to so many customers, until it is widened."""

    percent: Annotated[int, Field(ge=1, le=99)] | None = None
    first: Count | None = None

    @model_validator(mode="after")
    def is_one_kind(self) -> Ramp:
        if (self.percent is None) == (self.first is None):
            raise ValueError("it opens to a share of the customers, or to so many of them")
        return self


class StartsLow(Part):
    """Those who buy at full price begin at the first step; the others, used to discounts, further on.

    Attributes:
        others_at: key of the step where the others begin.
        below_percent: of what her orders would have cost, so little was taken off for a buyer at full price.
    """

    others_at: Key
    below_percent: Annotated[int, Field(ge=1, le=100)] = 10


class Hours(Part):
    """Weekdays (0 is Monday) with a stretch of the day, by her own clock; until 00:00 is the end of the day."""

    weekdays: Annotated[tuple[Annotated[int, Field(ge=0, le=6)], ...], Field(min_length=1, max_length=7)]
    from_: Annotated[dt.time, Field(alias="from")]
    until: dt.time

    model_config = {"frozen": True, "extra": "forbid", "populate_by_name": True, "serialize_by_alias": True}

    @field_validator("weekdays")
    @classmethod
    def are_distinct(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(days)))

    @model_validator(mode="after")
    def is_a_stretch(self) -> Hours:
        if self.until != dt.time.min and self.from_ >= self.until:
            raise ValueError("the hours end after they begin; a night is two stretches")
        return self
