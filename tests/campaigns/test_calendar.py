"""Calendars of local events: files and feeds are read, kept, refreshed and told of when they fail."""

import datetime as dt
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from campaigns.calendar import operations
from campaigns.calendar.fetching import NotFetched, fetch, is_public
from campaigns.calendar.models import Calendar, EventDay, LocalEvent, Place
from campaigns.calendar.operations import NowhereKept, Where
from campaigns.calendar.querysets import places_without_calendar
from campaigns.calendar.reading import MOST_BYTES, CalendarTooLarge, NoCalendar, read
from campaigns.calls.models import Call
from campaigns.calls.operations import UnknownCustomers, call
from campaigns.operations.calendars import NoSuchCountry
from retention.work.models import Alert
from tests.campaigns.conftest import BY

DAY = dt.timedelta(days=1)


def ics(*events):
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN"]
    for event in events:
        lines += ["BEGIN:VEVENT", *event, "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


FETE = ("UID:fete", "SUMMARY:Fête de la\\, musique", "DTSTART;VALUE=DATE:20240621", "RRULE:FREQ=YEARLY")
#: Late in Paris it is the next day in UTC: what counts is the clock of the place.
LATE = ("UID:late", "SUMMARY:Late show", "DTSTART;TZID=Europe/Paris:20260701T233000", "RRULE:FREQ=WEEKLY;COUNT=3",
        "EXDATE;TZID=Europe/Paris:20260708T233000")  # fmt: skip
CLUB = ("UID:club", "SUMMARY:Club", "DTSTART:20260710T200000Z")
YEAR = {"since": dt.date(2026, 5, 1), "until": dt.date(2027, 7, 1)}


def days(content):
    return {event.uid: [f"{day:%Y-%m-%d}" for day in event.days] for event in read(content, **YEAR)}


def test_events_are_read_with_every_time_they_come():
    moved = ("UID:fete", "SUMMARY:Fête", "RECURRENCE-ID;VALUE=DATE:20270621", "DTSTART;VALUE=DATE:20270620")
    off = ("UID:off", "SUMMARY:Off", "DTSTART;VALUE=DATE:20260801", "STATUS:CANCELLED")
    nameless = ("UID:nameless", "DTSTART;VALUE=DATE:20260801")
    begun = ("UID:begun", "SUMMARY:Begun", "DTSTART;VALUE=DATE:20260420", "DTEND;VALUE=DATE:20260520")
    assert days(ics(FETE, moved, LATE, CLUB, off, nameless, begun)) == {
        "fete": ["2026-06-21", "2027-06-20"],
        "late": ["2026-07-01", "2026-07-15"],
        "club": ["2026-07-10"],
    }
    (fete,) = read(ics(FETE), **YEAR)
    assert fete.name == "Fête de la, musique"
    assert days(ics()) == {}


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", NoCalendar),
        (b"<html>no such page</html>", NoCalendar),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:x\r\n", NoCalendar),
        (ics(("UID:x", "SUMMARY:Evil", "DTSTART:20260510T000000Z", "RRULE:FREQ=MINUTELY")), CalendarTooLarge),
        (b"BEGIN:VCALENDAR\r\n" + b"X" * MOST_BYTES, CalendarTooLarge),
    ],
    ids=["empty", "a page", "cut off", "endless", "too long"],
)
def test_what_is_no_calendar_or_never_ends_is_refused(content, refusal):
    with pytest.raises(refusal):
        read(content, **YEAR)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1::1", True), ("127.0.0.1", False), ("10.1.2.3", False),
        ("192.168.0.1", False), ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.0", False), ("::1", False),
        ("fe80::1%eth0", False), ("fd00::1", False), ("::ffff:10.0.0.1", False), ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False), ("224.0.0.1", False),
    ],
)  # fmt: skip
def test_only_the_internet_is_asked(address, expected):
    assert is_public(address) is expected


