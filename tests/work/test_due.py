"""When a job with an hour is due, across midnights and changes of clocks."""

import datetime as dt

import pytest

from retention.work.due import latest_due, next_due


def at(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("hour", "zone", "now", "latest", "following"),
    [
        ("06:00", "UTC", "2026-05-12T06:00", "2026-05-12T06:00", "2026-05-13T06:00"),
        ("06:00", "UTC", "2026-05-12T05:59", "2026-05-11T06:00", "2026-05-12T06:00"),
        ("06:00", "Europe/Berlin", "2026-05-12T04:00", "2026-05-12T04:00", "2026-05-13T04:00"),
        # The day before is summer time, the day after is not.
        ("06:00", "Europe/Berlin", "2026-10-25T05:00", "2026-10-25T05:00", "2026-10-26T05:00"),
        ("06:00", "Europe/Berlin", "2026-10-25T04:59", "2026-10-24T04:00", "2026-10-25T05:00"),
        # 02:30 does not exist on 29 March, and exists twice on 25 October: once each.
        ("02:30", "Europe/Berlin", "2026-03-29T12:00", "2026-03-29T01:30", "2026-03-30T00:30"),
        ("02:30", "Europe/Berlin", "2026-10-25T01:30", "2026-10-25T00:30", "2026-10-26T01:30"),
        ("00:00", "Pacific/Kiritimati", "2026-12-31T10:00", "2026-12-31T10:00", "2027-01-01T10:00"),
        ("23:30", "Pacific/Pago_Pago", "2026-05-12T10:00", "2026-05-11T10:30", "2026-05-12T10:30"),
    ],
)
def test_an_hour(hour, zone, now, latest, following):
    hour = dt.time.fromisoformat(hour)
    assert latest_due(hour, zone, at(now)) == at(latest)
    assert next_due(hour, zone, at(now)) == at(following)


def test_no_hour_is_each_minute():
    now = dt.datetime(2026, 5, 12, 10, 30, 45, 5, tzinfo=dt.UTC)
    assert latest_due(None, "UTC", now) == at("2026-05-12T10:30")
    assert next_due(None, "UTC", now) == at("2026-05-12T10:31")
