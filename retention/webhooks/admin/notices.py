"""What was told: each notice with its body and every try."""

from __future__ import annotations

import json

from django.contrib import admin
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, FieldTextFilter
from unfold.decorators import display

from retention.doors.console import DaysFilter, FactAdmin, button
from retention.doors.console.words import actor_words
from retention.refusals import Refusal
from retention.webhooks import operations
from retention.webhooks.bodies import body_of
from retention.webhooks.catalogue import kinds
from retention.webhooks.models import Notice

#: State, as it is shown, → tone.
TONES = {
    Notice.State(state).label: tone
    for state, tone in (("waiting", "info"), ("delivered", "success"), ("given_up", "danger"))
}
#: As many tries as a page shows.
SHOWN = 50


@admin.register(Notice)
class NoticeAdmin(FactAdmin):
    list_display = ("occurred_at", "what", "endpoint", "customer", "shown_state", "tries", "next_at")
    list_filter = (
        ("endpoint", AutocompleteSelectFilter), "state", ("kind", FieldTextFilter), ("occurred_at", DaysFilter),
    )  # fmt: skip
    list_select_related = ("endpoint", "customer")
    search_fields = ("public_id__exact", "customer__reference__exact")
    search_help_text = _("The webhook-id, or the customer's reference, whole")
    ordering = ("-id",)
    actions_detail = ("again",)
    labels = {"ended_at": _("Ended"), "public_id": _("webhook-id")}
    readonly_fields = ("what", "shown_state", "calls", "body")
    empty_hint = _("What endpoints are told is listed here, from the moment it is found.")
    fieldsets = (
        (
            None,
            {
                "fields": [
                    ("what", "endpoint"), ("occurred_at", "customer"), ("shown_state", "tries"),
                    ("next_at", "ended_at"), "public_id",
                ]
            },
        ),
        (_("Tries"), {"fields": ["calls"]}),
        (_("The body"), {"fields": ["body"]}),
    )  # fmt: skip

    @admin.display(description=_("event"))
    def what(self, obj: Notice) -> str:
        known = kinds().get(obj.kind)
        return f"{known.label} ({obj.kind})" if known else obj.kind

    @display(description=_("state"), label=TONES)
    def shown_state(self, obj: Notice) -> str:
        return obj.get_state_display()

    @admin.display(description="")
    def calls(self, obj: Notice) -> str:
        tries = [
            (each, Refusal(each.why) if each.why else "", actor_words(each.by) if each.by else "")
            for each in obj.attempts.order_by("-pk")[:SHOWN]
        ]
        return render_to_string("webhooks/calls.html", {"tries": tries})

    @admin.display(description="")
    def body(self, obj: Notice) -> str:
        shown = json.dumps(json.loads(body_of(obj)), ensure_ascii=False, indent=2)
        return render_to_string("webhooks/body.html", {"body": shown})

    again = button(
        operations.replay,
        of="notice_id",
        done=_("It is on its way again."),
        title=_("Send again"),
        description=_("Under the same id: a receiver that has it already can tell."),
        permissions=["webhooks.replay_notice"],
        icon="replay",
    )

    def buttons_of(self, obj: Notice) -> list[str]:
        return [] if obj.state == Notice.State.WAITING else ["again"]