@pytest.fixture
def server():
    """A web server of pages: path → (status, headers, body)."""
    pages = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, headers, body = pages.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    pages["at"] = f"http://127.0.0.1:{serving.server_port}"
    yield pages
    serving.shutdown()
    serving.server_close()


def anywhere(address):
    return True


def test_a_feed_is_fetched_and_nothing_else_is(server):
    at = server["at"]
    server |= {
        "/feed.ics": (200, {}, b"BEGIN"),
        "/moved": (302, {"Location": "/feed.ics"}, b""),
        "/around": (302, {"Location": "/around"}, b""),
        "/inside": (302, {"Location": "http://169.254.169.254/"}, b""),
        "/large": (200, {}, b"x" * (MOST_BYTES + 1)),
    }
    assert fetch(f"{at}/feed.ics", may_reach=anywhere) == fetch(f"{at}/moved", may_reach=anywhere) == b"BEGIN"
    for url in (f"{at}/feed.ics", "http://localhost/x", "file:///etc/passwd", "ftp://x.example.com/", "http://[::1/"):
        with pytest.raises(NotFetched):
            fetch(url)
    for path in ("/none", "/around"):
        with pytest.raises(NotFetched):
            fetch(at + path, may_reach=anywhere)
    with pytest.raises(NotFetched):
        fetch(f"{at}/inside", may_reach=lambda address: address.startswith("127."))
    with pytest.raises(CalendarTooLarge):
        fetch(f"{at}/large", may_reach=anywhere)


def calendar(now, name="Music", **values):
    values = {"theme": "music", "where": Where(countries=("FR",)), **values}
    return operations.save_calendar(calendar_id=None, name=name, now=now, by=BY, **values)


def kept():
    return {
        event.uid: [f"{day.on:%Y-%m-%d}" for day in event.days.all()]
        for event in LocalEvent.objects.prefetch_related("days")
    }


def test_reading_again_follows_the_feed_and_leaves_alone_what_people_edited(db, now):
    one = calendar(now)
    assert operations.upload(calendar_id=one.pk, content=ics(FETE, LATE, CLUB), now=now, by=BY) == 3
    everything = kept()
    assert everything == {"fete": ["2026-06-21"], "late": ["2026-07-01", "2026-07-15"], "club": ["2026-07-10"]}
    operations.upload(calendar_id=one.pk, content=ics(FETE, LATE, CLUB), now=now, by=BY)
    assert kept() == everything
    assert set(LocalEvent.objects.values_list("theme", flat=True)) == {"music"}
    club = LocalEvent.objects.get(uid="club")
    operations.save_event(
        event_id=club.pk, calendar_id=one.pk, name="Our club", days=[dt.date(2026, 7, 11)], theme="dance",
        where=Where(countries=("FR",), cities=("Paris",)), now=now, by=BY,
    )  # fmt: skip
    later = now + 55 * DAY  # 6 July: the first late show is over
    moved = ("UID:fete", "SUMMARY:Fête", "DTSTART;VALUE=DATE:20260801")
    operations.upload(calendar_id=one.pk, content=ics(moved), now=later, by=BY)
    assert kept() == {"fete": ["2026-06-21", "2026-08-01"], "late": ["2026-07-01"], "club": ["2026-07-11"]}
    operations.save_calendar(
        calendar_id=one.pk, name="Music", theme="noise", where=Where(countries=("DE",)), now=later, by=BY
    )
    assert dict(LocalEvent.objects.values_list("uid", "theme")) == {"fete": "noise", "late": "noise", "club": "dance"}
    club.refresh_from_db()
    assert (club.name, club.countries, club.cities) == ("Our club", ["FR"], ["Paris"])
    operations.archive_calendar(calendar_id=one.pk, now=later, by=BY)
    assert not LocalEvent.objects.filter(is_observed=True).exists()


