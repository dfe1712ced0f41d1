"""Deliveries in the console, each with its reason, its words and what became of it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from retention.doors.console import DaysFilter, FactAdmin, acting, confirm
from retention.doors.console.words import behalf
from retention.messaging import operations, views
from retention.messaging.admin.tracking import leads_to, who
from retention.messaging.models import Delivery
from retention.messaging.words import locale
from retention.refusals import Refusal

#: As many events of a message as its page shows.
_EVENTS = 50
#: State, as it is shown, → tone.
TONES = {
    Delivery.State(state).label: tone
    for tone, states in {
        "success": ["sent"],
        "danger": ["failed", "bounced"],
        "warning": ["unknown"],
        "info": ["held", "sending", "claimed", "withheld"],
    }.items()
    for state in states
}


@admin.register(Delivery)
class DeliveryAdmin(FactAdmin):
    list_display = ("queued_at", "customer", "template", "channel", "shown_state", "shown_reason", "ended_at")
    list_filter = ("state", "is_transactional", "is_ghost", "channel", ("queued_at", DaysFilter))
    list_select_related = ("customer", "template")
    search_fields = ("customer__email_normal__exact", "customer__reference__exact", "grant__code__code__exact")
    search_help_text = _("Email, reference or code of the customer, whole")
    actions_detail = ("arrived", "send_again")
    readonly_fields = ("shown_state", "shown_reason", "written_in", "behalf", "nth_step", "heard", "message")
    labels = {
        "queued_at": _("Queued"), "not_before": _("Leaves from"), "ended_at": _("Ended"),
        "is_transactional": _("Someone waits for it"), "attempts": _("Tries"),
        "provider_id": _("Number at the provider"),
    }  # fmt: skip
    empty_hint = _("Every message to a customer is listed here, from the moment it is queued.")
    fieldsets = (
        (
            None,
            {
                "fields": [
                    ("customer", "template"),
                    ("channel", "is_transactional"),
                    ("shown_state", "shown_reason"),
                    ("queued_at", "written_in"),
                    ("not_before", "ended_at"),
                    ("attempts", "provider_id"),
                    ("behalf", "nth_step"),
                ]
            },
        ),
        (_("What became of it"), {"fields": ["heard"]}),
        (_("The message"), {"fields": ["message"]}),
    )

    @display(
        description=_("state"),
        ordering="state",
        label=TONES,
    )
    def shown_state(self, obj: Delivery) -> str:
        return obj.get_state_display()

    @admin.display(description=_("reason"))
    def shown_reason(self, obj: Delivery) -> str:
        return str(Refusal(obj.reason, obj.params)) if obj.reason else "–"

    @admin.display(description=_("written in"))
    def written_in(self, obj: Delivery) -> str:
        return locale(obj.language).get_display_name() if obj.language else "–"

    @admin.display(description=_("on behalf of"))
    def behalf(self, obj: Delivery) -> Any:
        return behalf(obj.origin, obj.origin_id)

    @admin.display(description=_("step"))
    def nth_step(self, obj: Delivery) -> int:
        return obj.step + 1

    @admin.display(description=_("opens, clicks, bounces"))
    def heard(self, obj: Delivery) -> str:
        events = list(obj.events.select_related("delivery").order_by("-at", "-pk")[: _EVENTS + 1])
        told = [(event, who(event), leads_to(event) if event.link is not None else "") for event in events[:_EVENTS]]
        return render_to_string("messaging/events.html", {"events": told, "more": len(events) > _EVENTS})

    @admin.display(description="")
    def message(self, obj: Delivery) -> str:
        url = reverse("admin:messaging_delivery_message", args=[obj.pk])
        return render_to_string("messaging/message.html", {"url": url})

    class Media:
        js = ("messaging/editor.js",)
        css = {"all": ("messaging/editor.css",)}

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(views.delivery_message)
        return [path("<int:object_id>/message/", view, name="messaging_delivery_message"), *super().get_urls()]

    @confirm(
        title=_("It arrived"),
        description=_("The provider says that it was sent: it counts as sent from now on."),
        submit=_("It was sent"),
        permissions=["messaging.settle_delivery"],
        icon="mark_email_read",
    )
    def arrived(self, request: HttpRequest, form: forms.Form, obj: Delivery) -> str:
        operations.settle_unknown(delivery_id=obj.pk, arrived=True, **acting(request))
        return str(_("It counts as sent."))

    @confirm(
        title=_("Send it again"),
        description=_("Only if the provider says that it was not sent: otherwise the customer gets it twice."),
        submit=_("Send again"),
        permissions=["messaging.settle_delivery"],
        icon="forward_to_inbox",
    )
    def send_again(self, request: HttpRequest, form: forms.Form, obj: Delivery) -> str:
        operations.settle_unknown(delivery_id=obj.pk, arrived=False, **acting(request))
        return str(_("It is queued again."))

    def buttons_of(self, obj):
        return None if obj.state == Delivery.State.UNKNOWN else []
