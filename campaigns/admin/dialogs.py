"""What the buttons of a campaign ask before they act."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from campaigns import forecasts, operations
from campaigns.models import Campaign
from campaigns.plans import Ramp, plan_of, running_plan
from campaigns.progress import codes_out_words
from campaigns.sentences import differences
from retention import clock
from retention.doors.console import ConfirmForm


class ApproveForm(ConfirmForm):
    """Carries the version that the lead is looking at."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, object_id, *args, **kwargs)
        campaign = Campaign.objects.select_related("version").filter(pk=object_id).first()
        self.fields["version"].initial = campaign.version.number if campaign and campaign.version else None

    def preview(self) -> str:
        running = self.obj.approved_version
        if running is None or running.pk == self.obj.version_id:
            return ""
        found = differences(running_plan(self.obj), plan_of(self.obj))
        words = " ".join(f"{one.label}: {one.before or '—'} → {one.after or '—'}" for one in found)
        return f"{words} {codes_out_words(self.obj)}".strip()


class RejectForm(ConfirmForm):
    reason = forms.CharField(label=_("Why"), max_length=300, widget=UnfoldAdminTextInputWidget)


class WidenForm(ConfirmForm):
    """Leave both empty to open it to everyone."""

    percent = forms.IntegerField(
        label=_("To percent"), min_value=1, max_value=99, required=False, widget=UnfoldAdminIntegerFieldWidget
    )
    first = forms.IntegerField(
        label=_("or to the first customers"), min_value=1, required=False, widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("Both empty: to everyone."),
    )  # fmt: skip

    def clean(self):
        cleaned = super().clean()
        wanted = {name: cleaned.get(name) for name in ("percent", "first") if cleaned.get(name)}
        if len(wanted) > 1:
            raise ValidationError(_("Say a share or a number, not both."))
        cleaned["ramp"] = Ramp(**wanted) if wanted else None
        return cleaned


class LaunchForm(ConfirmForm):
    def preview(self) -> str:
        if self.obj.version is None:
            return ""
        plan = running_plan(self.obj) if self.obj.approved_version else plan_of(self.obj)
        found = operations.forecast(campaign=self.obj, plan=plan, now=clock.now())
        return f"{forecasts.sentence(found, plan)} {forecasts.unforeseen(plan)}".strip()
