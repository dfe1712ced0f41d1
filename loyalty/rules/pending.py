"""When what was earned can be spent: at once, some days after, from a day on, or after an event."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from loyalty.sentences import Teller
from retention import clock
from retention.incentives.parts import Part
from retention.ledger.units import day_end

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Waiting:
    """How one earning waits: until an instant, or for an event; until when it can be spent, where that is fixed."""

    active_at: dt.datetime | None = None
    event: str = ""
    expires_at: dt.datetime | None = None


@dataclass(frozen=True)
class Moment:
    """What a wait is reckoned from: when the fact happened, and of an order its number and when it was fulfilled."""

    happened_at: dt.datetime
    customer_id: int
    programme_id: int
    order_id: int | None = None
    fulfilled_at: dt.datetime | None = None


class AtOnce(Part):
    kind: Literal["at_once"] = "at_once"

    def waiting(self, moment: Moment, zone: str) -> Waiting:
        return Waiting()

    def sentence(self, teller: Teller) -> str:
        return teller.say("at_once")


class AfterDays(Part):
    """Until so many whole days of the shop's after it happened are over; those of an order after it was fulfilled.

    Under `since` "fulfilled" the value of an order that is under way waits for that; everything else for its days.
    """

    kind: Literal["days"] = "days"
    days: Annotated[int, Field(ge=1, le=366)]
    since: Literal["paid", "fulfilled"] = "paid"

    def waiting(self, moment: Moment, zone: str) -> Waiting:
        begins = moment.happened_at
        if self.since == "fulfilled" and moment.order_id is not None:
            if moment.fulfilled_at is None:
                return Waiting(event=fulfilled_event(moment.order_id, self.days))
            begins = moment.fulfilled_at
        return Waiting(active_at=days_after(begins, self.days, zone))

    def sentence(self, teller: Teller) -> str:
        return teller.say(f"after_{self.since}", self.days)


class FromDate(Part):
    """From one day on, and until the end of another: the next window of store cash."""

    kind: Literal["date"] = "date"
    on: dt.date
    until: dt.date | None = None

    @model_validator(mode="after")
    def is_a_stretch(self) -> FromDate:
        if self.until is not None and self.until < self.on:
            raise ValueError("it cannot end before it begins")
        return self

    def is_over(self, day: dt.date) -> bool:
        return self.until is not None and day > self.until

    def waiting(self, moment: Moment, zone: str) -> Waiting:
        begins = clock.local_instant(self.on, dt.time(), zone)
        return Waiting(active_at=max(begins, moment.happened_at), expires_at=day_end(self.until, zone))

    def sentence(self, teller: Teller) -> str:
        if self.until is None:
            return teller.say("from_date", on=teller.day(self.on))
        return teller.say("from_date_until", on=teller.day(self.on), until=teller.day(self.until))


class UntilEvent(Part):
    """Until she does something, such as answering a survey or coming to an appointment."""

    kind: Literal["event"] = "event"
    activity: Annotated[str, StringConstraints(min_length=1, max_length=60)]

    def waiting(self, moment: Moment, zone: str) -> Waiting:
        return Waiting(event=activity_event(moment.programme_id, self.activity, moment.customer_id))

    def sentence(self, teller: Teller) -> str:
        return teller.say("after_event", kind=teller.kind(self.activity))


Pending = Annotated[AtOnce | AfterDays | FromDate | UntilEvent, Field(discriminator="kind")]


def days_after(at: dt.datetime, days: int, zone: str) -> dt.datetime:
    """The shop's midnight that ends the last of so many days after the one of `at`."""
    ends = day_end(at.astimezone(clock.zone(zone)).date() + days * _DAY, zone)
    assert ends is not None
    return ends


def fulfilled_event(order_id: int, days: int) -> str:
    return f"loyalty.fulfilled:{days}:{order_id}"


def activity_event(programme_id: int, activity: str, customer_id: int) -> str:
    return f"loyalty.{programme_id}:{activity}:{customer_id}"
