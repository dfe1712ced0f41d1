"""What every earning rule is: when it holds, for whom, how much and how often at most."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, ClassVar, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import ConfigDict, Field, field_validator, model_validator

from loyalty.rules.parts import Amount, Key, Names
from retention.incentives.parts import Part

_A_STRETCH = {
    "day": gettext_lazy("a day"),
    "week": gettext_lazy("a week"),
    "month": gettext_lazy("a month"),
    "year": gettext_lazy("a year"),
    "life": gettext_lazy("in all"),
}
_WEEKDAYS = (
    gettext_lazy("Monday"), gettext_lazy("Tuesday"), gettext_lazy("Wednesday"), gettext_lazy("Thursday"),
    gettext_lazy("Friday"), gettext_lazy("Saturday"), gettext_lazy("Sunday"),
)  # fmt: skip


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

    def sentence(self) -> str:
        words = {"n": self.most, "per": _A_STRETCH[self.per]}
        if self.of == "amount":
            return _("at most %(n)s %(per)s") % words
        return ngettext("at most once %(per)s", "at most %(n)s times %(per)s", self.most) % words


class When(Part):
    """Weekdays (0 is Monday), hours and days of the shop's calendar; what is not said does not matter.

    Hours are from `from_` and before `until`; 00:00 is the end of the day. `days` are single ones.
    """

    weekdays: Annotated[tuple[Annotated[int, Field(ge=0, le=6)], ...], Field(max_length=7)] = ()
    from_: dt.time | None = None
    until: dt.time | None = None
    starts_on: dt.date | None = None
    ends_on: dt.date | None = None
    days: Annotated[tuple[dt.date, ...], Field(max_length=366)] = ()

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

    def sentences(self) -> list[str]:
        words = []
        if self.weekdays:
            words.append(_("on %(days)s") % {"days": ", ".join(str(_WEEKDAYS[day]) for day in self.weekdays)})
        if self.from_ is not None:
            words.append(_("from %(a)s to %(b)s") % {"a": f"{self.from_:%H:%M}", "b": f"{self.until:%H:%M}"})
        if self.days:
            words.append(_("on %(days)s") % {"days": ", ".join(map(str, self.days))})
        if self.starts_on and self.ends_on:
            words.append(_("from %(a)s to %(b)s") % {"a": self.starts_on, "b": self.ends_on})
        elif self.starts_on:
            words.append(_("from %(a)s on") % {"a": self.starts_on})
        elif self.ends_on:
            words.append(_("until %(b)s") % {"b": self.ends_on})
        return words


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

    def what(self) -> str:
        """What it gives for what, in the marketer's words."""
        raise NotImplementedError

    def sentence(self) -> str:
        words = [self.what(), *self.when.sentences()]
        if self.for_tiers:
            words.append(_("for %(tiers)s only") % {"tiers": ", ".join(self.for_tiers)})
        words += [cap.sentence() for cap in self.caps]
        if self.cool_down_hours:
            words.append(
                ngettext("again after one hour", "again after %(n)s hours", self.cool_down_hours)
                % {"n": self.cool_down_hours}
            )
        return ", ".join(words)
