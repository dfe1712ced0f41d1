"""The truth table of months, leap days, anniversaries and timetables."""

import datetime as dt

import pytest

from campaigns.local_days import DAY, LeapDay
from campaigns.offsets import Unit, anniversaries, origins, period, shifted


def day(text):
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("start", "number", "unit", "leap_day", "expected"),
    [
        ("2026-01-31", 1, "months", "02-28", "2026-02-28"),
        ("2026-01-31", 2, "months", "02-28", "2026-03-31"),
        ("2028-01-31", 1, "months", "02-28", "2028-02-29"),
        ("2026-03-31", -1, "months", "02-28", "2026-02-28"),
        ("2026-12-31", 2, "months", "02-28", "2027-02-28"),
        ("2026-01-15", -1, "months", "02-28", "2025-12-15"),
        ("2024-02-29", 1, "years", "02-28", "2025-02-28"),
        ("2024-02-29", 1, "years", "03-01", "2025-03-01"),
        ("2024-02-29", 4, "years", "03-01", "2028-02-29"),
        ("2024-02-29", 12, "months", "03-01", "2025-02-28"),
        ("2026-12-30", 3, "days", "02-28", "2027-01-02"),
        ("2026-01-01", -2, "weeks", "02-28", "2025-12-18"),
        ("2026-05-12", 0, "days", "02-28", "2026-05-12"),
    ],
)
def test_a_day_is_shifted(start, number, unit, leap_day, expected):
    assert shifted(day(start), number, Unit(unit), LeapDay(leap_day)) == day(expected)


@pytest.mark.parametrize("unit", [Unit.DAYS, Unit.WEEKS, Unit.MONTHS, Unit.YEARS])
@pytest.mark.parametrize("leap_day", list(LeapDay))
@pytest.mark.parametrize("number", [-13, -1, 0, 1, 2, 18])
def test_origins_are_exactly_those_that_are_shifted_there(unit, leap_day, number):
    """Every day of five years falls due on one day, and is found from it: nobody is missed, nobody comes twice."""
    days = [dt.date(2023, 1, 1) + DAY * n for n in range(365 * 5 + 2)]
    due = [(one, shifted(one, number, unit, leap_day)) for one in days]
    found = {(origin, at) for at in {at for _one, at in due} for origin in origins(at, number, unit, leap_day)}
    assert set(due) <= found
    assert all(shifted(origin, number, unit, leap_day) == at for origin, at in found)


def test_anniversaries_count_the_years_and_keep_29_february():
    at = day("2026-02-28")
    assert (day("2024-02-29"), 2) in anniversaries(at, 0, Unit.DAYS)
    assert (day("2024-02-28"), 2) in anniversaries(at, 0, Unit.DAYS)
    assert (day("2024-02-29"), 2) not in anniversaries(at, 0, Unit.DAYS, LeapDay.MARCH_1)
    # A week before the anniversary, and half a year after it.
    assert (day("2020-03-07"), 6) in anniversaries(at, -1, Unit.WEEKS)
    assert (day("2020-08-31"), 5) in anniversaries(at, 6, Unit.MONTHS)
    assert all(began < at for began, _years in anniversaries(at, 6, Unit.MONTHS))
    # Of one customer's days alone.
    assert anniversaries(at, 0, Unit.DAYS, among={day("2024-02-29"), day("2020-03-01")}) == [(day("2024-02-29"), 2)]


@pytest.mark.parametrize(
    ("start", "every", "unit", "leap_day", "expected"),
    [
        ("2026-01-31", 1, "months", "02-28", ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        ("2026-01-15", 2, "months", "02-28", ["2026-01-15", "2026-03-15", "2026-05-15"]),
        ("2026-01-01", 6, "weeks", "02-28", ["2026-01-01", "2026-02-12", "2026-03-26", "2026-05-07"]),
        ("2024-02-29", 1, "years", "02-28", ["2024-02-29", "2025-02-28", "2026-02-28"]),
        ("2024-02-29", 1, "years", "03-01", ["2024-02-29", "2025-03-01", "2026-03-01"]),
        ("2024-05-01", 2, "years", "02-28", ["2024-05-01", "2026-05-01"]),
    ],
)
def test_a_timetable_comes_again(start, every, unit, leap_day, expected):
    days = [dt.date(2024, 1, 1) + DAY * n for n in range((dt.date(2026, 6, 1) - dt.date(2024, 1, 1)).days)]
    keys = {one: period(one, day(start), every, Unit(unit), LeapDay(leap_day)) for one in days}
    came = [one for one in days if keys[one]]
    assert came == [day(one) for one in expected]
    assert len({keys[one] for one in came}) == len(came), "each time has a key of its own"


def test_moving_the_start_within_the_month_keeps_its_key():
    keys = {period(day(on), day(on), 1, Unit.MONTHS) for on in ("2026-03-01", "2026-03-17", "2026-03-31")}
    assert keys == {"2026-03"}
    assert period(day("2026-12-31"), day("2026-12-31"), 1, Unit.WEEKS) == "2026-W53"
