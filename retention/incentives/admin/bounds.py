"""The console's pages of what holds over several offers: the checkout policy, and budgets with what is used of them."""

from __future__ import annotations

from django.contrib import admin
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from retention import clock
from retention.doors.console import EditAdmin, FactAdmin, VersionHistory, acting
from retention.doors.console.words import behalf
from retention.incentives import operations
from retention.incentives.bounds import Bound, used_of_budgets
from retention.incentives.forms import PolicyForm
from retention.incentives.models import Budget, CheckoutPolicy
from retention.incentives.policy import Policy
from retention.incentives.versions import policy_of


@admin.register(CheckoutPolicy)
class CheckoutPolicyAdmin(VersionHistory, EditAdmin):
    """One row, made by the first save; until then the page says what a shop begins with."""

    form = PolicyForm
    list_display = ["shown"]
    list_select_related = ["version"]
    fieldsets = [(None, {"fields": ["policy"], "classes": ["inc-rule"]})]

    class Media:
        css = {"all": ["segments/builder.css", "incentives/incentives.css"]}
        js = ["segments/fields.js", "incentives/fields.js", "incentives/builder.js"]

    def changelist_view(self, request, extra_context=None):
        if self.has_view_permission(request) and request.method == "GET":
            return redirect("admin:incentives_checkoutpolicy_change", object_id=1)
        return super().changelist_view(request, extra_context)

    def get_object(self, request, object_id, from_field=None):
        return super().get_object(request, object_id, from_field) or (
            CheckoutPolicy(pk=1) if object_id == "1" else None
        )

    def has_add_permission(self, request):
        return False

    def operate(self, request, form, formsets, change):
        said = form.cleaned_data
        return operations.save_policy(policy=said["policy"], edited=said["edited"], why=said["why"], **acting(request))

    def restore(self, request, obj, data, edited, why):
        operations.save_policy(policy=Policy.model_validate(data), edited=edited, why=why, **acting(request))

    def get_fieldsets(self, request, obj=None):
        may_edit = self.has_change_permission(request, obj)
        return super().get_fieldsets(request, obj) if may_edit else [(None, {"fields": ["shown"]})]

    def get_readonly_fields(self, request, obj=None):
        return [] if self.has_change_permission(request, obj) else ["shown"]

    @admin.display(description=_("Policy"))
    def shown(self, row):
        policy = policy_of(row.version_id) if row.version_id else Policy()
        return ", ".join(policy.sentences())


@admin.register(Budget)
class BudgetAdmin(FactAdmin):
    list_display = ["name", "whose", "limits"]
    search_fields = ["name__istartswith"]
    list_select_related = ["version"]
    fields = ["name", "whose", "used"]
    readonly_fields = ["whose", "used"]
    empty_hint = _("Budgets belong to campaigns and agents; the shop's systems make others by the API.")

    class Media:
        css = {"all": ["incentives/incentives.css"]}

    @admin.display(description=_("Whose"))
    def whose(self, budget):
        return behalf(budget.origin, budget.origin_id)

    @admin.display(description=_("Limits"))
    def limits(self, budget):
        return ", ".join(bound.sentence for bound in _bounds(budget))

    @admin.display(description=_("Used"))
    def used(self, budget):
        return render_to_string("incentives/bounds.html", {"bounds": _bounds(budget)})


def _bounds(budget: Budget) -> list[Bound]:
    today = clock.now().astimezone(timezone.get_current_timezone()).date()
    return used_of_budgets([budget], today=today)[budget.pk]
