"""Local events and their calendars over HTTP."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Schema
from pydantic import ConfigDict, Field, StringConstraints

from campaigns.calendar import operations, querysets
from campaigns.calendar.models import Calendar, LocalEvent
from retention import clock
from retention.doors.endpoints import Page, Router, actor, page
from retention.incentives.models import Incentive

router = Router("Campaigns")
READ, WRITE = "calendars:read", "calendars:write"

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Word = Annotated[str, StringConstraints(max_length=60, pattern=r"^[-a-zA-Z0-9_]*$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Area = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class WhereIn(Schema):
    model_config = ConfigDict(extra="forbid")

    countries: Annotated[list[Country], Field(max_length=250)] = []
    regions: Annotated[list[Area], Field(max_length=200)] = []
    cities: Annotated[list[Area], Field(max_length=200)] = []
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    radius_km: Annotated[int, Field(ge=1, le=20_000)] | None = None

    def where(self) -> operations.Where:
        lists = (tuple(self.countries), tuple(self.regions), tuple(self.cities))
        return operations.Where(*lists, self.latitude, self.longitude, self.radius_km)


class CalendarOut(Schema):
    id: uuid.UUID
    name: str
    url: str
    theme: str
    read_at: dt.datetime | None
    error: str


class EventIn(WhereIn):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    days: Annotated[list[dt.date], Field(min_length=1, max_length=400)]
    theme: Word = ""
    incentive: uuid.UUID | None = Field(default=None, description="Instead of the one of the campaign's step.")


class EventOut(Schema):
    id: uuid.UUID
    calendar: uuid.UUID
    name: str
    theme: str
    days: list[dt.date]
    countries: list[str]
    regions: list[str]
    cities: list[str]
    is_observed: bool


class UncoveredOut(Schema):
    country: str
    region: str
    city: str
    customers: int
    is_placed: bool = Field(description="Whether it is known where the city lies.")


def _out(event: LocalEvent) -> dict[str, Any]:
    own = ("name", "theme", "countries", "regions", "cities", "is_observed")
    days = sorted(day.on for day in event.days.all())
    values = {name: getattr(event, name) for name in own}
    return {**values, "id": event.public_id, "calendar": event.calendar.public_id, "days": days}


@router.get("calendars/", scope=READ, response=Page[CalendarOut])
def list_calendars(
    request: HttpRequest,
    cursor: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Any:
    """Calendars of local events that are in use."""
    return page(Calendar.objects.filter(archived_at=None), cursor, limit, shape=_calendar)


def _calendar(calendar: Calendar) -> dict[str, Any]:
    own = ("name", "url", "theme", "read_at", "error")
    return {"id": calendar.public_id, **{name: getattr(calendar, name) for name in own}}


@router.get("calendars/{uuid:id}/events/", scope=READ, response=Page[EventOut])
def list_events(
    request: HttpRequest,
    id: uuid.UUID,
    cursor: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Any:
    """The events of a calendar with their days."""
    calendar = get_object_or_404(Calendar, public_id=id)
    events = calendar.events.select_related("calendar").prefetch_related("days")
    return page(events, cursor, limit, shape=_out)


@router.post("calendars/{uuid:id}/events/", scope=WRITE, response=EventOut)
def add_event(request: HttpRequest, id: uuid.UUID, body: EventIn) -> Any:
    """Add an event by hand; reading the calendar again leaves it alone."""
    calendar = get_object_or_404(Calendar, public_id=id, archived_at=None)
    incentive = get_object_or_404(Incentive, public_id=body.incentive) if body.incentive else None
    event = operations.save_event(
        event_id=None,
        calendar_id=calendar.pk,
        name=body.name,
        days=body.days,
        theme=body.theme or calendar.theme,
        incentive_id=incentive.pk if incentive else None,
        where=body.where() if body.countries or body.radius_km else operations.Where.of(calendar),
        now=clock.now(),
        by=actor(request),
    )
    return _out(event)


@router.get("places-without-calendar/", scope=READ, response=list[UncoveredOut])
def list_places_without_calendar(request: HttpRequest) -> Any:
    """Where customers live for whom no local event is known, those with the most customers first."""
    return querysets.places_without_calendar(now=clock.now())
