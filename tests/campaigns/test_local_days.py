"""The calendar's truth table: leap days, skipped and doubled hours, far zones, unknown zones."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.local_days import LeapDay, every_zone, kept_on, local_days, originals, spans, zones_of
from retention import clock
from retention.registries import Window

UTC = dt.UTC
NINE = dt.time(9)


def window(since: str, until: str, *zones: str, shop: str = "Europe/Berlin") -> Window:
    return Window(
        dt.datetime.fromisoformat(since).replace(tzinfo=UTC),
        dt.datetime.fromisoformat(until).replace(tzinfo=UTC),
        shop,
        frozenset(zones),
    )


@pytest.mark.parametrize(
    ("zone", "day", "hour", "instant"),
    [
        ("Europe/Berlin", "2026-05-12", "09:00", "2026-05-12T07:00"),
        ("Europe/Berlin", "2026-01-12", "09:00", "2026-01-12T08:00"),
        # The hour that does not exist: clocks go from 02:00 to 03:00.
        ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:30"),
        # The hour that exists twice: the first.
        ("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T00:30"),
        ("America/New_York", "2026-03-08", "02:30", "2026-03-08T07:30"),
        ("America/New_York", "2026-11-01", "01:30", "2026-11-01T05:30"),
        # Lord Howe moves by half an hour.
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:45"),
        ("Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04T14:45"),
        ("Asia/Kolkata", "2026-05-12", "09:00", "2026-05-12T03:30"),
        ("Asia/Kathmandu", "2026-05-12", "09:00", "2026-05-12T03:15"),
        # UTC+14: tomorrow has begun; UTC-11: today is not over.
        ("Pacific/Kiritimati", "2027-01-01", "09:00", "2026-12-31T19:00"),
        ("Pacific/Pago_Pago", "2026-12-31", "09:00", "2026-12-31T20:00"),
        # Midnight that does not exist: Cairo goes from 00:00 to 01:00.
        ("Africa/Cairo", "2026-04-24", "00:00", "2026-04-23T22:00"),
        # Samoa had no 30 December 2011: it is kept with the 31st.
        ("Pacific/Apia", "2011-12-30", "09:00", "2011-12-30T19:00"),
        ("Pacific/Apia", "2011-12-31", "09:00", "2011-12-30T19:00"),
    ],
)
def test_the_instant_of_a_local_hour(zone, day, hour, instant):
    found = clock.local_instant(dt.date.fromisoformat(day), dt.time.fromisoformat(hour), zone)
    assert found == dt.datetime.fromisoformat(instant).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "rule", "dates"),
    [
        ("2026-02-28", LeapDay.FEBRUARY_28, [(2, 28), (2, 29)]),
        ("2026-02-28", LeapDay.MARCH_1, [(2, 28)]),
        ("2026-03-01", LeapDay.FEBRUARY_28, [(3, 1)]),
        ("2026-03-01", LeapDay.MARCH_1, [(3, 1), (2, 29)]),
        ("2028-02-28", LeapDay.FEBRUARY_28, [(2, 28)]),
        ("2028-02-29", LeapDay.FEBRUARY_28, [(2, 29)]),
        ("2028-02-29", LeapDay.MARCH_1, [(2, 29)]),
        ("2028-03-01", LeapDay.MARCH_1, [(3, 1)]),
        # 2100 is no leap year, 2000 was one.
        ("2100-02-28", LeapDay.FEBRUARY_28, [(2, 28), (2, 29)]),
        ("2000-02-28", LeapDay.FEBRUARY_28, [(2, 28)]),
    ],
)
def test_which_dates_are_kept_on_a_day(day, rule, dates):
    assert kept_on(dt.date.fromisoformat(day), rule) == dates


@pytest.mark.parametrize(
    ("day", "years", "rule", "days"),
    [
        ("2026-05-12", 1, LeapDay.FEBRUARY_28, ["2025-05-12"]),
        ("2025-02-28", 1, LeapDay.FEBRUARY_28, ["2024-02-28", "2024-02-29"]),
        ("2025-03-01", 1, LeapDay.MARCH_1, ["2024-03-01", "2024-02-29"]),
        # A year before a common year was no leap year: nobody signed up on its 29th.
        ("2026-02-28", 1, LeapDay.FEBRUARY_28, ["2025-02-28"]),
        ("2028-02-29", 4, LeapDay.FEBRUARY_28, ["2024-02-29"]),
        ("2028-02-29", 1, LeapDay.FEBRUARY_28, []),
    ],
)
def test_whose_anniversary_a_day_is(day, years, rule, days):
    found = originals(dt.date.fromisoformat(day), years, rule)
    assert found == [dt.date.fromisoformat(text) for text in days]


def test_zones_that_share_an_instant_come_together_and_others_do_not():
    found = local_days(NINE, window("2026-05-12", "2026-05-12T08:00", "Europe/Paris", "Europe/London", "", "UTC"))
    assert [(f"{row.due_at:%H:%M}", row.zones) for row in found] == [("07:00", ("", "Europe/Paris"))]


def test_the_window_is_half_open():
    at_nine = window("2026-05-12T07:00", "2026-05-12T07:01", "Europe/Berlin")
    before = window("2026-05-12T06:00", "2026-05-12T07:00", "Europe/Berlin")
    assert [row.day for row in local_days(NINE, at_nine)] == [dt.date(2026, 5, 12)]
    assert local_days(NINE, before) == []
    assert local_days(NINE, window("2026-05-13", "2026-05-12", "Europe/Berlin")) == []


def test_a_day_missed_over_a_change_of_clocks_is_in_the_window_once():
    down = window("2026-03-28T07:59", "2026-03-29T12:00", "Europe/Berlin")
    assert [(str(row.day), f"{row.due_at:%d %H:%M}") for row in local_days(NINE, down)] == [
        ("2026-03-28", "28 08:00"),
        ("2026-03-29", "29 07:00"),
    ]


def test_unknown_zones_are_the_shops():
    assert zones_of(["Mars/Olympus", "", "Asia/Seoul"]) == {"", "Asia/Seoul"}


def test_a_span_is_the_whole_local_day_even_where_it_has_23_or_25_hours():
    days = local_days(NINE, window("2027-03-28", "2027-03-29", "Europe/Berlin"))
    rows = list(spans(days, "UTC", lambda day: [(dt.date(2026, 3, 29), "short"), (dt.date(2026, 10, 25), "long")]))
    assert [(row.key, row.until_at - row.from_at) for row in rows] == [
        ("short", dt.timedelta(hours=23)),
        ("long", dt.timedelta(hours=25)),
    ]


SOME_ZONES = sorted(every_zone())


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(SOME_ZONES),
    hour=st.times(),
    start=st.datetimes(dt.datetime(2015, 1, 1), dt.datetime(2035, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),  # noqa: DTZ001
    minutes=st.lists(st.integers(0, 3 * 24 * 60), min_size=1, max_size=6),
)
def test_however_time_is_cut_into_windows_each_day_falls_in_exactly_one(zone, hour, start, minutes):
    cuts = sorted({start, *(start + dt.timedelta(minutes=n) for n in minutes)})
    pieces = [
        row
        for since, until in zip(cuts, cuts[1:], strict=False)
        for row in local_days(hour, Window(since, until, "Asia/Seoul", frozenset({zone})))
    ]
    whole = local_days(hour, Window(cuts[0], cuts[-1], "Asia/Seoul", frozenset({zone})))
    assert pieces == whole
    assert len({row.day for row in whole}) == len(whole)


@settings(max_examples=200, deadline=None)
@given(
    birthday=st.dates(dt.date(1904, 1, 1), dt.date(2030, 1, 1)),
    year=st.integers(1990, 2110),
    rule=st.sampled_from(LeapDay),
)
def test_every_birthday_is_kept_on_exactly_one_day_of_every_year(birthday, year, rule):
    first = dt.date(year, 1, 1)
    days = [first + dt.timedelta(days=n) for n in range((dt.date(year + 1, 1, 1) - first).days)]
    assert sum((birthday.month, birthday.day) in kept_on(day, rule) for day in days) == 1
