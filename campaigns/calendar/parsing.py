"""A program of its own that reads an `.ics` from its input and writes its events as JSON.

It runs apart (`campaigns.calendar.reading`), because what strangers write may be made to take forever: whoever waits
for it can end it, and it may not take more memory or time of the processor than it needs.
"""

from __future__ import annotations

import datetime as dt
import json
import resource
import sys
from collections.abc import Iterator

import icalendar
import recurring_ical_events

MOST_EVENTS, MOST_DAYS = 5_000, 20_000
_CPU_SECONDS, _MEMORY = 10, 1 << 30
_STRETCH = dt.timedelta(days=28)


class TooMuch(ValueError):
    """More events, or days of them, than a calendar of local events has."""


def parse(content: bytes, since: dt.date, until: dt.date) -> list[dict[str, object]]:
    """Events with `uid`, `name` and the days in [since, until) on which they begin, each by the clock of its place.

    Raises:
        ValueError: it is no calendar, or there is too much in it.
    """
    found: dict[str, dict] = {}
    days = 0
    calendars = icalendar.Calendar.from_ical(content, multiple=True)
    if not calendars or b"END:VCALENDAR" not in content:
        raise ValueError("no calendar")
    for calendar in calendars:
        for event, day in _beginning(recurring_ical_events.of(calendar, skip_bad_series=True), since, until):
            if str(event.get("STATUS", "")).upper() == "CANCELLED" or not event.get("SUMMARY"):
                continue
            uid = str(event.get("UID") or event["SUMMARY"])[:255]
            one = found.setdefault(uid, {"uid": uid, "name": " ".join(str(event["SUMMARY"]).split())[:200], "days": []})
            days += 1
            if len(found) > MOST_EVENTS or days > MOST_DAYS:
                raise TooMuch("too many events")
            if day.isoformat() not in one["days"]:
                one["days"].append(day.isoformat())
    return list(found.values())


def _beginning(
    query: recurring_ical_events.CalendarQuery, since: dt.date, until: dt.date
) -> Iterator[tuple[icalendar.Event, dt.date]]:
    """Events with the day on which they begin, some weeks after the others, so that too much is found out early."""
    while since < until:
        end = min(since + _STRETCH, until)
        for event in query.between(since, end):
            start = event["DTSTART"].dt
            day = start.date() if isinstance(start, dt.datetime) else start
            if since <= day < end:
                yield event, day
        since = end


def main(since: str, until: str) -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    try:
        events = parse(sys.stdin.buffer.read(), dt.date.fromisoformat(since), dt.date.fromisoformat(until))
    except (ValueError, KeyError, MemoryError, RecursionError, OverflowError) as error:
        sys.stderr.write("too_much" if isinstance(error, TooMuch | MemoryError) else "no_calendar")
        return 1
    json.dump(events, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
