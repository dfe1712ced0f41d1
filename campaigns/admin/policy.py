"""The one row that says when a campaign needs another person's approval."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect

from campaigns import operations
from campaigns.models import CampaignPolicy
from retention.doors.console import EditAdmin, acting
from retention.shop.models import Shop


@admin.register(CampaignPolicy)
class CampaignPolicyAdmin(EditAdmin):
    is_versioned = False
    list_display = ("approval_above_minor", "currency", "is_one_person_shop")
    fields = ("approval_above_minor", "currency", "is_one_person_shop")

    def has_add_permission(self, request):
        return False

    def changelist_view(self, request, extra_context=None):
        """There is one row; it is made when it is first opened by who may change it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = CampaignPolicy.objects.filter(pk=1).first()
        if row is None and self.has_change_permission(request):
            row = operations.save_policy(
                approval_above_minor=0, currency=Shop.objects.get().currency, is_one_person_shop=True, **acting(request)
            )
        if row is None:
            return super().changelist_view(request, extra_context)
        return redirect("admin:campaigns_campaignpolicy_change", object_id=row.pk)

    def operate(self, request, form, formsets, change):
        return operations.save_policy(**form.cleaned_data, **acting(request))
