"""Pure calendar: on which local day, at which instant, of which zones something falls; SQL only joins what it yields.

Rules, all proved by a truth table:
- A customer without a zone, or with one nobody knows, lives in the shop's. Such zones are written as "".
- An hour that clocks skip is the instant as long after the skip; one that they show twice is the first
  (`clock.local_instant`).
- A date of 29 February is kept, in common years, on the day the marketer chose: 28 February or 1 March.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache

from retention import clock
from retention.registries import Window

DAY = dt.timedelta(days=1)
#: In days: no zone is further than 14 hours from UTC, and no clock was ever moved by more than a day.
_FARTHEST = 2


class LeapDay(StrEnum):
    """When a date of 29 February is kept in a common year."""

    FEBRUARY_28 = "02-28"
    MARCH_1 = "03-01"


@dataclass(frozen=True, slots=True)
class LocalDay:
    """A day that has reached the chosen hour at `due_at` in `zones`."""

    day: dt.date
    due_at: dt.datetime
    zones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """Everything that happened within [from_at, until_at) to customers in `zones` is kept at `due_at` under `key`."""

    zones: tuple[str, ...]
    from_at: dt.datetime
    until_at: dt.datetime
    due_at: dt.datetime
    key: str

    def as_json(self) -> dict[str, object]:
        return {
            "zones": self.zones,
            "from_at": self.from_at.isoformat(),
            "until_at": self.until_at.isoformat(),
            "due_at": self.due_at.isoformat(),
            "key": self.key,
        }


def resolve(zone: str, shop_zone: str) -> str:
    """The IANA name that "" stands for is the shop's."""
    return zone or shop_zone


def zones_of(names: Iterable[str]) -> frozenset[str]:
    """Customers' zones as they are grouped here: those nobody knows become ""."""
    return frozenset(name if name in clock.zone_names() else "" for name in names)


@cache
def every_zone() -> frozenset[str]:
    return clock.zone_names() | {""}


def local_days(hour: dt.time, window: Window) -> list[LocalDay]:
    """Every local day whose `hour` falls within the window, earliest first; zones that share it are together."""
    if window.since >= window.until:
        return []
    first, last = (at.astimezone(dt.UTC).date() for at in (window.since, window.until))
    days = (first + DAY * n for n in range((last - first).days + 1))
    found = (local for day in days for local in _within(day, hour, window.zones, window.shop_zone))
    return [local for local in found if window.since <= local.due_at < window.until]


@lru_cache(maxsize=1_000)
def _within(utc_day: dt.date, hour: dt.time, zones: frozenset[str], shop_zone: str) -> tuple[LocalDay, ...]:
    """Those whose hour falls within a day of UTC, kept: campaigns look every minute, and zones are hundreds."""
    found: dict[tuple[dt.datetime, dt.date], list[str]] = defaultdict(list)
    for zone in zones:
        for day in (utc_day + DAY * n for n in range(-_FARTHEST, _FARTHEST + 1)):
            due_at = clock.local_instant(day, hour, resolve(zone, shop_zone))
            if due_at.date() == utc_day:
                found[due_at, day].append(zone)
    return tuple(LocalDay(day, due_at, tuple(sorted(names))) for (due_at, day), names in sorted(found.items()))


def kept_on(day: dt.date, leap_day: LeapDay) -> list[tuple[int, int]]:
    """The (month, day) dates that are kept on this day: its own, and 29 February's where the rule says so."""
    dates = [(day.month, day.day)]
    if not calendar.isleap(day.year) and f"{day:%m-%d}" == leap_day:
        dates.append((2, 29))
    return dates


def originals(day: dt.date, years: int, leap_day: LeapDay) -> list[dt.date]:
    """The days, so many years before, whose anniversary is kept on this day."""
    year = day.year - years
    return [
        dt.date(year, month, number)
        for month, number in kept_on(day, leap_day)
        if (month, number) != (2, 29) or calendar.isleap(year)
    ]


def spans(
    days: Collection[LocalDay], shop_zone: str, of: Callable[[dt.date], Iterable[tuple[dt.date, str]]]
) -> Iterator[Span]:
    """For each local day, the whole local days that `of` names for it, with their key, as stretches of instants.

    So an instant such as a sign-up is compared with instants, and SQL needs no time zones.
    """
    for local in days:
        for original, key in of(local.day):
            found: dict[tuple[dt.datetime, dt.datetime], list[str]] = defaultdict(list)
            for zone in local.zones:
                name = resolve(zone, shop_zone)
                begins = clock.local_instant(original, dt.time.min, name)
                ends = clock.local_instant(original + DAY, dt.time.min, name)
                found[begins, ends].append(zone)
            for (begins, ends), zones in sorted(found.items()):
                yield Span(tuple(zones), begins, ends, local.due_at, key)
