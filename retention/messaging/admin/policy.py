"""The console's page of what may be sent when, and how often."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from retention.doors.console import EditAdmin, VersionHistory, acting
from retention.incentives.forms import vocabulary
from retention.incentives.forms.parts import Editor, PartField
from retention.incentives.forms.words import ITEMS
from retention.messaging import operations
from retention.messaging.frequency import policy_of
from retention.messaging.models import MessagingPolicy, Way
from retention.messaging.policy import SendingPolicy

vocabulary.FIELDS.update(
    {
        "SendingPolicy.caps": (_("At most so many messages"), _("To one customer. What someone waits for is exempt.")),
        "SendingPolicy.over_cap": (_("One too many"), ""),
        "SendingPolicy.quiet_hours": (_("Quiet hours"), ""),
        "SendingPolicy.brake": (_("Brake on bad rates"), ""),
        "SendingPolicy.tracks": (_("See opens and clicks"), _("Of marketing mail; machines' are told apart.")),
        "SendingPolicy.paces": (_("Messages a second"), _("As the provider allows; all senders keep to it together.")),
        "Pace.channel": (_("Channel"), ""),
        "Pace.per_second": (_("At most a second"), _("0.2 is one in five seconds.")),
        "Cap.most": (_("At most"), ""),
        "Cap.per": (_("Counted by"), ""),
        "Cap.span": (_("How many"), _("Hours or days back from each message.")),
        "Cap.channel": (_("Channel"), ""),
        "Cap.topic": (_("Topic"), _("Its key; empty: every topic and none.")),
        "QuietHours.starts": (_("From"), _("By the customer's own clock.")),
        "QuietHours.ends": (_("Until"), ""),
        "QuietHours.channels": (_("On these channels"), ""),
        "QuietHours.then": (_("Until they end, messages"), ""),
        "Brake.bounced_per_mille": (_("Bounced of a thousand"), _("More than so many, and it pauses.")),
        "Brake.complained_per_mille": (_("Complained of a thousand"), ""),
        "Brake.sample": (_("From so many messages on"), _("Fewer say nothing.")),
    }
)
vocabulary.CHOICES.update(
    {
        "Cap.channel.": _("all together"),
        **{f"Cap.channel.{way.value}": way.label for way in Way},
        **{f"Pace.channel.{way.value}": way.label for way in Way},
        **{f"channels.{way.value}": way.label for way in Way},
        "Cap.per.hours": _("hours back"),
        "Cap.per.days": _("days back"),
        "Cap.per.day": _("her calendar day"),
        "Cap.per.week": _("her calendar week"),
        "Cap.per.month": _("her calendar month"),
        "SendingPolicy.over_cap.hold": _("waits, a week at most"),
        "SendingPolicy.over_cap.drop": _("is dropped"),
        "QuietHours.then.hold": _("wait"),
        "QuietHours.then.drop": _("are dropped"),
    }
)
ITEMS["paces"] = (_("Add a pace"), "")
ITEMS["caps"] = (_("Add a cap"), _("Cap %(n)s"))

MESSAGING_POLICY = Editor(
    SendingPolicy,
    key="messaging_policy",
    sections=(
        (_("How often"), ("caps", "over_cap")),
        (_("When"), ("quiet_hours",)),
        (_("How fast"), ("paces",)),
        (_("When things go wrong"), ("brake",)),
        (_("Opens and clicks"), ("tracks",)),
    ),
    says=lambda policy: policy.sentence(),
)


class MessagingPolicyForm(forms.ModelForm):
    policy = PartField(MESSAGING_POLICY, label=_("Policy"))

    class Meta:
        model = MessagingPolicy
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **options: Any) -> None:
        instance = options.get("instance")
        version_id = instance.version_id if instance is not None else None
        start = {"policy": MESSAGING_POLICY.typed(policy_of(version_id) if version_id else SendingPolicy())}
        options["initial"] = {**start, **(options.get("initial") or {})}
        super().__init__(*args, **options)


@admin.register(MessagingPolicy)
class MessagingPolicyAdmin(VersionHistory, EditAdmin):
    """One row, made by the first look at it; without a version it says what a shop begins with."""

    form = MessagingPolicyForm
    list_display = ("shown",)
    list_select_related = ("version",)
    fieldsets = ((None, {"fields": ["policy"], "classes": ["inc-rule"]}),)

    class Media:
        css = {"all": ["segments/builder.css", "incentives/incentives.css"]}
        js = ["segments/fields.js", "incentives/fields.js", "incentives/builder.js"]

    def changelist_view(self, request, extra_context=None):
        if self.has_view_permission(request) and request.method == "GET":
            row, _is_new = MessagingPolicy.objects.get_or_create(pk=1)
            return redirect("admin:messaging_messagingpolicy_change", object_id=row.pk)
        return super().changelist_view(request, extra_context)

    def has_add_permission(self, request):
        return False

    def operate(self, request, form, formsets, change):
        said = form.cleaned_data
        return operations.save_messaging_policy(
            policy=said["policy"], edited=said["edited"], why=said["why"], **acting(request)
        )

    def restore(self, request, obj, data, edited, why):
        operations.save_messaging_policy(
            policy=SendingPolicy.model_validate(data), edited=edited, why=why, **acting(request)
        )

    def get_fieldsets(self, request, obj=None):
        may_edit = self.has_change_permission(request, obj)
        return super().get_fieldsets(request, obj) if may_edit else ((None, {"fields": ["shown"]}),)

    def get_readonly_fields(self, request, obj=None):
        return () if self.has_change_permission(request, obj) else ("shown",)

    @admin.display(description=_("Policy"))
    def shown(self, row: MessagingPolicy) -> str:
        return (policy_of(row.version_id) if row.version_id else SendingPolicy()).sentence()
