"""The console's pages of what became of messages: events, figures, pauses on bad rates, providers that fail."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from retention.doors.console import DaysFilter, FactAdmin, button
from retention.doors.console.words import page_of
from retention.messaging import operations
from retention.messaging.figures.views import figures_view
from retention.messaging.groups import name_of, rows_of
from retention.messaging.links import targets
from retention.messaging.models import CompiledTemplate, Event, Outage, Pause
from retention.messaging.outages import CAP, waiting
from retention.refusals import Refusal

#: Kind of event, as it is shown, → tone.
TONES = {
    Event.Kind(kind).label: tone
    for tone, kinds in {
        "success": ["delivered", "opened", "clicked"],
        "warning": ["soft_bounced", "unsubscribed"],
        "danger": ["bounced", "complained"],
    }.items()
    for kind in kinds
}
_LINK = '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>'


def who(event: Event) -> Any:
    """Opens and clicks are a person's or a machine's; all else is the provider's word."""
    if event.kind not in (Event.Kind.OPENED, Event.Kind.CLICKED):
        return _("told by the provider")
    return _("a machine") if event.is_machine else _("a person")


def leads_to(event: Event) -> str:
    """Where the link led, as the template has it."""
    delivery = event.delivery
    compiled = CompiledTemplate.objects.filter(version=delivery.version_id, language=delivery.language).first()
    leads = targets(compiled.html) if compiled and event.link is not None else ()
    return leads[event.link] if event.link is not None and event.link < len(leads) else "–"


@admin.register(Event)
class EventAdmin(FactAdmin):
    list_display = ("at", "shown_kind", "shown_who", "customer", "template", "of_delivery")
    list_filter = ("kind", "is_machine", ("at", DaysFilter))
    list_select_related = ("delivery__customer", "delivery__template")
    fields = (
        "of_delivery",
        "customer",
        "template",
        "shown_kind",
        "shown_who",
        "at",
        "recorded_at",
        "shown_link",
        "detail",
    )
    readonly_fields = ("of_delivery", "customer", "template", "shown_kind", "shown_who", "shown_link")
    labels = {"at": _("When"), "recorded_at": _("Heard of"), "detail": _("Provider's code")}
    empty_hint = _("Opens, clicks, bounces and complaints are listed here as they are heard of.")

    def get_urls(self) -> list:
        figures = self.admin_site.admin_view(partial(figures_view, self.admin_site))
        return [path("figures/", figures, name="messaging_figures"), *super().get_urls()]

    @display(description=_("what"), label=TONES)
    def shown_kind(self, obj: Event) -> str:
        return obj.get_kind_display()

    @admin.display(description=_("by"))
    def shown_who(self, obj: Event) -> Any:
        return who(obj)

    @admin.display(description=_("customer"))
    def customer(self, obj: Event) -> str:
        return str(obj.delivery.customer)

    @admin.display(description=_("template"))
    def template(self, obj: Event) -> str:
        return str(obj.delivery.template)

    @admin.display(description=_("delivery"))
    def of_delivery(self, obj: Event) -> str:
        return format_html(_LINK, page_of(type(obj.delivery), obj.delivery_id), obj.delivery_id)

    @admin.display(description=_("the link led to"))
    def shown_link(self, obj: Event) -> str:
        return leads_to(obj)


@admin.register(Pause)
class PauseAdmin(FactAdmin):
    list_display = ("shown_state", "whose", "why", "since", "lifted_at")
    list_filter = (("lifted_at", admin.EmptyFieldListFilter), "channel")
    fields = ("shown_state", "whose", "why", "since", "lifted_at", "lifted_by")
    readonly_fields = ("shown_state", "whose", "why")
    labels = {"lifted_at": _("Lifted"), "lifted_by": _("Lifted by")}
    actions_detail = ("lift",)
    empty_hint = _("Nothing had to be paused: bounces and complaints are below what the messaging policy allows.")

    @display(description=_("state"), label={_("paused"): "danger", _("lifted"): "default"})
    def shown_state(self, obj: Pause) -> Any:
        return _("lifted") if obj.lifted_at else _("paused")

    @admin.display(description=_("what"))
    def whose(self, obj: Pause) -> str:
        if obj.channel:
            return format_html("{}", _("all marketing by %(channel)s") % {"channel": obj.get_channel_display()})
        row = rows_of([(obj.origin, obj.group_id)]).get((obj.origin, obj.group_id))
        url = page_of(type(row), row.pk) if row is not None else None
        return format_html(_LINK, url, row) if url else name_of(obj.origin, obj.group_id)

    @admin.display(description=_("reason"))
    def why(self, obj: Pause) -> str:
        return str(Refusal(obj.reason, obj.params))

    lift = button(
        operations.lift_pause,
        of="pause_id",
        done=_("It sends again."),
        goes_to=lambda _outcome: reverse("admin:messaging_pause_changelist"),
        title=_("Let it send again"),
        description=_("Look first at who was written to: the same again harms the shop's name with mail providers."),
        submit=_("Lift the pause"),
        button=_("Lift the pause"),
        permissions=["messaging.lift_pause"],
        icon="play_arrow",
    )

    def buttons_of(self, obj):
        return None if obj.lifted_at is None else []


@admin.register(Outage)
class OutageAdmin(FactAdmin):
    """Only what fails now: a channel that works again is out of the list, and nobody wrote down what was."""

    list_display = ("channel", "why", "since", "failures", "until", "how_many")
    fields = ("channel", "why", "since", "failures", "until", "how_many")
    readonly_fields = ("why", "how_many")
    labels = {
        "channel": _("Channel"), "failures": _("Failures in a row"), "since": _("Fails since"),
        "until": _("Is tried again"),
    }  # fmt: skip
    empty_hint = _("Every provider takes messages. One that fails is listed here with what waits for it.")

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        raise Http404

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), "show_history": False})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Outage]:
        return super().get_queryset(request).filter(failures__gt=0)

    @admin.display(description=_("reason"))
    def why(self, obj: Outage) -> str:
        return str(Refusal(obj.reason)) if obj.reason else "–"

    @admin.display(description=_("messages that wait"))
    def how_many(self, obj: Outage) -> str:
        count = waiting(obj.channel)
        shown = f"{count:,}+" if count == CAP else f"{count:,}"
        url = f"{reverse('admin:messaging_delivery_changelist')}?channel__exact={obj.channel}&state__exact=queued"
        return format_html(_LINK, url, shown)
