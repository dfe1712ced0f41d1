"""Waits of calendar days and the hours of the week, by each customer's clock: a truth table."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.local_days import every_zone, resolve
from campaigns.plans import Hours, Wait
from campaigns.waits import closed, ends_at, moments, opens_at

BERLIN, SEOUL, NEW_YORK = "Europe/Berlin", "Asia/Seoul", "America/New_York"
OFFICE = (Hours(weekdays=(0, 1, 2, 3, 4), from_="09:00", until="18:00"),)


def at(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("wait", "begin", "zone", "end"),
    [
        ({"hours": 5}, "2026-05-12 10:00", BERLIN, "2026-05-12 15:00"),
        ({"days": 1, "hour": "10:00"}, "2026-05-12 10:00", BERLIN, "2026-05-13 08:00"),
        ({"days": 1, "hour": "10:00"}, "2026-05-12 22:30", BERLIN, "2026-05-14 08:00"),  # it is the 13th there
        ({"days": 1, "hour": "10:00"}, "2026-05-12 22:30", NEW_YORK, "2026-05-13 14:00"),
        ({"days": 0, "hour": "10:00"}, "2026-05-12 07:59", BERLIN, "2026-05-12 08:00"),
        ({"days": 0, "hour": "10:00"}, "2026-05-12 08:00", BERLIN, "2026-05-12 08:00"),
        ({"days": 0, "hour": "10:00"}, "2026-05-12 08:01", BERLIN, "2026-05-13 08:00"),
        ({"days": 1, "hour": "10:00"}, "2026-03-28 12:00", BERLIN, "2026-03-29 08:00"),  # clocks go forward that night
        ({"days": 1, "hour": "02:30"}, "2026-03-28 12:00", BERLIN, "2026-03-29 01:30"),  # an hour that is skipped
        ({"days": 1, "hour": "02:30"}, "2026-10-24 12:00", BERLIN, "2026-10-25 00:30"),  # one that comes twice
        ({"days": 1, "hour": "00:00"}, "2028-02-28 03:00", SEOUL, "2028-02-28 15:00"),  # 29 February there
        ({"days": 2, "hour": "10:00"}, "2026-05-12 11:00", "Pacific/Kiritimati", "2026-05-14 20:00"),
        ({"days": 2, "hour": "10:00"}, "2026-05-12 11:00", "Pacific/Pago_Pago", "2026-05-14 21:00"),
    ],
)
def test_when_a_wait_ends(wait, begin, zone, end):
    assert ends_at(Wait(**wait), at(begin), zone) == at(end)


@given(
    days=st.integers(0, 400),
    hour=st.times().map(lambda time: time.replace(second=0, microsecond=0)),
    since=st.datetimes(dt.datetime(2024, 1, 1), dt.datetime(2030, 1, 1)),
    length=st.timedeltas(dt.timedelta(microseconds=1), dt.timedelta(days=3)),
    share=st.floats(0, 1, exclude_max=True),
    zone=st.sampled_from(sorted(every_zone())),
)
def test_rows_for_sql_say_what_the_wait_says(days, hour, since, length, share, zone):
    wait, since = Wait(days=days, hour=hour), since.replace(tzinfo=dt.UTC)
    rows = moments(wait, since, since + length, zones={zone}, shop_zone=BERLIN)
    begin = since + length * share
    begin = min(begin, since + length - dt.timedelta(microseconds=1))
    [row] = [row for row in rows if row.from_at <= begin < row.until_at]
    assert row.at == ends_at(wait, begin, resolve(zone, BERLIN)) >= begin


@pytest.mark.parametrize(
    ("now", "zone", "opens"),
    [
        ("2026-05-12 07:00", BERLIN, "2026-05-12 07:00"),
        ("2026-05-12 06:59", BERLIN, "2026-05-12 07:00"),
        ("2026-05-12 16:00", BERLIN, "2026-05-13 07:00"),  # 18:00 is after the hours
        ("2026-05-15 16:00", BERLIN, "2026-05-18 07:00"),  # over the weekend
        ("2026-05-12 23:30", SEOUL, "2026-05-13 00:00"),
        ("2026-03-29 12:00", BERLIN, "2026-03-30 07:00"),
    ],
)
def test_when_the_hours_of_the_week_open(now, zone, opens):
    assert opens_at(OFFICE, at(now), zone) == at(opens)


def test_a_night_is_two_stretches_and_nothing_planned_is_always_open():
    night = (Hours(weekdays=(4,), from_="22:00", until="00:00"), Hours(weekdays=(5,), from_="00:00", until="02:00"))
    assert opens_at(night, at("2026-05-15 21:59"), BERLIN) == at("2026-05-15 21:59")
    assert opens_at(night, at("2026-05-16 00:00"), BERLIN) == at("2026-05-22 20:00")
    assert opens_at((), at("2026-05-16 00:00"), BERLIN) == at("2026-05-16 00:00")


def test_zones_that_are_shut_are_told_with_when_they_open():
    rows = closed(OFFICE, at("2026-05-12 08:00"), zones={"", SEOUL, NEW_YORK}, shop_zone=BERLIN)
    assert [(row.zones, row.at) for row in rows] == [((NEW_YORK,), at("2026-05-12 13:00"))]
