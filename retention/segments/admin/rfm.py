"""The console's pages for RFM: the grid with its heads and movement, and the customers of a group."""

from __future__ import annotations

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from retention import clock, money
from retention.customers.models import Rfm
from retention.customers.rfm import GROUPS
from retention.doors.console import FactAdmin
from retention.segments.arguments import shop_currency
from retention.segments.standing import grid_now, groups_now, rfm_computed, spend_of_groups

DAYS = 30


class GroupFilter(admin.SimpleListFilter):
    title = _("group")
    parameter_name = "group"

    def lookups(self, request, model_admin):
        return [(group.key, group.label) for group in GROUPS.values()]

    def queryset(self, request, queryset):
        return queryset.filter(group=self.value()) if self.value() in GROUPS else queryset


@admin.register(Rfm)
class RfmAdmin(FactAdmin):
    list_display = ["customer", "shown_group", "shown_previous", "recency", "frequency", "monetary", "computed_at"]
    list_filter = [GroupFilter]
    list_select_related = ["customer"]
    search_fields = ["customer__email_normal__exact", "customer__reference__exact"]
    fields = [
        "customer",
        "shown_group",
        "shown_previous",
        "recency",
        "frequency",
        "monetary",
        "computed_at",
    ]
    readonly_fields = ["shown_group", "shown_previous"]
    empty_hint = _("Buyers are scored every night.")

    def get_urls(self):
        return [
            path("grid/", self.admin_site.admin_view(self.grid_view), name="customers_rfm_grid"),
            *super().get_urls(),
        ]

    def grid_view(self, request):
        """How many buyers are in each cell, what the groups are worth, and who moved."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        standing, spent, currency = groups_now(now=clock.now(), days=DAYS), spend_of_groups(), shop_currency()
        computed_at, buyers = rfm_computed()
        language = get_language() or "en"
        groups = [(place, money.show(spent.get(place.key, 0), currency, language)) for place in standing.places]
        context = {
            **self.admin_site.each_context(request),
            "title": _("RFM groups"),
            "grid": grid_now(),
            "groups": groups,
            "flows": standing.flows,
            "days": DAYS,
            "buyers": buyers,
            "computed_at": computed_at,
        }
        return TemplateResponse(request, "segments/rfm.html", context)

    @display(description=_("Group"))
    def shown_group(self, row):
        return GROUPS[row.group].label if row.group in GROUPS else row.group

    @display(description=_("Group before"))
    def shown_previous(self, row):
        return GROUPS[row.previous_group].label if row.previous_group in GROUPS else "–"
