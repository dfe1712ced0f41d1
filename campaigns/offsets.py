"""Pure calendar: so many days, weeks, months or years before or after a day, and days that come again and again.

Rules, all proved by a truth table:
- A month or a year later is the same number of the month, or its last day where it has none: 31 January and a month is
  28 February, and two months is 31 March, not 28.
- 29 February is kept, in common years, on the day the marketer chose: 28 February or 1 March.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Collection
from enum import StrEnum

from campaigns.local_days import DAY, LeapDay, originals

#: Nothing of a shop is longer ago.
MOST_YEARS = 40


class Unit(StrEnum):
    HOURS = "hours"
    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"


def shifted(day: dt.date, number: int, unit: Unit, leap_day: LeapDay = LeapDay.FEBRUARY_28) -> dt.date:
    """The day so many days, weeks, months or years after `day`; before it where the number is negative.

    Raises:
        OverflowError, ValueError: there is no such year.
    """
    if unit in (Unit.DAYS, Unit.WEEKS):
        return day + DAY * number * (7 if unit == Unit.WEEKS else 1)
    months = day.year * 12 + day.month - 1 + number * (12 if unit == Unit.YEARS else 1)
    year, month = months // 12, months % 12 + 1
    last = calendar.monthrange(year, month)[1]
    if unit == Unit.YEARS and day.day == 29 > last and leap_day == LeapDay.MARCH_1:
        return dt.date(year, 3, 1)
    return dt.date(year, month, min(day.day, last))


def origins(day: dt.date, number: int, unit: Unit, leap_day: LeapDay = LeapDay.FEBRUARY_28) -> list[dt.date]:
    """Every day that is `day` when it is shifted so: none, one, or up to four at the end of a short month."""
    near = shifted(day, -number, unit)
    nearby = [near + DAY * n for n in range(-4, 5)]
    return [one for one in nearby if shifted(one, number, unit, leap_day) == day]


def anniversaries(
    day: dt.date,
    number: int,
    unit: Unit,
    leap_day: LeapDay = LeapDay.FEBRUARY_28,
    among: Collection[dt.date] | None = None,
) -> list[tuple[dt.date, int]]:
    """(day it began, years since) of all whose anniversary, shifted so, is `day`; of the days `among` where told."""
    return [
        (began, years)
        for anchor in origins(day, number, unit, leap_day)
        for years in range(1, MOST_YEARS + 1)
        for began in originals(anchor, years, leap_day)
        if among is None or began in among
    ]


def period(day: dt.date, start: dt.date, every: int, unit: Unit, leap_day: LeapDay = LeapDay.FEBRUARY_28) -> str | None:
    """The week, month or year that a day which comes again every so many of them is of; None: it does not come on it.

    It is of the week, month or year, so that moving the start by some days brings nobody a second one.
    """
    if day < start:
        return None
    if unit == Unit.WEEKS:
        year, week, _weekday = day.isocalendar()
        return f"{year}-W{week:02}" if (day - start).days % (7 * every) == 0 else None
    months = (day.year - start.year) * 12 + day.month - start.month
    if unit == Unit.MONTHS:
        return f"{day:%Y-%m}" if months % every == 0 and shifted(start, months, unit) == day else None
    years = day.year - start.year
    return str(day.year) if years % every == 0 and shifted(start, years, unit, leap_day) == day else None
