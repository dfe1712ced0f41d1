"""The one row that says when a campaign needs another person's approval."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from campaigns import operations
from campaigns.models import CampaignPolicy
from retention import money
from retention.doors.console import EditAdmin, acting
from retention.shop.models import Shop


class PolicyForm(forms.ModelForm):
    """The amount as people write it, in major units."""

    above = forms.DecimalField(
        label=_("Approval above"),
        min_value=0,
        max_digits=15,
        decimal_places=3,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text=_("A campaign that may cost more in a month needs another person's approval; 0: every campaign."),
    )

    class Meta:
        model = CampaignPolicy
        fields = ("currency", "is_one_person_shop")

    def __init__(self, *args: Any, **options: Any) -> None:
        row = options.get("instance")
        if row is not None:
            start = {"above": money.to_major(row.approval_above_minor, row.currency)}
            options["initial"] = {**start, **(options.get("initial") or {})}
        super().__init__(*args, **options)

    def clean(self) -> dict[str, Any]:
        typed = super().clean()
        try:
            typed["above_minor"] = money.to_minor(typed.get("above", 0), typed.get("currency", ""))
        except money.BadMoney:
            self.add_error("above", _("This is no amount in this currency."))
        return typed


@admin.register(CampaignPolicy)
class CampaignPolicyAdmin(EditAdmin):
    is_versioned = False
    form = PolicyForm
    list_display = ("said",)

    def has_add_permission(self, request):
        return False

    def get_fields(self, request, obj=None):
        may_edit = self.has_change_permission(request, obj)
        return ("above", "currency", "is_one_person_shop") if may_edit else ("said",)

    def get_readonly_fields(self, request, obj=None):
        return () if self.has_change_permission(request, obj) else ("said",)

    @admin.display(description=_("Approval policy"))
    def said(self, row: CampaignPolicy) -> Any:
        if row.is_one_person_shop:
            return _("Whoever may approve campaigns may approve her own as well.")
        if not row.approval_above_minor:
            return _("Every campaign needs the approval of somebody who did not make it.")
        amount = money.show(row.approval_above_minor, row.currency)
        said = _("A campaign that may cost more than %(amount)s needs the approval of somebody who did not make it.")
        return said % {"amount": amount}

    def changelist_view(self, request, extra_context=None):
        """There is one row, made by the first look at it; as long as nobody said anything, rights alone decide."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        shop = Shop.objects.first()
        if request.method != "GET" or shop is None:
            return super().changelist_view(request, extra_context)
        unsaid = {"currency": shop.currency, "is_one_person_shop": True}
        row, _is_new = CampaignPolicy.objects.get_or_create(pk=1, defaults=unsaid)
        return redirect("admin:campaigns_campaignpolicy_change", object_id=row.pk)

    def operate(self, request, form, formsets, change):
        typed = form.cleaned_data
        return operations.save_policy(
            approval_above_minor=typed["above_minor"],
            currency=typed["currency"],
            is_one_person_shop=typed["is_one_person_shop"],
            **acting(request),
        )
