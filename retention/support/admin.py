"""Support in the console: cases and what was given read-only; reasons, limits and the desk's settings editable."""

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import FieldTextFilter
from unfold.widgets import UnfoldAdminTextInputWidget

from retention import money
from retention.doors.console import DaysFilter, EditAdmin, FactAdmin, acting
from retention.shop.models import Shop
from retention.support.forms import read_amount
from retention.support.models import AgentLimit, Case, Compensation, Desk, Reason
from retention.support.operations import save_desk, save_reason, set_limit

#: Of a limit, in minor units.
MOST = 10**12


@admin.register(Case)
class CaseAdmin(FactAdmin):
    empty_hint = _("A case is opened at the sorry desk, together with what is given.")
    list_display = ("id", "opened_at", "customer", "reason", "order", "channel", "opened_by")
    list_filter = ("reason", ("channel", FieldTextFilter), ("opened_at", DaysFilter))
    list_select_related = ("customer", "reason", "order", "opened_by")
    search_fields = ("order__reference__exact", "customer__email_normal__exact", "customer__reference__exact")
    search_help_text = _("Order, email or reference of the customer, whole")
    fields = ("opened_at", "opened_by", "customer", "reason", "order", "line", "channel", "words")


@admin.register(Compensation)
class CompensationAdmin(FactAdmin):
    empty_hint = _("What agents give at the sorry desk is listed here.")
    list_display = ("id", "given_at", "customer", "reason", "amount", "given_by", "is_sent", "undone_at")
    list_filter = (("given_at", DaysFilter), "is_sent", "case__reason")
    list_select_related = ("case__customer", "case__reason", "given_by")
    search_fields = (
        "grant__code__code__exact", "case__order__reference__exact", "case__customer__email_normal__exact",
    )  # fmt: skip
    search_help_text = _("Code, order or email of the customer, whole")
    fields = (
        "given_at", "given_by", "case", "grant", "product", "amount", "day", "is_sent",
        "undone_at", "undone_by", "undone_why",
    )  # fmt: skip

    @admin.display(description=_("customer"))
    def customer(self, obj: Compensation) -> str:
        return str(obj.case.customer)

    @admin.display(description=_("reason"))
    def reason(self, obj: Compensation) -> str:
        return str(obj.case.reason)

    @admin.display(description=_("amount"))
    def amount(self, obj: Compensation) -> str:
        return money.show(obj.amount_minor, obj.currency)


@admin.register(Reason)
class ReasonAdmin(EditAdmin):
    is_versioned = False
    list_display = ("label", "key", "percent", "is_active", "position")
    fields = ("label", "key", "percent", "is_active", "position")

    def get_readonly_fields(self, request, obj=None):
        return ("key",) if obj else ()

    def operate(self, request, form, formsets, change):
        typed = {name: form.cleaned_data[name] for name in ("label", "percent", "is_active", "position")}
        key = form.instance.key if change else form.cleaned_data["key"]
        return save_reason(key=key, **typed, **acting(request))


class LimitForm(forms.ModelForm):
    """Amounts in major units of the base currency."""

    per_case = forms.CharField(label=_("Per case"), max_length=20, widget=UnfoldAdminTextInputWidget)
    per_day = forms.CharField(label=_("Per day"), max_length=20, widget=UnfoldAdminTextInputWidget)

    class Meta:
        model = AgentLimit
        fields = ("staff",)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.currency = Shop.objects.get().currency
        for name in ("per_case", "per_day"):
            if name not in self.fields:
                continue
            self.fields[name].help_text = self.currency
            minor = getattr(self.instance, f"{name}_minor", None)
            if minor is not None:
                self.fields[name].initial = money.to_major(minor, self.currency)

    def _amount(self, name: str) -> int:
        minor = read_amount(self.cleaned_data[name], self.currency)
        if not 0 <= minor <= MOST:
            raise ValidationError(_("A limit is zero or more, and no astronomical number."))
        return minor

    def clean_per_case(self) -> int:
        return self._amount("per_case")

    def clean_per_day(self) -> int:
        return self._amount("per_day")


@admin.register(AgentLimit)
class AgentLimitAdmin(EditAdmin):
    is_versioned = False
    form = LimitForm
    list_display = ("staff", "per_case", "per_day")
    list_select_related = ("staff",)
    fields = ("staff", "per_case", "per_day")

    def get_readonly_fields(self, request, obj=None):
        if not self.has_change_permission(request, obj):
            return ("staff", "per_case", "per_day")
        return ("staff",) if obj else ()

    @admin.display(description=_("per case"), ordering="per_case_minor")
    def per_case(self, obj: AgentLimit) -> str:
        return money.show(obj.per_case_minor, Shop.objects.get().currency)

    @admin.display(description=_("per day"), ordering="per_day_minor")
    def per_day(self, obj: AgentLimit) -> str:
        return money.show(obj.per_day_minor, Shop.objects.get().currency)

    def operate(self, request, form, formsets, change):
        staff = form.instance.staff if change else form.cleaned_data["staff"]
        return set_limit(
            staff_id=staff.pk,
            per_case_minor=form.cleaned_data["per_case"],
            per_day_minor=form.cleaned_data["per_day"],
            **acting(request),
        )


@admin.register(Desk)
class DeskAdmin(EditAdmin):
    is_versioned = False
    list_display = ("__str__", "incentive", "template", "valid_days", "repeat_days")
    list_select_related = ("incentive", "template")
    fields = ("incentive", "template", "valid_days", "repeat_days")

    def has_add_permission(self, request) -> bool:
        return False

    def operate(self, request, form, formsets, change):
        typed = form.cleaned_data
        return save_desk(
            incentive_id=typed["incentive"].pk,
            template_id=typed["template"].pk,
            valid_days=typed["valid_days"],
            repeat_days=typed["repeat_days"],
            **acting(request),
        )
