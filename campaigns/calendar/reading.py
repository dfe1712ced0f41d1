"""Reading an `.ics`, in a process that is ended when it takes too long."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from retention.refusals import Refused

MOST_BYTES = 5 * 2**20
MOST_SECONDS = 30


class NoCalendar(Refused):
    code = "campaigns.no_calendar"
    sentence = _("This is not a calendar as `.ics` files have it.")
    status = 422


class CalendarTooLarge(Refused):
    code = "campaigns.calendar_too_large"
    sentence = _("The calendar is too large: at most 5 MB, 5,000 events and 20,000 days are read.")
    status = 422


@dataclass(frozen=True)
class ReadEvent:
    """An event of a calendar: who keeps the calendar knows it by `uid`."""

    uid: str
    name: str
    days: tuple[dt.date, ...]


def read(content: bytes, *, since: dt.date, until: dt.date) -> list[ReadEvent]:
    """Its events with the days in [since, until) on which they begin; recurring ones with each.

    Raises:
        NoCalendar, CalendarTooLarge
    """
    if len(content) > MOST_BYTES:
        raise CalendarTooLarge
    program = [sys.executable, "-m", "campaigns.calendar.parsing", since.isoformat(), until.isoformat()]
    try:
        done = subprocess.run(  # noqa: S603  our own program; what strangers wrote goes to its input
            program, input=content, capture_output=True, timeout=MOST_SECONDS, check=False, cwd=settings.BASE_DIR
        )
    except subprocess.TimeoutExpired:
        raise CalendarTooLarge from None
    if done.returncode:
        if done.stderr == b"no_calendar":
            raise NoCalendar
        if done.stderr == b"too_much" or done.returncode < 0:  # the kernel ended it at its limit
            raise CalendarTooLarge
        raise RuntimeError("the reader of calendars does not run: " + done.stderr.decode(errors="replace")[-300:])
    return [
        ReadEvent(row["uid"], row["name"], tuple(sorted(dt.date.fromisoformat(day) for day in row["days"])))
        for row in json.loads(done.stdout)
    ]
