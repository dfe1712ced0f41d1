"""Pure calendar of steps: when a wait ends on her clock, and when the hours of the week open again.

SQL only joins what this yields: rows of zones with the instant for them. The rules of days, of hours that clocks
skip or show twice and of unknown zones are those of `local_days`.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from campaigns.local_days import DAY, resolve
from campaigns.plans import Hours, Wait
from retention import clock


@dataclass(frozen=True, slots=True)
class Moment:
    """For customers in `zones`, what begins within [from_at, until_at) comes at `at`."""

    zones: tuple[str, ...]
    from_at: dt.datetime
    until_at: dt.datetime
    at: dt.datetime


def ends_at(wait: Wait, begin: dt.datetime, zone: str) -> dt.datetime:
    """When a wait that begins then is over, for someone whose clock shows the time of `zone`."""
    if wait.days is None or wait.hour is None:
        return begin + wait.delay
    day = begin.astimezone(clock.zone(zone)).date() + wait.days * DAY
    at = clock.local_instant(day, wait.hour, zone)
    return at if at >= begin else clock.local_instant(day + DAY, wait.hour, zone)


def moments(
    wait: Wait, since: dt.datetime, until: dt.datetime, *, zones: Collection[str], shop_zone: str
) -> list[Moment]:
    """When a wait of days is over, for each begin within [since, until) and each zone; zones that agree are one row."""
    found: dict[tuple[dt.datetime, dt.datetime, dt.datetime], list[str]] = defaultdict(list)
    for name in zones:
        zone = resolve(name, shop_zone)
        for begin, end in _stretches(wait, since, until, zone):
            found[begin, end, ends_at(wait, begin, zone)].append(name)
    return [Moment(tuple(sorted(names)), *when) for when, names in sorted(found.items())]


def _stretches(
    wait: Wait, since: dt.datetime, until: dt.datetime, zone: str
) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """The parts of [since, until) whose instants all end alike: cut at midnights and just after the hour."""
    day, last = (at.astimezone(clock.zone(zone)).date() for at in (since, until))
    cuts = {since, until}
    while day <= last:
        hour = clock.local_instant(day, wait.hour or dt.time.min, zone)
        cuts |= {clock.local_instant(day, dt.time.min, zone), hour + dt.timedelta(microseconds=1)}
        day += DAY
    within = sorted(cut for cut in cuts if since <= cut <= until)
    yield from zip(within, within[1:], strict=False)


def closed(windows: Iterable[Hours], now: dt.datetime, *, zones: Collection[str], shop_zone: str) -> list[Moment]:
    """The zones in which no stretch of hours is open now, with the instant at which the next one opens."""
    found: dict[dt.datetime, list[str]] = defaultdict(list)
    windows = tuple(windows)
    for name in zones:
        opens = opens_at(windows, now, resolve(name, shop_zone))
        if opens > now:
            found[opens].append(name)
    instant = dt.timedelta(microseconds=1)
    return [Moment(tuple(sorted(names)), now, now + instant, at) for at, names in sorted(found.items())]


def opens_at(windows: Collection[Hours], now: dt.datetime, zone: str) -> dt.datetime:
    """`now` where a stretch is open, else when the next one opens; without any stretch all hours are open."""
    if not windows:
        return now
    # A night that began yesterday may still be open; the same hours a week on are the farthest.
    today = now.astimezone(clock.zone(zone)).date()
    ahead = []
    for day in (today + n * DAY for n in range(9)):
        for hours in windows:
            if day.weekday() not in hours.weekdays:
                continue
            opens = clock.local_instant(day, hours.from_, zone)
            ends_on = day + DAY if hours.until == dt.time.min else day
            if opens <= now < clock.local_instant(ends_on, hours.until, zone):
                return now
            if opens > now:
                ahead.append(opens)
    return min(ahead)


def as_json(rows: Iterable[Moment]) -> str:
    """As SQL reads them: `zones text[], from_at, until_at, at timestamptz`."""
    return json.dumps(
        [
            {
                "zones": row.zones,
                "from_at": row.from_at.isoformat(),
                "until_at": row.until_at.isoformat(),
                "at": row.at.isoformat(),
            }
            for row in rows
        ]
    )
