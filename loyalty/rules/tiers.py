"""The steps of a programme: what takes a member to each of them, for how long, and what it brings her."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, model_validator

from loyalty.rules.parts import Key, Names
from loyalty.sentences import Teller
from retention import clock
from retention.incentives.parts import Part
from retention.ledger.units import After, EachYear, Expiry, Never, day_end, months_later

_DAY = dt.timedelta(days=1)


class CalendarYear(Part):
    """What she does from 1 January to 31 December."""

    kind: Literal["calendar_year"] = "calendar_year"

    def first_day(self, day: dt.date) -> dt.date | None:
        return dt.date(day.year, 1, 1)


class Rolling(Part):
    """What she did in so many months up to a day, that day included."""

    kind: Literal["rolling"] = "rolling"
    months: Annotated[int, Field(ge=1, le=120)] = 12

    def first_day(self, day: dt.date) -> dt.date | None:
        return months_later(day, -self.months) + _DAY


class Life(Part):
    """Everything she ever did."""

    kind: Literal["life"] = "life"

    def first_day(self, day: dt.date) -> dt.date | None:
        return None


Window = Annotated[CalendarYear | Rolling | Life, Field(discriminator="kind")]


class Perk(Part):
    """One thing that members of a tier have, in words by language.

    `incentive` is the number of an automatic offer for this tier that makes it true at the checkout.
    """

    names: Annotated[Names, Field(min_length=1, max_length=40)]
    incentive: Annotated[int, Field(ge=1)] | None = None


class TierStep(Part):
    """One tier.

    Attributes:
        threshold: how much of what counts takes a member there; None: by invitation alone.
        percent: what its members earn, in percent of what others do.
        rewards: numbers of the incentives that she is given when she rises to it.
    """

    key: Key
    names: Annotated[Names, Field(min_length=1, max_length=40)]
    threshold: Annotated[int, Field(ge=0, le=10**12)] | None = None
    percent: Annotated[int, Field(ge=1, le=10_000)] = 100
    perks: Annotated[tuple[Perk, ...], Field(max_length=20)] = ()
    rewards: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(max_length=5)] = ()

    def name(self, language: str, default: str) -> str:
        return self.names.get(language) or self.names.get(default) or next(iter(self.names.values()))


class TierRules(Part):
    """The tiers of a programme, the lowest first; without any it has none.

    A member rises as soon as she reaches a tier, and is looked at again when its time and the grace are over: by what
    counted in the window that ended with its time, and what she did in the days of grace beside.

    Attributes:
        measure: "points": what she earned; "spend": what her orders came to in the base currency, shipping included,
            less what was paid back, and of that the share that was paid by what the programme earns on; "orders": how
            many she bought and did not return whole; orders count by their own day, hers as a member or not.
            "invitation": nothing counts, tiers are given by hand.
        validity: until when a tier is hers, from the day on which she rose to it or kept it.
        downgrade: who did not keep it up falls not at all ("none": its time has no end), one step, or to what she
            reaches. A tier by invitation is nowhere to fall to.
        returned: what came back no longer counts. "keep": she has her tier until its time is over all the same;
            "lower": she falls to what is left since the window in which she rose to it.
    """

    measure: Literal["points", "spend", "orders", "invitation"] = "points"
    window: Window = CalendarYear()
    steps: Annotated[tuple[TierStep, ...], Field(max_length=20)] = ()
    validity: Expiry = Never()
    grace_days: Annotated[int, Field(ge=0, le=366)] = 0
    downgrade: Literal["none", "one_step", "reassess"] = "reassess"
    returned: Literal["keep", "lower"] = "keep"

    @model_validator(mode="after")
    def steps_rise(self) -> TierRules:
        keys = [step.key for step in self.steps]
        if len(set(keys)) != len(keys):
            raise ValueError("two tiers have the same key")
        thresholds = [step.threshold for step in self.steps if step.threshold is not None]
        if any(low >= high for low, high in zip(thresholds, thresholds[1:], strict=False)):
            raise ValueError("each tier takes more than the one below it")
        if self.measure == "invitation" and thresholds:
            raise ValueError("where tiers are by invitation, nothing takes a member to one")
        return self

    def percent(self, tier: str) -> int:
        """What members of this tier earn, in percent of what others do; 100 of an unknown one."""
        return next((step.percent for step in self.steps if step.key == tier), 100)

    def step(self, key: str) -> TierStep | None:
        return next((step for step in self.steps if step.key == key), None)

    def rank(self, key: str) -> int:
        """1 is the lowest; 0: there is none of this key."""
        return next((rank for rank, step in enumerate(self.steps, 1) if step.key == key), 0)

    def reached(self, counted: int) -> int:
        """The rank that so much takes a member to; 0: to none."""
        reached = 0
        for rank, step in enumerate(self.steps, 1):
            if step.threshold is not None and counted >= step.threshold:
                reached = rank
        return reached

    def fallen(self, rank: int, reached: int) -> int:
        """The rank of a member whose time is over and who reaches less than she had."""
        if self.downgrade == "none":
            return rank
        if self.downgrade == "reassess":
            return reached
        lower = (below for below in range(rank - 1, 0, -1) if self._may_fall_to(below))
        return max(next(lower, 0), reached)

    def _may_fall_to(self, rank: int) -> bool:
        return self.measure == "invitation" or self.steps[rank - 1].threshold is not None

    def last_day(self, day: dt.date) -> dt.date | None:
        """The last day, without grace, of a tier that is hers from a day on; None: it has no end."""
        return None if self.downgrade == "none" else self.validity.last_day(day)

    def next_last_day(self, last: dt.date) -> dt.date | None:
        """The last day of a tier that she kept on what was its last one."""
        then = self.last_day(last)
        return self.last_day(last + _DAY) if then and then <= last else then

    def looked_at(self, last: dt.date | None, zone: str) -> dt.datetime | None:
        """When a tier with this last day is looked at again: grace included."""
        return day_end(last + self.grace_days * _DAY, zone) if last else None

    def last_day_of(self, until: dt.datetime, zone: str) -> dt.date:
        """The last day, without grace, of what is looked at again at this instant."""
        return local_day(until, zone) - (1 + self.grace_days) * _DAY

    def counts_from(self, day: dt.date, zone: str) -> dt.datetime | None:
        """The instant from which on something counts on a day; None: everything does."""
        first = self.window.first_day(day)
        return clock.local_instant(first, dt.time(), zone) if first else None

    def sentences(self, teller: Teller) -> list[str]:
        """What counts, where, and for how long a tier is hers."""
        if not self.steps:
            return []
        months = self.window.months if isinstance(self.window, Rolling) else 0
        window = teller.say(f"window_{self.window.kind}", months)
        kept = self.downgrade == "none" or self.validity.kind == "never"
        return [
            teller.say(f"counts_{self.measure}", window=window),
            teller.say("tier_kept") if kept else self._lasting(teller),
        ]

    def _lasting(self, teller: Teller) -> str:
        return teller.say(
            "tier_lasts",
            expiry=expiry_words(self.validity, teller),
            then=teller.say(f"then_{self.downgrade}"),
            grace=teller.say("grace", self.grace_days) if self.grace_days else "",
        )


def expiry_words(expiry: Expiry, teller: Teller) -> str:
    """How long something lasts."""
    match expiry:
        case After():
            span = teller.say(f"span_{expiry.per}", expiry.count)
            return teller.say("after", span=span, end=teller.say(f"end_{expiry.rounded_to}"))
        case EachYear():
            return teller.say("each_year", day=teller.day_of_year(expiry.month, expiry.day))
    return teller.say("never")


def local_day(at: dt.datetime, zone: str) -> dt.date:
    return at.astimezone(clock.zone(zone)).date()


@dataclass(frozen=True)
class Standing:
    """Where a member stands when she is looked at.

    Attributes:
        rank: of her tier in the rules as they are; 0: none.
        is_earned: she came to it by what counted, not by hand.
        counted: within the window as it is today.
        since_rising: from the window in which she rose to her tier until today; asked for only where returns lower.
    """

    rank: int
    counted: int
    is_earned: bool = True
    since_rising: int | None = None


def look(rules: TierRules, standing: Standing) -> tuple[int, str]:
    """The rank that is hers from now on, and why: "" where nothing moved. As time goes on she only rises."""
    reached = rules.reached(standing.counted)
    if reached > standing.rank:
        return reached, "reached"
    has_less = rules.returned == "lower" and standing.is_earned and standing.since_rising is not None
    if has_less and (left := rules.reached(standing.since_rising or 0)) < standing.rank:
        return max(left, reached), "returned"
    return standing.rank, ""


def look_at_end(rules: TierRules, rank: int, counted: int) -> tuple[int, str]:
    """The same when the time of her tier is over, by what counted towards keeping it; "": she keeps it."""
    reached = rules.reached(counted)
    if reached >= rank:
        return reached, "reached" if reached > rank else ""
    after = rules.fallen(rank, reached)
    return after, "expired" if after != rank else ""


@dataclass(frozen=True)
class Forecast:
    """What lies ahead of a member, in what her programme counts.

    Attributes:
        counted: within the window as it is today.
        next, missing: key of the nearest tier above that can be reached, and how much is missing to it.
        last_day: of her tier, without grace; None: it has no end.
        to_keep: how much is missing until then to keep it; None: it has no end, or is by invitation.
        then_until: the last day that it would have then.
    """

    tier: str
    counted: int
    next: str = ""
    missing: int = 0
    last_day: dt.date | None = None
    to_keep: int | None = None
    then_until: dt.date | None = None


def forecast(rules: TierRules, *, rank: int, counted: int, kept: int, last_day: dt.date | None) -> Forecast:
    """`kept`: what counts by now towards keeping her tier, in the window that ends with its last day."""
    above = next((step for step in rules.steps[rank:] if step.threshold is not None), None)
    mine = rules.steps[rank - 1] if rank else None
    keeps = mine is not None and mine.threshold is not None and last_day is not None
    return Forecast(
        tier=mine.key if mine else "",
        counted=counted,
        next=above.key if above else "",
        missing=max(0, (above.threshold or 0) - counted) if above else 0,
        last_day=last_day if mine else None,
        to_keep=max(0, (mine.threshold or 0) - kept) if mine and keeps else None,
        then_until=rules.next_last_day(last_day) if keeps and last_day else None,
    )
