"""The console's pages of what became of messages: events, and pauses on bad rates."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from retention.doors.console import DaysFilter, FactAdmin, button
from retention.messaging import operations
from retention.messaging.models import Event, Pause
from retention.refusals import Refusal


@admin.register(Event)
class EventAdmin(FactAdmin):
    list_display = ("id", "at", "kind", "is_machine", "delivery")
    list_filter = ("kind", "is_machine", ("at", DaysFilter))
    list_select_related = ("delivery",)
    fields = ("delivery", "kind", "at", "recorded_at", "is_machine", "link", "detail")
    empty_hint = _("Opens, clicks, bounces and complaints are listed here as they are heard of.")


@admin.register(Pause)
class PauseAdmin(FactAdmin):
    list_display = ("whose", "why", "since", "lifted_at")
    list_filter = ("channel",)
    fields = ("whose", "why", "since", "lifted_at", "lifted_by")
    readonly_fields = ("whose", "why")
    actions_detail = ("lift",)
    empty_hint = _("Nothing had to be paused: bounces and complaints are below what the messaging policy allows.")

    @admin.display(description=_("what"))
    def whose(self, obj: Pause) -> str:
        return obj.get_channel_display() if obj.channel else f"{obj.origin} {obj.group_id}"

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
