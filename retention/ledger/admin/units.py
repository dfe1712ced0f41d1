"""Units, edited whole as versions, and the liability book."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import path
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from retention.doors.console import EditAdmin, VersionHistory, acting
from retention.ledger import operations
from retention.ledger.forms import UnitForm
from retention.ledger.models import Unit
from retention.ledger.units import UnitRule
from retention.ledger.versions import rule_of
from retention.ledger.views import liability_view

_HEAD = (None, {"fields": ["name", ("key", "kind"), ("currency", "digits"), "counted"]})
_READ = (None, {"fields": ["name", ("key", "kind"), ("currency", "digits")]})
_WORTH = ("worth_points", "worth")


@admin.register(Unit)
class UnitAdmin(VersionHistory, EditAdmin):
    form = UnitForm
    fieldsets = (
        _HEAD,
        (_("When it expires"), {"fields": ["expires", ("count", "rounded_to"), ("month", "day", "least_days")]}),
        (
            _("At a checkout"),
            {"fields": ["most_percent", ("excluded_categories", "excluded_products"), _WORTH]},
        ),
        (_("When an order comes back"), {"fields": ["least_days_after_return", "may_be_negative"]}),
    )
    list_display = ("name", "key", "kind", "currency", "said")
    list_select_related = ("version",)
    search_fields = ("key__startswith", "name__istartswith")
    empty_hint = _("Units of money make themselves when a gift card or credit is first given in a currency.")
    help_texts = {
        "key": _("As the API names it; it stays."),
        "currency": _("Of money; empty for points."),
        "digits": _("Of points; money has those of its currency."),
    }

    def get_urls(self) -> list:
        book = self.admin_site.admin_view(partial(liability_view, self.admin_site))
        return [path("liability/", book, name="ledger_liability"), *super().get_urls()]

    def get_readonly_fields(self, request: HttpRequest, obj: Unit | None = None) -> tuple[str, ...]:
        may_change = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        if not may_change:
            return ("name", "key", "kind", "currency", "digits", "said")
        # What is out was counted in this.
        return ("key", "kind", "currency", "digits") if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Unit | None = None) -> Any:
        if "said" in self.get_readonly_fields(request, obj):
            return [_READ, (_("Rules"), {"fields": ["said"]})]
        named = super().get_fieldsets(request, obj)
        if obj is None or obj.kind == Unit.Kind.POINTS:
            return named
        # Money is worth itself.
        return [
            (name, {**options, "fields": [row for row in options["fields"] if row not in (_WORTH, "counted")]})
            for name, options in named
        ]

    @display(description=_("Rules"))
    def said(self, unit: Unit) -> str:
        return rule_of(unit).sentence() if unit.version_id else "—"

    def operate(self, request, form, formsets, change):
        typed = form.cleaned_data
        if change:
            return operations.save_unit(
                unit_id=form.instance.pk, rule=typed["rule"], edited=typed["edited"], why=typed["why"],
                **acting(request),
            )  # fmt: skip
        return operations.create_unit(key=typed["key"], rule=typed["rule"], why=typed["why"], **acting(request))

    def restore(self, request, obj, data, edited, why):
        rule = UnitRule.model_validate(data)
        operations.save_unit(unit_id=obj.pk, rule=rule, edited=edited, why=why, **acting(request))
