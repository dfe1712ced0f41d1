"""What happens to one who is touched: steps with their waits, conditions, gifts and messages."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Id = Annotated[int, Field(ge=1, lt=2**63)]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,19}$")]
#: Where a step may lead: to the next one, to nothing, or to one further on.
END = "end"


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Wait(Part):
    """So many hours; or so many days of her calendar, until an hour of her clock (0: the next time it comes)."""

    hours: Annotated[int, Field(ge=0, le=24 * 3660)] | None = None
    days: Annotated[int, Field(ge=0, le=3660)] | None = None
    hour: dt.time | None = None

    @model_validator(mode="after")
    def is_one_kind(self) -> Wait:
        if (self.hours is None) == (self.days is None) or (self.days is None) != (self.hour is None):
            raise ValueError("a wait is either hours, or days and an hour")
        return self

    @property
    def delay(self) -> dt.timedelta:
        """Of a wait of hours; nothing where it is of days."""
        return dt.timedelta(hours=self.hours or 0)

    @property
    def is_by_her_clock(self) -> bool:
        return self.days is not None


AT_ONCE = Wait(hours=0)


class PlannedStep(Part):
    """A wait after the step before (or after the occasion), then something given, something said, or both.

    Attributes:
        only_for: segment; asked when the step is taken. Those outside go on with `otherwise`.
        then, otherwise: key of a step further on, "end", or None for the next one.
        messages: templates, one a channel.
        reach: "first": by the channel she prefers, else the first in this order, by which she may be written to.
    """

    key: Key
    wait: Wait = AT_ONCE
    only_for: Id | None = None
    otherwise: Key | None = None
    then: Key | None = None
    incentive: Id | None = None
    messages: Annotated[tuple[Id, ...], Field(max_length=10)] = ()
    reach: Literal["first", "all"] = "first"

    @model_validator(mode="after")
    def does_something(self) -> PlannedStep:
        if self.incentive is None and not self.messages:
            raise ValueError("a step gives something or says something")
        if self.otherwise is not None and self.only_for is None:
            raise ValueError("a step without a condition has nobody to lead elsewhere")
        if len(set(self.messages)) != len(self.messages):
            raise ValueError("each message is said once")
        return self


class Change(Part):
    """What a variant does differently at one step; None leaves it as it is."""

    messages: Annotated[tuple[Id, ...], Field(min_length=1, max_length=10)] | None = None
    incentive: Id | None = None
    wait: Wait | None = None


class Variant(Part):
    """One arm of a test: as the plan, but for some steps."""

    key: Key
    label: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
    weight: Annotated[int, Field(ge=1, le=1_000)] = 1
    steps: dict[Key, Change] = {}
