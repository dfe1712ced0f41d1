"""The only module that reads the time; everything else is told it as `now`."""

import datetime as dt
import os
import re
import time
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

UTC = dt.UTC
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


class BadOffset(ValueError):
    """A `CLOCK_OFFSET` that is not like `1d`, `-2h` or `1d12h`."""


def parse_offset(text: str) -> dt.timedelta:
    """Read an offset such as `1d`, `-36h` or `1d12h30m`; an empty text is no offset.

    Raises:
        BadOffset: the text has another shape.
    """
    text = text.strip()
    if not text:
        return dt.timedelta()
    sign, body = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if not re.fullmatch(r"(\d+[wdhms])+", body):
        raise BadOffset(f"CLOCK_OFFSET {text!r} is not like 1d, -2h or 1d12h")
    parts = re.findall(r"(\d+)([wdhms])", body)
    return sign * sum((dt.timedelta(**{_UNITS[unit]: int(n)}) for n, unit in parts), dt.timedelta())


@cache
def _offset() -> dt.timedelta:
    # Read from the environment, not from settings: it moves every process of one demo or test,
    # and a process never changes it.
    return parse_offset(os.environ.get("CLOCK_OFFSET", ""))


def now() -> dt.datetime:
    """The present instant in UTC, moved by `CLOCK_OFFSET`. Only doors call this."""
    return dt.datetime.now(UTC) + _offset()


def local_instant(day: dt.date, at: dt.time, zone_name: str) -> dt.datetime:
    """The instant in UTC at which clocks of a zone show `at` on `day`.

    Where the clocks go back and show it twice, the first; where they skip it, as long after the skip began as the
    clock would have shown (02:30 becomes 03:30), so every day has exactly one instant and later days come later.
    """
    return dt.datetime.combine(day, at.replace(tzinfo=None, fold=0), tzinfo=zone(zone_name)).astimezone(UTC)


def ticks() -> float:
    """Seconds that only move forward, for how long a process may trust what it remembers."""
    return time.monotonic()


@cache
def zone(name: str) -> ZoneInfo:
    """The IANA zone of this name.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: there is no such zone.
    """
    return ZoneInfo(name)


@cache
def zone_names() -> frozenset[str]:
    """Every IANA zone a customer may have; the database is offered this same list when it checks imports."""
    return frozenset(name for name in available_timezones() if "/" in name or name == "UTC")
