"""A year of a small town: who lives there, what happens to them, when the system is down, and who is owed what.

What is owed is worked out here from days, zones and plain loops, with nothing of the product's own calendar.
"""

from __future__ import annotations

import bisect
import calendar
import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

UTC = dt.UTC
SHOP_ZONE = "Europe/Berlin"
#: Zone → country: both ends of the world's day, two hemispheres of summer time, and two places without any.
HOMES = {
    "Europe/Berlin": "DE",
    "America/New_York": "US",
    "Asia/Seoul": "KR",
    "Pacific/Auckland": "NZ",
    "Pacific/Pago_Pago": "AS",
}
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
NEAR = dt.timedelta(minutes=90)
#: After so long a campaign keeps nothing any more.
LATENESS = dt.timedelta(hours=48)
#: Days that begin or end with something of the town's.
FEASTS = {(12, 25), (12, 26), (12, 31), (1, 1), (1, 2), (2, 28), (2, 29), (3, 1)}


def at_local(day: dt.date, hour: str, zone: str) -> dt.datetime:
    """When a clock of the zone shows the hour: the first time of two; where it is skipped, as long after the skip."""
    return dt.datetime.combine(day, dt.time.fromisoformat(hour), ZoneInfo(zone)).astimezone(UTC)


def clock_changes(since: dt.datetime, until: dt.datetime) -> list[dt.datetime]:
    """Every instant at which some zone of the town moves its clocks."""
    found, at = set(), since
    while at < until:
        for zone in map(ZoneInfo, HOMES):
            if (at + HOUR).astimezone(zone).utcoffset() != at.astimezone(zone).utcoffset():
                found.add(at + HOUR)
        at += HOUR
    return sorted(found)


@dataclass
class Person:
    """Someone of the town; `zone` is where she lives, "" where nobody knows."""

    reference: str
    zone: str
    signed_up_at: dt.datetime
    birthday: tuple[int, int] | None
    agreed: bool
    orders: list[dt.datetime] = field(default_factory=list)

    @property
    def email(self) -> str:
        return f"{self.reference}@example.com"

    @property
    def country(self) -> str:
        return HOMES[self.clock]

    @property
    def clock(self) -> str:
        return self.zone or SHOP_ZONE

    def kept_on(self, year: int) -> dt.date:
        """Her birthday in a year; one of 29 February is kept on the 28th where there is no 29th."""
        month, day = self.birthday
        return dt.date(year, month, 28 if (month, day) == (2, 29) and not calendar.isleap(year) else day)


@dataclass
class Year:
    """All of it, made from one seed."""

    since: dt.datetime
    until: dt.datetime
    people: list[Person]
    #: Stretches in which the system is down.
    outages: list[tuple[dt.datetime, dt.datetime]]
    #: The instants at which it looks.
    looks: list[dt.datetime]

    @classmethod
    def of(cls, *, seed: int, since: dt.datetime, days: int, people: int) -> Year:
        chance = random.Random(seed)
        until = since + DAY * days
        changes = clock_changes(since, until)
        outages = list(_outages(chance, since, until, changes))
        town = [_person(chance, number, since, until) for number in range(people)]
        looks = [at for at in _steps(since, until, changes) if not any(a <= at < b for a, b in outages)]
        return cls(since, until, town, outages, looks)

    def reached(self, due: dt.datetime, known: dt.datetime) -> dt.datetime | None:
        """The look at which something due is kept of somebody who is known from an instant on; None: at none.

        Of whom the shop learns after it fell due, she has it at once, unless that is too late by then.
        """
        first, place = self.look(due), bisect.bisect_left(self.looks, known)
        if first is None or place == len(self.looks):
            return None
        at = max(first, self.looks[place])
        return None if known > due and due < at - LATENESS else at

    def look(self, at: dt.datetime) -> dt.datetime | None:
        """The first look after an instant, for a stretch looked at ends before its look; None after the last one."""
        place = bisect.bisect_right(self.looks, at)
        return self.looks[place] if place < len(self.looks) else None

    @property
    def hours_down(self) -> int:
        """Outages may overlap; each hour counts once."""
        down, end = dt.timedelta(), self.since
        for begins, ends in sorted(self.outages):
            down += max(dt.timedelta(), min(ends, self.until) - max(begins, end))
            end = max(end, ends)
        return round(down / HOUR)

    def owed(self) -> dict[tuple[str, str, str], dt.datetime]:
        """(campaign, customer, occasion) → the look at which she is touched, of everyone who is owed something."""
        found = {}
        for campaign, person, occasion, due, known in self._due():
            look = self.reached(due, known)
            if self.since <= due and look is not None:
                found[campaign, person.reference, occasion] = look
        return found

    def _due(self) -> Iterator[tuple[str, Person, str, dt.datetime, dt.datetime]]:
        years = range(self.since.year - 1, self.until.year + 2)
        for person in self.people:
            known = person.signed_up_at
            for year in years:
                if person.birthday:
                    due = at_local(person.kept_on(year), "02:30", person.clock)
                    yield "Birthday", person, f"birthday:{year}", due, known
                for name, month, day in (("christmas-day", 12, 25), ("new-years-day", 1, 1)):
                    due = at_local(dt.date(year, month, day), "00:00", person.clock)
                    yield "Holiday", person, f"{person.country}:{name}:{year}", due, known
            joined = person.signed_up_at.astimezone(ZoneInfo(person.clock)).date()
            for count in range(1, 9):
                due = at_local(_anniversary(joined, joined.year + count), "00:10", person.clock)
                yield "Anniversary", person, f"anniversary:{count}", due, known
            yield "Welcome", person, "signed_up", person.signed_up_at, known
            due = at_local(dt.date(2028, 2, 29), "23:55", person.clock)
            yield "Leap day", person, "once", due, known
            for number, placed in enumerate(person.orders):
                day = placed.astimezone(ZoneInfo(person.clock)).date()
                due = at_local(day + 30 * DAY, "10:00", person.clock)
                look = self.look(due)
                later = person.orders[number + 1 :]
                # An order that is known by then makes her anything but silent.
                if look and not any(self.look(other) <= look for other in later if self.look(other)):
                    yield "Silent", person, f"{person.reference}-{number}", due, placed


