"""Calendars of local events, their events, where cities lie, and the places that no calendar covers."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextInputWidget

from campaigns.calendar import operations
from campaigns.calendar.models import Calendar, LocalEvent, Place
from campaigns.calendar.querysets import places_without_calendar
from campaigns.calendar.reading import MOST_BYTES
from campaigns.calls.models import Call
from retention import clock
from retention.doors.console import EditAdmin, FactAdmin, acting, button
from retention.doors.console.words import noted
from retention.incentives.models import Incentive
from retention.segments.arguments import WordsField

AREA_FIELDS = (("countries", "regions", "cities"), ("latitude", "longitude", "radius_km"))


class WordsInput(UnfoldAdminTextInputWidget):
    """A list of words in one line, with commas between them."""

    def format_value(self, value: Any) -> str | None:
        return ", ".join(value) if isinstance(value, list | tuple) else value


class AreaForm(forms.ModelForm):
    countries = WordsField(
        label=_("Countries"), required=False, upper=True, widget=WordsInput, help_text=_("ISO codes: DE, KR.")
    )
    regions = WordsField(
        label=_("Regions"), required=False, widget=WordsInput, help_text=_("Of them; empty: the whole countries.")
    )
    cities = WordsField(
        label=_("Cities"), required=False, widget=WordsInput, help_text=_("Of them; empty: everywhere.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "incentive" in self.fields:  # who may only look gets no fields
            usable = Q(archived_at=None) | Q(pk=self.instance.incentive_id)
            self.fields["incentive"].queryset = Incentive.objects.filter(usable)

    def where(self) -> operations.Where:
        data = self.cleaned_data
        lists = (tuple(data["countries"]), tuple(data["regions"]), tuple(data["cities"]))
        return operations.Where(*lists, data["latitude"], data["longitude"], data["radius_km"])


class CalendarForm(AreaForm):
    file = forms.FileField(
        label=_("Upload an .ics file"), required=False, widget=UnfoldAdminFileFieldWidget,
        help_text=_("Its events take the place of those read before; what people edited stays."),
    )  # fmt: skip

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file and file.size > MOST_BYTES:
            raise forms.ValidationError(_("At most 5 MB."))
        return file


@admin.register(Calendar)
class CalendarAdmin(EditAdmin):
    is_versioned = False
    form = CalendarForm
    # Counting its events takes the model's own order away.
    ordering = ("name",)
    list_display = ("name", "theme", "shown_events", "read_at", "error", "archived_at")
    search_fields = ("name__istartswith",)
    fields = ("name", "url", "file", ("theme", "incentive"), *AREA_FIELDS, "read_at", "error")
    readonly_fields = ("read_at", "error")
    actions_detail = ["archive"]
    empty_hint = _("Fairs, festivals and match days: a campaign can greet everyone who lives where one is kept.")
    archive = button(
        operations.archive_calendar,
        of="calendar_id",
        done=_("The calendar is archived."),
        title=_("Archive this calendar"),
        description=_("It is read no more, and its events are out of use."),
        permissions=["change"],
        icon="archive",
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(count=Count("events"))

    @display(description=_("events"))
    def shown_events(self, obj: Calendar) -> int:
        return obj.count

    def operate(self, request, form, formsets, change):
        data = form.cleaned_data
        calendar = operations.save_calendar(
            calendar_id=form.instance.pk,
            name=data["name"],
            url=data["url"],
            theme=data["theme"],
            incentive_id=data["incentive"] and data["incentive"].pk,
            where=form.where(),
            **acting(request),
        )
        if data["file"]:
            operations.upload(calendar_id=calendar.pk, content=data["file"].read(), **acting(request))
        return calendar

    def get_urls(self):
        view = self.admin_site.admin_view(self.uncovered_view)
        return [path("without/", view, name="campaigns_uncovered"), *super().get_urls()]

    def uncovered_view(self, request: HttpRequest) -> HttpResponse:
        """Where customers live for whom no event is known."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("Places without a calendar"),
            "places": places_without_calendar(now=clock.now()),
        }
        return TemplateResponse(request, "campaigns/uncovered.html", context)


class EventForm(AreaForm):
    days = forms.CharField(
        label=_("Days"), widget=UnfoldAdminTextInputWidget, max_length=5_000,
        help_text=_("On which it begins, with commas: 2026-06-21, 2027-06-21."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "days" in self.fields:
            self.initial["days"] = ", ".join(f"{day.on:%Y-%m-%d}" for day in self.instance.days.all())

    def clean_days(self) -> list[dt.date]:
        words = [word.strip() for word in self.cleaned_data["days"].split(",") if word.strip()]
        try:
            return sorted({dt.date.fromisoformat(word) for word in words})
        except ValueError:
            raise forms.ValidationError(_("Write days as 2026-06-21.")) from None


@admin.register(LocalEvent)
class LocalEventAdmin(EditAdmin):
    is_versioned = False
    form = EventForm
    list_display = ("name", "calendar", "theme", "shown_days", "is_observed", "is_edited")
    list_filter = (("calendar", AutocompleteSelectFilter), "is_observed")
    list_select_related = ("calendar",)
    search_fields = ("name__istartswith",)
    fields = (("calendar", "name"), "days", ("theme", "incentive"), *AREA_FIELDS, "is_observed")
    autocomplete_fields = ("calendar",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("days")

    @display(description=_("days"))
    def shown_days(self, obj: LocalEvent) -> str:
        days = [f"{day.on:%Y-%m-%d}" for day in obj.days.all()]
        return ", ".join(days[:3]) + (f" +{len(days) - 3}" if len(days) > 3 else "")

    def operate(self, request, form, formsets, change):
        data = form.cleaned_data
        return operations.save_event(
            event_id=form.instance.pk,
            calendar_id=data["calendar"].pk,
            name=data["name"],
            days=data["days"],
            theme=data["theme"],
            incentive_id=data["incentive"] and data["incentive"].pk,
            is_observed=data["is_observed"],
            where=form.where(),
            **acting(request),
        )


@admin.register(Place)
class PlaceAdmin(EditAdmin):
    is_versioned = False
    list_display = ("city", "country", "latitude", "longitude")
    search_fields = ("city__istartswith",)
    fields = (("country", "city"), ("latitude", "longitude"))
    empty_hint = _("Where cities lie, for events with a radius. A city that is not listed lies outside of each.")

    def operate(self, request, form, formsets, change):
        data = form.cleaned_data
        where = {name: data[name] for name in ("city", "latitude", "longitude")}
        country = data["country"].upper()
        return operations.save_place(place_id=form.instance.pk, country=country, **where, **acting(request))


@admin.register(Call)
class CallAdmin(FactAdmin):
    list_display = ("id", "at", "name", "customer", "source")
    list_select_related = ("customer",)
    search_fields = ("name__exact", "source__exact")
    fields = ("name", "customer", "source", "at", "told")
    readonly_fields = ("told",)
    empty_hint = _("Moments that other systems name by POST /api/v1/calls/ are listed here.")

    @display(description=_("What messages may say of it"))
    def told(self, obj: Call) -> str:
        return noted(obj.about)
