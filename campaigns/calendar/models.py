"""Calendars of local events, the events with their days and areas, and where places lie."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from retention.incentives.models import Incentive
from retention.public_ids import PublicIdField


def words(length: int, **kwargs) -> ArrayField:
    return ArrayField(models.CharField(max_length=length), default=list, blank=True, **kwargs)


class Area(models.Model):
    """Where something is kept: in countries, narrowed to regions or cities of them, or around a point.

    Who lives at an unknown place is outside.
    """

    countries = words(2, help_text="ISO codes: DE, KR.")
    regions = words(100, help_text="Empty: the whole of these countries.")
    cities = words(100, help_text="Empty: everywhere in them.")
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    radius_km = models.PositiveIntegerField("radius in km", null=True, blank=True, help_text="Around the point.")

    AREA = ("countries", "regions", "cities", "latitude", "longitude", "radius_km")

    class Meta:
        abstract = True


def area_constraints(name: str) -> list[models.CheckConstraint]:
    """An area is somewhere, and a radius has its point."""
    point = Q(latitude__range=(-90, 90), longitude__range=(-180, 180), radius_km__range=(1, 20_000))
    return [
        models.CheckConstraint(condition=Q(countries__len__gte=1) | point, name=f"{name}_is_somewhere"),
        models.CheckConstraint(
            condition=Q(latitude=None, longitude=None, radius_km=None) | point, name=f"{name}_radius_has_a_point"
        ),
    ]


class Calendar(Area):
    """A source of local events: a feed that is read again and again, an uploaded file, or nothing but a heading.

    Its area, theme and incentive are those of its events, but of those that somebody edited.
    """

    public_id = PublicIdField()
    name = models.CharField(max_length=120)
    url = models.URLField(
        "address of the feed", max_length=500, blank=True, help_text="An .ics file; empty: filled by hand or by upload."
    )
    theme = models.SlugField(max_length=60, blank=True, help_text="One word that campaigns ask for, such as music.")
    incentive = models.ForeignKey(
        Incentive, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="Instead of the step's."
    )
    tried_at = models.DateTimeField(null=True, editable=False)
    read_at = models.DateTimeField(null=True, editable=False, help_text="When its events were last read whole.")
    error = models.CharField(max_length=300, blank=True, editable=False)
    archived_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            *area_constraints("calendar"),
            models.UniqueConstraint(
                Lower("name"), condition=Q(archived_at=None), name="one_live_calendar_a_name",
                violation_error_message="There is a calendar of this name already.",
            ),
        ]  # fmt: skip

    def __str__(self):
        return self.name


class LocalEvent(Area):
    """Something that is kept at a place, on one day or on many; who keeps the calendar names it by `uid`."""

    public_id = PublicIdField()
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, related_name="events", db_index=False)
    uid = models.CharField(max_length=255)
    name = models.CharField(max_length=200)
    theme = models.SlugField(max_length=60, blank=True)
    incentive = models.ForeignKey(
        Incentive, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="Instead of the step's."
    )
    is_observed = models.BooleanField("in use", default=True)
    is_edited = models.BooleanField(default=False, editable=False)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            *area_constraints("event"),
            models.UniqueConstraint(fields=["calendar", "uid"], name="one_event_a_uid"),
        ]
        indexes = [models.Index(fields=["theme"], name="event_by_theme")]

    def __str__(self):
        return self.name


class EventDay(models.Model):
    """A day on which an event begins."""

    event = models.ForeignKey(LocalEvent, on_delete=models.CASCADE, related_name="days")
    on = models.DateField()

    class Meta:
        ordering = ["on"]
        constraints = [models.UniqueConstraint(fields=["event", "on"], name="an_event_begins_once_a_day")]
        indexes = [models.Index(fields=["on"], name="event_by_day")]

    def __str__(self):
        return f"{self.event}, {self.on}"


class Place(models.Model):
    """Where a city lies, for areas around a point."""

    country = models.CharField(max_length=2)
    city = models.CharField(max_length=100)
    latitude = models.FloatField()
    longitude = models.FloatField()

    class Meta:
        ordering = ["country", "city"]
        constraints = [
            models.UniqueConstraint("country", Lower("city"), name="one_place_a_city"),
            models.CheckConstraint(
                condition=Q(latitude__range=(-90, 90), longitude__range=(-180, 180)), name="place_is_on_earth"
            ),
            models.CheckConstraint(condition=Q(country__regex=r"^[A-Z]{2}$"), name="place_country_is_iso"),
        ]

    def __str__(self):
        return f"{self.city} ({self.country})"

    @property
    def key(self) -> str:
        """What rules name it by."""
        return f"{self.country}:{self.city}"