def _anniversary(joined: dt.date, year: int) -> dt.date:
    if (joined.month, joined.day) == (2, 29) and not calendar.isleap(year):
        return dt.date(year, 3, 1)
    return joined.replace(year=year)


def _steps(since: dt.datetime, until: dt.datetime, changes: list[dt.datetime]) -> Iterator[dt.datetime]:
    """Every hour; every five minutes for three hours around changed clocks and around midnights.

    Each day has the midnight of one zone in turn; the days of holidays, of 29 February and of changed clocks have those
    of all five.
    """
    near = list(changes)
    special = {(at + n * DAY).date() for at in changes for n in (-1, 0, 1)}
    for number in range((until - since).days + 2):
        day = since.date() + number * DAY
        zones = list(HOMES)
        if day not in special and (day.month, day.day) not in FEASTS:
            zones = [zones[number % len(zones)]]
        near += [at_local(day, "00:00", zone) for zone in zones]
    near.sort()
    at = since
    while at < until:
        place = bisect.bisect_left(near, at - NEAR)
        is_near = place < len(near) and near[place] <= at + NEAR
        if is_near or at.minute == 0:
            yield at
        at += dt.timedelta(minutes=5)


def _outages(
    chance: random.Random, since: dt.datetime, until: dt.datetime, changes: list[dt.datetime]
) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    def down(near: dt.datetime, before: float, least: float, most: float) -> tuple[dt.datetime, dt.datetime]:
        begins = near - dt.timedelta(minutes=round(chance.uniform(0, before) * 60))
        return begins, begins + dt.timedelta(minutes=round(chance.uniform(least, most) * 60))

    for change in changes:
        yield down(change, 6, 2, 30)
    leap = at_local(dt.date(2028, 2, 29), "00:00", SHOP_ZONE)
    if since < leap < until:
        yield down(leap, 6, 20, 30)
    for number in range((until - since).days):
        if chance.random() < 0.12:
            yield down(at_local((since + DAY * number).date(), "23:00", SHOP_ZONE) + 4 * HOUR, 5, 1, 9)


def _person(chance: random.Random, number: int, since: dt.datetime, until: dt.datetime) -> Person:
    minutes = int((until - since).total_seconds() // 60)
    joins_now = chance.random() < 0.25
    signed_up = (
        since + dt.timedelta(minutes=chance.randrange(minutes))
        if joins_now
        else since - dt.timedelta(minutes=chance.randrange(60, 3 * 365 * 24 * 60))
    )
    if chance.random() < 0.05:
        signed_up = dt.datetime(2024, 2, 29, chance.randrange(24), 7, tzinfo=UTC)
    leap = chance.random()
    any_day = dt.date(2028, 1, 1) + DAY * chance.randrange(366)
    birthday = (2, 29) if leap < 0.1 else (1, 1) if leap < 0.15 else (any_day.month, any_day.day)
    orders = []
    at = max(signed_up, since)
    while chance.random() < 0.8:
        at += dt.timedelta(minutes=round(chance.expovariate(1 / 35) * 24 * 60) + 1)
        if at >= until:
            break
        orders.append(at)
    return Person(
        reference=f"p{number:03}",
        zone="" if chance.random() < 0.1 else list(HOMES)[number % len(HOMES)],
        signed_up_at=signed_up,
        birthday=birthday if chance.random() < 0.9 else None,
        agreed=chance.random() < 0.9,
        orders=orders,
    )
