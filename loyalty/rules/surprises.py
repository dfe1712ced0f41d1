"""A reward by chance: for whom, how likely, on which days, and how many at most."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from django.utils.translation import gettext as _
from pydantic import Field

from loyalty.rules.parts import Names
from retention.incentives.parts import Part, Points, percent_text
from retention.incentives.rules import BudgetLimits

Weekday = Annotated[int, Field(ge=0, le=6)]


class SurprisePlan(Part):
    """A surprise, but for the rows of others that it names.

    Attributes:
        drawn: "day": each member on each day; "order": each order of a member's that was paid since it was started.
        chance: of each, in hundredths of a percent.
        weekdays: 0 is Monday; none: every day.
        rest_days: who won wins no more for so many days.
        limits: of its budget; it never gives more.
    """

    names: Annotated[Names, Field(min_length=1)]
    drawn: Literal["day", "order"] = "day"
    chance: Points
    weekdays: Annotated[tuple[Weekday, ...], Field(max_length=7)] = ()
    rest_days: Annotated[int, Field(ge=0, le=3650)] = 30
    limits: BudgetLimits

    def is_on(self, day: dt.date) -> bool:
        return not self.weekdays or day.weekday() in self.weekdays

    def sentence(self) -> str:
        said = _("%(chance)s %% of orders") if self.drawn == "order" else _("%(chance)s %% of members a day")
        words = [said % {"chance": percent_text(self.chance)}]
        return ", ".join([*words, *self.limits.sentences()])


class SurpriseRule(SurprisePlan):
    """The whole of one surprise: also what is given, and the segment whose members may win, if not all may."""

    reward_id: Annotated[int, Field(ge=1)]
    segment_id: Annotated[int, Field(ge=1)] | None = None
