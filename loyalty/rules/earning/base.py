"""What every earning rule is: when it holds, for whom, how much and how often at most."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from loyalty.rules.parts import Amount, Key, Names
from loyalty.sentences import Teller
from retention.incentives.parts import Part, Word


class Cap(Part):
    """So much, or so often, within a day, week (from Monday), month or year of the shop's calendar, or for life."""

    model_config = ConfigDict(title="EarningCap")

    most: Amount
    of: Literal["amount", "times"] = "amount"
    per: Literal["day", "week", "month", "year", "life"] = "month"

    def stretch(self, at: dt.datetime) -> tuple[int, ...]:
        """Which of them a local time lies in; those of one stretch are equal."""
        day = at.date()
        return {
            "day": (day.year, day.month, day.day),
            "week": day.isocalendar()[:2],
            "month": (day.year, day.month),
            "year": (day.year,),
            "life": (),
        }[self.per]

    def sentence(self, teller: Teller) -> str:
        stretch = teller.say(f"stretch_{self.per}")
        if self.of == "amount":
            return teller.say("most_amount", n=teller.amount(self.most), stretch=stretch)
        return teller.say("most_times", self.most, stretch=stretch)


class When(Part):
    """Weekdays (0 is Monday), hours and days of the shop's calendar; what is not said does not matter.

    Hours are from `from_` and before `until`; 00:00 is the end of the day. `days` are single ones.
    `in_birth_month`: only in the month of her birthday.
    """

    weekdays: Annotated[tuple[Annotated[int, Field(ge=0, le=6)], ...], Field(max_length=7)] = ()
    from_: dt.time | None = None
    until: dt.time | None = None
    starts_on: dt.date | None = None
    ends_on: dt.date | None = None
    days: Annotated[tuple[dt.date, ...], Field(max_length=366)] = ()
    in_birth_month: bool = False

    @field_validator("weekdays")
    @classmethod
    def are_distinct(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(days)))

    @model_validator(mode="after")
    def are_stretches(self) -> When:
        if (self.from_ is None) != (self.until is None):
            raise ValueError("hours have a beginning and an end")
        if self.from_ is not None and self.until and self.until != dt.time.min and self.from_ >= self.until:
            raise ValueError("the hours end after they begin; a night is two rules")
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValueError("the last day cannot come before the first")
        return self

    def holds(self, at: dt.datetime) -> bool:
        """Whether a local time is meant."""
        day, hour = at.date(), at.time()
        if self.weekdays and day.weekday() not in self.weekdays or self.days and day not in self.days:
            return False
        if self.from_ is not None and not (self.from_ <= hour and (self.until == dt.time.min or hour < self.until)):
            return False
        return not (self.starts_on and day < self.starts_on or self.ends_on and day > self.ends_on)

    def sentences(self, teller: Teller) -> list[str]:
        words = []
        if self.weekdays:
            names = teller.say("weekdays").split()
            words.append(teller.say("on_weekdays", days=teller.listed(names[day] for day in self.weekdays)))
        if self.from_ is not None and self.until is not None:
            words.append(teller.say("hours", a=teller.hour(self.from_), b=teller.hour(self.until, is_end=True)))
        if self.days:
            words.append(teller.say("on_days", days=teller.any_of(map(teller.day, self.days))))
        first = teller.day(self.starts_on) if self.starts_on else ""
        last = teller.day(self.ends_on) if self.ends_on else ""
        if first and last:
            words.append(teller.say("days", a=first, b=last))
        elif first or last:
            words.append(teller.say("days_from", a=first) if first else teller.say("days_until", b=last))
        return [*words, teller.say("in_birth_month")] if self.in_birth_month else words


class Rule(Part):
    """One reason to earn.

    Attributes:
        names: how customers read it, by language; without any they read its sentence.
        for_tiers: only members of these tiers.
        cool_down_hours: the same rule gives again only so long after it gave.
        is_multiplied: what a member's tier adds is added to this.
        counts_for_tier: whether it takes her towards tiers.
    """

    #: What it is about: "order", "activity", "day", or "bonus" on top of the others.
    about: ClassVar[str]

    key: Key
    names: Annotated[Names, Field(max_length=40)] = {}
    when: When = When()
    for_tiers: Annotated[tuple[Key, ...], Field(max_length=20)] = ()
    caps: Annotated[tuple[Cap, ...], Field(max_length=5)] = ()
    cool_down_hours: Annotated[int, Field(ge=0, le=87_600)] = 0
    is_multiplied: bool = True
    counts_for_tier: bool = True

    def what(self, teller: Teller) -> str:
        """What it gives for what."""
        raise NotImplementedError

    def sentence(self, teller: Teller) -> str:
        words = [self.what(teller), *self.when.sentences(teller)]
        if self.for_tiers:
            words.append(teller.say("for_tiers", tiers=teller.any_of(map(teller.tier, self.for_tiers))))
        words += [cap.sentence(teller) for cap in self.caps]
        if self.cool_down_hours:
            words.append(teller.say("cool_down", self.cool_down_hours))
        return ", ".join(words)


class OfOrders(Rule):
    """A reason about orders: those through some channels, and paid in some ways; without any, all."""

    channels: Annotated[tuple[Word, ...], Field(max_length=20)] = ()
    payment_methods: Annotated[tuple[Word, ...], Field(max_length=20)] = ()

    def ways(self, teller: Teller) -> list[str]:
        said = []
        if self.channels:
            said.append(teller.say("channels", channels=teller.any_of(self.channels)))
        if self.payment_methods:
            said.append(teller.say("payment_methods", methods=teller.any_of(self.payment_methods)))
        return said
