"""Pure: at which instants a job with a local hour is due."""

import datetime as dt

from retention import clock

_DAY = dt.timedelta(days=1)


def latest_due(at: dt.time | None, zone: str, now: dt.datetime) -> dt.datetime:
    """The last instant not after `now` at which it was due: of its hour in the zone, or, without one, of the minute."""
    if at is None:
        return now.replace(second=0, microsecond=0)
    day = now.astimezone(clock.zone(zone)).date() + _DAY
    while (due := clock.local_instant(day, at, zone)) > now:
        day -= _DAY
    return due


def next_due(at: dt.time | None, zone: str, now: dt.datetime) -> dt.datetime:
    """The first instant after `now` at which it will be due."""
    if at is None:
        return now.replace(second=0, microsecond=0) + dt.timedelta(minutes=1)
    day = now.astimezone(clock.zone(zone)).date() - _DAY
    while (due := clock.local_instant(day, at, zone)) <= now:
        day += _DAY
    return due
