"""Touches, read-only; holidays, editable."""

from django.contrib import admin
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from campaigns import operations
from campaigns.models import Holiday, Touch
from campaigns.reasons import reason_text
from retention.doors.console import EditAdmin, FactAdmin, acting
from retention.doors.console.words import noted

TONES = {"due": "info", "held": "warning", "waiting": "warning", "done": "success", "skipped": "default"}


@admin.register(Touch)
class TouchAdmin(FactAdmin):
    list_display = ("id", "due_at", "campaign", "customer", "shown_occasion", "shown_state", "why")
    list_filter = (("campaign", AutocompleteSelectFilter), "state")
    list_select_related = ("campaign", "customer")
    search_fields = ("customer__email_normal__exact", "customer__reference__exact")
    search_help_text = _("Email or reference of the customer, whole")
    fields = (
        "campaign", "customer", "shown_occasion", "state", "why", "due_at", "enlisted_at", "step", "next_at", "version",
        "grant", "told",
    )  # fmt: skip
    readonly_fields = ("why", "shown_occasion", "told")
    labels = {"due_at": _("Occasion fell"), "enlisted_at": _("Reached"), "step": _("Steps taken"),
              "next_at": _("Next step"), "grant": _("About the grant")}  # fmt: skip
    empty_hint = _("A live campaign touches a customer when her occasion comes; each touch is listed here.")

    @display(description=_("state"), label={label: TONES[value] for value, label in Touch.State.choices})
    def shown_state(self, obj: Touch) -> str:
        return obj.get_state_display()

    @display(description=_("occasion"))
    def shown_occasion(self, obj: Touch) -> str:
        return obj.occasion.replace(":", " ").replace("_", " ")

    @display(description=_("What messages may say of it"))
    def told(self, obj: Touch) -> str:
        return noted(obj.about)

    @display(description=_("why not"))
    def why(self, obj: Touch) -> str:
        return reason_text(obj.reason)


@admin.register(Holiday)
class HolidayAdmin(EditAdmin):
    is_versioned = False
    list_display = ("name", "country", "on", "is_observed", "by_hand")
    list_filter = ("country", "is_observed", "on")
    search_fields = ("name__istartswith", "key__istartswith")
    fields = ("country", "on", "name", "is_observed")
    ordering = ("on", "country")

    @display(description=_("edited"), boolean=True)
    def by_hand(self, obj: Holiday) -> bool:
        return obj.is_edited

    def operate(self, request, form, formsets, change):
        data = form.cleaned_data
        return operations.save_holiday(
            holiday_id=form.instance.pk,
            country=data["country"].upper(),
            on=data["on"],
            key=form.instance.key or slugify(data["name"])[:80] or "holiday",
            name=data["name"],
            is_observed=data["is_observed"],
            **acting(request),
        )
