"""The console's page of the global holdout."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldBooleanSwitchWidget

from retention import clock
from retention.doors.console import EditAdmin, acting
from retention.experiments import operations
from retention.experiments.models import GlobalHoldout


class HoldoutForm(forms.ModelForm):
    percent = forms.IntegerField(
        label=_("Percent of all customers"),
        min_value=0,
        max_value=GlobalHoldout.MOST,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=_(
            "They are touched by no campaign, so that what all campaigns bring together can be proved. Campaigns that"
            " ignore it, such as birthdays, reach them. Nought holds nobody out; a shop with fewer than some ten"
            " thousand customers learns nothing from it."
        ),
    )
    is_redrawn = forms.BooleanField(
        label=_("Draw others"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=_("Others are held out from now on. Do it once or twice a year, so that nobody is for ever."),
    )

    class Meta:
        model = GlobalHoldout
        fields = ("percent",)


@admin.register(GlobalHoldout)
class GlobalHoldoutAdmin(EditAdmin):
    """One row, made by the first look at it."""

    is_versioned = False
    form = HoldoutForm
    list_display = ("percent", "since")
    readonly_fields = ("since",)
    fields = ("percent", "is_redrawn", "since")
    labels = {"since": _("Unchanged since")}

    def changelist_view(self, request, extra_context=None):
        if self.has_view_permission(request) and request.method == "GET":
            row = operations.holdout_row(now=clock.now())
            return redirect("admin:experiments_globalholdout_change", object_id=row.pk)
        return super().changelist_view(request, extra_context)

    def has_add_permission(self, request):
        return False

    def get_fields(self, request, obj=None):
        return self.fields if self.has_change_permission(request, obj) else ("percent", "since")

    def get_form(self, request, obj=None, change=False, **kwargs):
        kwargs["fields"] = HoldoutForm.Meta.fields
        return super().get_form(request, obj, change=change, **kwargs)

    def operate(self, request, form, formsets, change):
        said = form.cleaned_data
        return operations.hold_out(percent=said["percent"], is_redrawn=said["is_redrawn"], **acting(request))