def test_a_feed_that_fails_is_told_of_and_keeps_what_was_read(db, now, server):
    one = calendar(now, url=f"{server['at']}/feed.ics")
    figures = []

    def refresh(at):
        found = operations.refresh_calendars(now=at, progress=lambda *_: None, may_reach=anywhere)
        figures.append((found["due"], found["touched"]))

    server["/feed.ics"] = (200, {}, ics(FETE))
    refresh(now)
    server["/feed.ics"] = (500, {}, b"")
    refresh(now + DAY)
    one.refresh_from_db()
    assert (one.read_at, one.error) == (now, "The feed could not be fetched: HTTP 500.")
    assert not Alert.objects.exists(), "a day without is no alarm"
    server["/feed.ics"] = (200, {}, b"<html>")
    refresh(now + 4 * DAY)
    (alert,) = Alert.objects.filter(resolved_at=None)
    assert alert.subject == str(one.pk)
    assert "Music" in alert.text
    assert kept() == {"fete": ["2026-06-21"]}
    server["/feed.ics"] = (200, {}, ics(FETE, CLUB))
    refresh(now + 5 * DAY)
    assert not Alert.objects.filter(resolved_at=None).exists()
    assert set(kept()) == {"fete", "club"}
    assert figures == [(1, 1), (1, 0), (1, 0), (1, 1)]


@pytest.mark.parametrize(
    ("where", "refusal"),
    [
        (Where(), NowhereKept),
        (Where(cities=("Paris",)), NowhereKept),
        (Where(countries=("fr",)), NoSuchCountry),
        (Where(latitude=48.8, longitude=2.3), NowhereKept),
        (Where(countries=("FR",), latitude=148.8, longitude=2.3, radius_km=5), NowhereKept),
        (Where(countries=("FR",), radius_km=5), NowhereKept),
    ],
)
def test_an_event_is_kept_somewhere(db, now, where, refusal):
    with pytest.raises(refusal):
        calendar(now, where=where)
    with pytest.raises(operations.NoDays):
        operations.save_event(
            event_id=None, calendar_id=calendar(now).pk, name="x", days=[], where=where, now=now, by=BY
        )
    with pytest.raises(operations.NameTaken):
        calendar(now, name="MUSIC")


def test_places_of_customers_without_an_event_are_listed(shop, person, now):
    for number in range(3):
        person(country="DE", region="Berlin", city="Berlin" if number else "BERLIN")
    person(country="FR", city="Paris")
    person(country="FR", city="Lyon")
    person()
    Place.objects.create(country="FR", city="lyon", latitude=45.8, longitude=4.8)
    paris = Where(countries=("FR",), cities=("paris",))
    event = operations.save_event(
        event_id=None, calendar_id=calendar(now).pk, name="Fête", days=[now.date()], where=paris, now=now, by=BY
    )
    found = [
        (place.country, place.city, place.customers, place.is_placed) for place in places_without_calendar(now=now)
    ]
    assert found == [("DE", "BERLIN", 3, False), ("", "", 1, False), ("FR", "Lyon", 1, True)]
    EventDay.objects.filter(event=event).update(on=now.date() - DAY)
    assert ("FR", "Paris") in {(place.country, place.city) for place in places_without_calendar(now=now)}
    assert Calendar.objects.count() == 1


def test_a_moment_is_called_once_for_each_source_and_for_all_or_nobody(shop, person, now):
    anna, bea = person(reference="anna"), person(reference="bea")
    one = call(name="table", customers=[anna.public_id, anna.public_id], source="1", about={"table": 4}, at=now)
    assert (one.called, one.repeated) == (1, 0)
    two = call(name="table", customers=[anna.public_id, bea.public_id], source="1", about={}, at=now)
    assert (two.called, two.repeated) == (1, 1)
    assert call(name="other", customers=[anna.public_id], source="1", about={}, at=now).called == 1
    with pytest.raises(UnknownCustomers):
        call(name="table", customers=[bea.public_id, uuid.uuid4()], source="2", about={}, at=now)
    assert sorted(Call.objects.values_list("name", "customer", "source")) == sorted(
        [("table", anna.pk, "1"), ("table", bea.pk, "1"), ("other", anna.pk, "1")]
    )
