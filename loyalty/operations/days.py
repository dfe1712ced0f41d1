"""Days of members that come once a year: birthdays and anniversaries of joining, found for the days that began."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.db import connection

from loyalty.facts import DayFact
from loyalty.models import Programme
from loyalty.operations.due import in_time
from loyalty.rules import ProgrammeRule
from loyalty.rules.earning import Yearly
from retention import clock
from retention.ledger.days import shop_zone
from retention.work.models import Watermark

JOB = "loyalty.days"
#: Days that nobody looked at for longer are let go.
MOST_DAYS = 31
_DAY = dt.timedelta(days=1)

_BIRTHDAYS = """
SELECT member.customer_id
FROM customers_customer customer JOIN loyalty_member member ON member.customer_id = customer.id
WHERE member.programme_id = %(programme)s AND member.left_at IS NULL
  AND (customer.birth_month, customer.birth_day) IN (SELECT * FROM unnest(%(months)s::smallint[], %(days)s::smallint[]))
ORDER BY member.id
"""
_ANNIVERSARIES = """
SELECT member.customer_id FROM unnest(%(begins)s::timestamptz[], %(ends)s::timestamptz[]) AS day (begins_at, ends_at)
JOIN loyalty_member member ON member.joined_at >= day.begins_at AND member.joined_at < day.ends_at
WHERE member.programme_id = %(programme)s AND member.left_at IS NULL
ORDER BY member.id
"""


def due_days(programme: Programme, rule: ProgrammeRule, now: dt.datetime) -> list[DayFact]:
    """The days of members that began since the last look; which of them earned already, earning itself knows."""
    kinds = {each.of for each in rule.earning if isinstance(each, Yearly)}
    zone = shop_zone()
    return [
        DayFact(customer, begins, f"{kind}:{day.year}")
        for day in _days(programme, now, zone)
        for begins in [clock.local_instant(day, dt.time(), zone)]
        if kinds and in_time(programme, begins)
        for kind in sorted(kinds)
        for customer in (_birthdays if kind == "birthday" else _anniversaries)(programme, day, zone)
    ]


def looked_at_days(programme: Programme, now: dt.datetime) -> None:
    Watermark.objects.update_or_create(key=f"{JOB}:{programme.pk}", defaults={"at": now})


def _days(programme: Programme, now: dt.datetime, zone: str) -> Iterator[dt.date]:
    today = now.astimezone(clock.zone(zone)).date()
    seen = Watermark.objects.filter(key=f"{JOB}:{programme.pk}").values_list("at", flat=True).first()
    since = (seen or programme.launched_at or now).astimezone(clock.zone(zone)).date()
    day = max(since + _DAY, today - MOST_DAYS * _DAY)
    while day <= today:
        yield day
        day += _DAY


def _birthdays(programme: Programme, day: dt.date, zone: str) -> list[int]:
    days = [day.day, 29] if _stands_for_the_29th(day) else [day.day]
    params = {"programme": programme.pk, "months": [day.month] * len(days), "days": days}
    return _customers(_BIRTHDAYS, params)


def _anniversaries(programme: Programme, day: dt.date, zone: str) -> list[int]:
    assert programme.launched_at is not None
    years = range(programme.launched_at.year, day.year)
    days = [dt.date(year, day.month, day.day) for year in years if not _is_missing(year, day)]
    if _stands_for_the_29th(day):
        days += [dt.date(year, 2, 29) for year in years if _is_leap(year)]
    begins = [clock.local_instant(each, dt.time(), zone) for each in days]
    ends = [clock.local_instant(each + _DAY, dt.time(), zone) for each in days]
    return _customers(_ANNIVERSARIES, {"programme": programme.pk, "begins": begins, "ends": ends})


def _customers(sql: str, params: dict[str, Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [pk for (pk,) in cursor.fetchall()]


def _stands_for_the_29th(day: dt.date) -> bool:
    return (day.month, day.day) == (2, 28) and not _is_leap(day.year)


def _is_missing(year: int, day: dt.date) -> bool:
    return (day.month, day.day) == (2, 29) and not _is_leap(year)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
