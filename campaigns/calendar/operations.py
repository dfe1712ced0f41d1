"""Keeping calendars: made and edited by people, read from files and feeds, and told when they go stale."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from campaigns.calendar.fetching import fetch, is_public
from campaigns.calendar.models import Calendar, EventDay, LocalEvent, Place
from campaigns.calendar.querysets import asking_for
from campaigns.calendar.reading import ReadEvent, read
from campaigns.operations.calendars import NoSuchCountry
from retention.actors import Actor
from retention.audit.operations import record
from retention.places import country_codes
from retention.refusals import Refused
from retention.work.models import Alert
from retention.work.operations import raise_alert, resolve_alert

#: How far events are kept: a little back, so that what is late is still known, and more than a year ahead.
BACK, AHEAD = dt.timedelta(days=31), dt.timedelta(days=400)
#: A feed that could not be read for longer is told of.
STALE_AFTER = dt.timedelta(days=3)
ALERT = "campaigns.stale_calendar"


class NowhereKept(Refused):
    code = "campaigns.event_is_nowhere"
    sentence = _("Say where: countries, or a point with a radius (latitude −90…90, longitude −180…180, from 1 km).")
    status = 422


class NameTaken(Refused):
    code = "campaigns.calendar_name_taken"
    sentence = _("There is a calendar “%(name)s” already.")


class PlaceAsked(Refused):
    """Their rules would not be valid any more, and every campaign that asks them would stop."""

    code = "campaigns.place_asked"
    sentence = _("Segments ask who lives near %(place)s: %(segments)s. Change them first, or add the other city.")


class NoDays(Refused):
    code = "campaigns.event_without_days"
    sentence = _("Name at least one day.")
    status = 422


@dataclass(frozen=True)
class Where:
    """An area as it is typed."""

    countries: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    cities: tuple[str, ...] = ()
    latitude: float | None = None
    longitude: float | None = None
    radius_km: int | None = None

    def checked(self) -> dict[str, Any]:
        """The columns.

        Raises:
            NoSuchCountry, NowhereKept
        """
        for country in self.countries:
            if country not in country_codes():
                raise NoSuchCountry(country=country)
        point = (self.latitude, self.longitude, self.radius_km)
        is_point = None not in point and abs(point[0]) <= 90 and abs(point[1]) <= 180 and 1 <= point[2] <= 20_000
        if not is_point and (any(one is not None for one in point) or not self.countries):
            raise NowhereKept
        lists = {name: list(words) for name, words in asdict(self).items() if isinstance(words, tuple)}
        return {**asdict(self), **lists}

    @classmethod
    def of(cls, row: Calendar | LocalEvent) -> Where:
        return cls(tuple(row.countries), tuple(row.regions), tuple(row.cities), *(getattr(row, n) for n in _POINT))


_POINT = ("latitude", "longitude", "radius_km")


@transaction.atomic
def save_calendar(
    *,
    calendar_id: int | None,
    name: str,
    url: str = "",
    theme: str = "",
    incentive_id: int | None = None,
    where: Where,
    now: dt.datetime,
    by: Actor,
) -> Calendar:
    """Make or change a calendar; its events follow, but for those that somebody edited.

    Raises:
        NameTaken, NoSuchCountry, NowhereKept
    """
    values = {"theme": theme, "incentive_id": incentive_id, **where.checked()}
    if Calendar.objects.filter(name__iexact=name, archived_at=None).exclude(pk=calendar_id).exists():
        raise NameTaken(name=name)
    calendar = Calendar.objects.select_for_update().get(pk=calendar_id) if calendar_id else Calendar()
    before = _told(calendar) if calendar_id else None
    for column, value in {"name": name, "url": url, **values}.items():
        setattr(calendar, column, value)
    calendar.save()
    calendar.events.filter(is_edited=False).update(**values)
    after = _told(calendar)
    record(verb="campaigns.save_calendar", by=by, now=now, subject=calendar, before=before, after=after)
    return calendar


def _told(calendar: Calendar) -> dict[str, Any]:
    columns = ("name", "url", "theme", "incentive_id", *Calendar.AREA)
    return {column: getattr(calendar, column) for column in columns}


@transaction.atomic
def archive_calendar(*, calendar_id: int, now: dt.datetime, by: Actor) -> Calendar:
    """It is read no more, and its events are out of use."""
    calendar = Calendar.objects.select_for_update().get(pk=calendar_id)
    calendar.archived_at = calendar.archived_at or now
    calendar.save(update_fields=["archived_at"])
    calendar.events.update(is_observed=False, is_edited=True)
    resolve_alert(kind=ALERT, subject=str(calendar.pk), now=now)
    record(verb="campaigns.archive_calendar", by=by, now=now, subject=calendar)
    return calendar


@transaction.atomic
def save_event(
    *,
    event_id: int | None,
    calendar_id: int,
    name: str,
    days: Sequence[dt.date],
    theme: str = "",
    incentive_id: int | None = None,
    is_observed: bool = True,
    where: Where,
    now: dt.datetime,
    by: Actor,
) -> LocalEvent:
    """Make an event by hand, or change one; reading its calendar again leaves it alone from then on.

    Raises:
        NoDays, NoSuchCountry, NowhereKept
    """
    if not days:
        raise NoDays
    event = LocalEvent.objects.select_for_update().get(pk=event_id) if event_id else LocalEvent(uid=str(uuid.uuid4()))
    values = {"calendar_id": calendar_id, "name": name, "theme": theme, "incentive_id": incentive_id}
    for column, value in {**values, **where.checked(), "is_observed": is_observed, "is_edited": True}.items():
        setattr(event, column, value)
    event.save()
    event.days.exclude(on__in=days).delete()
    EventDay.objects.bulk_create([EventDay(event=event, on=day) for day in days], ignore_conflicts=True)
    after = {"name": name, "days": [str(day) for day in sorted(days)], "is_observed": is_observed}
    record(verb="campaigns.save_event", by=by, now=now, subject=event, after=after)
    return event


@transaction.atomic
def save_place(
    *, place_id: int | None, country: str, city: str, latitude: float, longitude: float, now: dt.datetime, by: Actor
) -> Place:
    """Say where a city lies.

    Raises:
        NoSuchCountry, NowhereKept
        PlaceAsked: it would become another city, while segments ask for this one.
    """
    Where((country,), latitude=latitude, longitude=longitude, radius_km=1).checked()
    there = Place.objects.filter(country=country, city__iexact=city).exclude(pk=place_id).first()
    place = there or (Place.objects.get(pk=place_id) if place_id else Place())
    if place.pk and (place.country, place.city) != (country, city) and (names := asking_for(place)):
        raise PlaceAsked(place=str(place), segments=", ".join(names))
    place.country, place.city, place.latitude, place.longitude = country, city, latitude, longitude
    place.save()
    record(verb="campaigns.save_place", by=by, now=now, subject=place, after={"latitude": latitude, "city": city})
    return place


def upload(*, calendar_id: int, content: bytes, now: dt.datetime, by: Actor) -> int:
    """Take the events of a file; how many there are. Those it does not name any more have no days to come.

    Raises:
        NoCalendar, CalendarTooLarge
    """
    events = read(content, since=(now - BACK).date(), until=(now + AHEAD).date())
    with transaction.atomic():
        calendar = Calendar.objects.select_for_update().get(pk=calendar_id)
        _take(calendar, events, now)
        record(verb="campaigns.upload_calendar", by=by, now=now, subject=calendar, after={"events": len(events)})
    return len(events)


def refresh_calendars(
    *, now: dt.datetime, progress: Callable[[int, int], None], may_reach: Callable[[str], bool] = is_public
) -> dict[str, Any]:
    """Read every feed again; figures of those read, and of those that could not be.

    No transaction is open while it waits for the web.
    """
    feeds = list(feeds_in_use())
    read_well = 0
    for done, calendar in enumerate(feeds, 1):
        try:
            content = fetch(calendar.url, may_reach=may_reach)
            events = read(content, since=(now - BACK).date(), until=(now + AHEAD).date())
        except Refused as refused:
            _failed(calendar, str(refused), now)
        else:
            with transaction.atomic():
                calendar = Calendar.objects.select_for_update().get(pk=calendar.pk)
                _take(calendar, events, now)
                resolve_alert(kind=ALERT, subject=str(calendar.pk), now=now)
            read_well += 1
        progress(done, len(feeds))
    return {"due": len(feeds), "touched": read_well, "skipped": {"campaigns.feed_not_read": len(feeds) - read_well}}


def feeds_in_use() -> Any:
    return Calendar.objects.filter(archived_at=None).exclude(url="").order_by("pk")


def _failed(calendar: Calendar, why: str, now: dt.datetime) -> None:
    Calendar.objects.filter(pk=calendar.pk).update(tried_at=now, error=why[:300])
    since = calendar.read_at
    if since is None or now - since > STALE_AFTER:
        raise_alert(
            kind=ALERT,
            subject=str(calendar.pk),
            level=Alert.Level.WARNING,
            text=_t("The calendar “%(name)s” could not be read: %(why)s") % {"name": calendar.name, "why": why},
            url=f"/admin/campaigns/calendar/{calendar.pk}/change/",
            now=now,
        )


def _take(calendar: Calendar, events: Sequence[ReadEvent], now: dt.datetime) -> None:
    """Make its events what was read. Days gone by stay, and so does what people edited."""
    values = {name: getattr(calendar, name) for name in ("theme", "incentive_id", *Calendar.AREA)}
    rows = [LocalEvent(calendar=calendar, uid=event.uid, name=event.name, **values) for event in events]
    edited = set(calendar.events.filter(is_edited=True).values_list("uid", flat=True))
    LocalEvent.objects.bulk_create(
        [row for row in rows if row.uid not in edited],
        update_conflicts=True,
        unique_fields=["calendar", "uid"],
        update_fields=["name", *values],
    )
    ours = dict(calendar.events.filter(is_edited=False).values_list("uid", "pk"))
    wanted = {(ours[event.uid], day) for event in events if event.uid in ours for day in event.days}
    ahead = EventDay.objects.filter(event__in=ours.values(), on__gte=now.date())
    gone = [pk for pk, event_id, on in ahead.values_list("pk", "event_id", "on") if (event_id, on) not in wanted]
    EventDay.objects.filter(pk__in=gone).delete()
    EventDay.objects.bulk_create(
        [EventDay(event_id=event_id, on=on) for event_id, on in sorted(wanted)], ignore_conflicts=True
    )
    calendar.read_at = calendar.tried_at = now
    calendar.error = ""
    calendar.save(update_fields=["read_at", "tried_at", "error"])
