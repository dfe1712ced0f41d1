"""The list and editor of campaigns, their dry run, their life by buttons, and the gallery of playbooks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.enums import ActionVariant

from campaigns import operations
from campaigns.admin.forms import CampaignForm, StepForm, argument_fields, conditional_fields
from campaigns.models import Campaign, Step
from campaigns.plans import Plan, plan_of
from campaigns.reasons import reason_text
from campaigns.results.views import results_view
from retention import clock, money, registries
from retention.doors.console import ConfirmForm, EditAdmin, VersionHistory, acting, button
from retention.refusals import Refused

TONES = {
    _("Draft"): "info",
    _("Approved"): "warning",
    _("Live"): "success",
    _("Paused"): "danger",
    _("in review"): "warning",
    _("Scheduled"): "success",
    _("Ended"): "default",
}
#: State → buttons that make sense in it.
BUTTONS = {
    Campaign.State.DRAFT: ("approve", "clone", "archive"),
    Campaign.State.REVIEW: ("approve", "clone", "archive"),
    Campaign.State.SCHEDULED: ("approve", "pause", "end", "clone"),
    Campaign.State.APPROVED: ("launch", "clone", "archive"),
    Campaign.State.LIVE: ("approve", "pause", "end", "clone"),
    Campaign.State.PAUSED: ("approve", "resume", "end", "clone"),
    Campaign.State.ENDED: ("clone", "archive"),
}


class StepInline(TabularInline):
    model = Step
    form = StepForm
    extra = 0
    min_num = 1
    ordering = ("position",)
    verbose_name_plural = _("What: steps, in order")


class ApproveForm(ConfirmForm):
    """Carries the version that the lead is looking at."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, object_id, *args, **kwargs)
        campaign = Campaign.objects.select_related("version").filter(pk=object_id).first()
        self.fields["version"].initial = campaign.version.number if campaign and campaign.version else None


class LaunchForm(ConfirmForm):
    def preview(self) -> str:
        if self.obj.version is None:
            return ""
        plan = Plan.model_validate(self.obj.approved_version.data) if self.obj.approved_version else plan_of(self.obj)
        return forecast_sentence(operations.forecast(campaign=self.obj, plan=plan, now=clock.now()))


def forecast_sentence(found: operations.Forecast) -> str:
    if found.heads is None:
        return str(_("Counting takes too long here."))
    words = {"heads": f"{found.heads:,}", "days": found.days}
    if found.is_ahead:
        return str(_("It would reach %(heads)s customers in the next %(days)s days.") % words)
    return str(_("It would have reached %(heads)s customers in the last %(days)s days.") % words)


def _change_url(campaign: Campaign) -> str:
    return reverse("admin:campaigns_campaign_change", args=[campaign.pk])


@admin.register(Campaign)
class CampaignAdmin(VersionHistory, EditAdmin):
    form = CampaignForm
    inlines = (StepInline,)
    list_display = ("name", "shown_state", "when", "newest", "launched_at")
    list_filter = ("state", "occasion")
    search_fields = ("name__istartswith",)
    list_select_related = ("version", "approved_version")
    autocomplete_fields = ()
    conditional_fields = conditional_fields()
    change_form_before_template = "campaigns/summary.html"
    list_before_template = "campaigns/to_gallery.html"
    actions_detail = ("approve", "launch", "pause", "resume", "end", "clone", "archive")
    version_labels = {"steps": _("Steps"), "occasion_args": _("Occasion")}

    def has_change_permission(self, request, obj=None):
        """What has ended stays as it ran: it is read, and copied."""
        return super().has_change_permission(request, obj) and getattr(obj, "state", None) != Campaign.State.ENDED

    def get_queryset(self, request: HttpRequest):
        return super().get_queryset(request).filter(archived_at=None)

    def get_fieldsets(self, request, obj=None):
        self_fields = (
            (_("Who"), {"fields": ("name", "audience", "excluded", "countries"), "classes": ("tab",)}),
            (_("When"), {"fields": ("occasion", *argument_fields()), "classes": ("tab",)}),
            (_("Limits"), {"fields": ("starts_at", "ends_at", "lateness_hours", "priority"), "classes": ("tab",)}),
        )
        if not (self.has_change_permission(request, obj) if obj else self.has_add_permission(request)):
            return tuple((name, {**options, "fields": _real(options["fields"])}) for name, options in self_fields)
        return (*self_fields, (_("Why"), {"fields": ("why", "edited"), "classes": ("tab",)}))

    def get_form(self, request, obj=None, change=False, **kwargs):
        # The fields of occasions are the form's own, not the model's.
        kwargs["fields"] = CampaignForm.Meta.fields
        return super().get_form(request, obj, change=change, **kwargs)

    def operate(self, request, form, formsets, change):
        plan = form.plan_with(_steps(formsets[0]))
        common = {"plan": plan, "why": form.cleaned_data.get("why", ""), **acting(request)}
        if not change:
            return operations.create_campaign(**common)
        return operations.save_campaign(campaign_id=form.instance.pk, edited=form.cleaned_data.get("edited"), **common)

    def restore(self, request, obj, data, edited, why):
        operations.save_campaign(
            campaign_id=obj.pk, plan=Plan.model_validate(data), edited=edited, why=why, **acting(request)
        )

    def buttons_of(self, obj):
        is_approved = obj.version_id == obj.approved_version_id
        return [name for name in BUTTONS[obj.state] if name != "approve" or not is_approved]

    @display(description=_("state"), label=TONES, ordering="state")
    def shown_state(self, obj: Campaign) -> str:
        return obj.get_state_display()

    @display(description=_("occasion"))
    def when(self, obj: Campaign) -> str:
        return summary_of(obj)

    @display(description=_("version"))
    def newest(self, obj: Campaign) -> str:
        number = obj.version.number if obj.version else 0
        if obj.approved_version_id in (None, obj.version_id):
            return str(number)
        return str(_("%(newest)s, %(runs)s runs") % {"newest": number, "runs": obj.approved_version.number})

    approve = button(
        operations.approve,
        of="campaign_id",
        takes=["version"],
        done=_("Approved."),
        title=_("Approve"),
        description=_("The plan as you see it may run; a live campaign runs it from now on."),
        permissions=["campaigns.approve_campaign"],
        form_class=ApproveForm,
        icon="verified",
        variant=ActionVariant.PRIMARY,
    )
    launch = button(
        operations.launch,
        of="campaign_id",
        done=_("It is live."),
        title=_("Launch"),
        description=_("It goes live now. You can pause or end it at any time."),
        permissions=["campaigns.launch_campaign"],
        form_class=LaunchForm,
        icon="rocket_launch",
        variant=ActionVariant.PRIMARY,
    )
    pause = button(
        operations.pause,
        of="campaign_id",
        done=_("It is paused."),
        title=_("Pause"),
        description=_("Nobody is touched and nothing is sent until you resume it."),
        permissions=["campaigns.launch_campaign"],
        icon="pause",
        variant=ActionVariant.WARNING,
    )
    resume = button(
        operations.resume,
        of="campaign_id",
        done=_("It is live again."),
        title=_("Resume"),
        description=_("It goes on. What fell due meanwhile is caught up, unless it is too late."),
        permissions=["campaigns.launch_campaign"],
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
    )
    end = button(
        operations.end,
        of="campaign_id",
        done=_("It has ended."),
        title=_("End"),
        description=_("For good: nobody is touched any more, and what waits in the outbox is not sent."),
        permissions=["campaigns.launch_campaign"],
        icon="stop_circle",
        variant=ActionVariant.DANGER,
    )
    clone = button(
        operations.clone,
        of="campaign_id",
        done=_("This is the copy."),
        goes_to=_change_url,
        title=_("Copy"),
        description=_("A new draft with this plan, without its dates."),
        permissions=["campaigns.add_campaign"],
        icon="content_copy",
    )
    archive = button(
        operations.archive,
        of="campaign_id",
        done=_("It is archived."),
        goes_to=lambda _campaign: reverse("admin:campaigns_campaign_changelist"),
        title=_("Archive"),
        description=_("Out of the list; its touches stay."),
        permissions=["campaigns.change_campaign"],
        icon="archive",
    )

    # Pages of its own

    def get_urls(self):
        return [
            path("playbooks/", self.admin_site.admin_view(self.playbooks_view), name="campaigns_playbooks"),
            path(
                "<int:object_id>/dry-run/",
                self.admin_site.admin_view(self.dry_run_view),
                name="campaigns_campaign_dry_run",
            ),
            path(
                "<int:object_id>/results/",
                self.admin_site.admin_view(lambda request, object_id: results_view(self, request, object_id)),
                name="campaigns_campaign_results",
            ),
            *super().get_urls(),
        ]

    def playbooks_view(self, request: HttpRequest) -> HttpResponse:
        """The gallery; one click makes a draft."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            try:
                campaign = operations.create_from_playbook(key=request.POST.get("key", ""), **acting(request))
            except Refused as refused:
                messages.error(request, str(refused))
                return redirect("admin:campaigns_playbooks")
            messages.success(request, _("This is your draft. Nothing happens until it is approved and launched."))
            return HttpResponseRedirect(_change_url(campaign))
        now = clock.now()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Playbooks"),
            "opts": self.opts,
            "playbooks": [{"book": book, "needs": book.readiness(now=now)} for book in registries.playbooks],
        }
        return TemplateResponse(request, "campaigns/playbooks.html", context)

    def dry_run_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Heads, skips by reason, cost and a sample, as a part of the form's page."""
        campaign = self.get_object(request, str(object_id))
        if campaign is None or campaign.version is None:
            raise Http404
        if not self.has_view_or_change_permission(request, campaign):
            raise PermissionDenied
        found = operations.forecast(campaign=campaign, plan=plan_of(campaign), now=clock.now())
        context = {
            "found": found,
            "sentence": forecast_sentence(found),
            "skipped": [(reason_text(code), f"{count:,}") for code, count in sorted(found.skipped.items())],
            "cost": money.show(found.cost_minor, found.currency) if found.cost_minor is not None else None,
        }
        return TemplateResponse(request, "campaigns/dry_run.html", context)


def summary_of(campaign: Campaign) -> str:
    """When and what, in one sentence."""
    if campaign.version is None:
        return ""
    plan = plan_of(campaign)
    return str(plan.of.sentence(plan.cleaned_args()))


def _steps(formset: forms.BaseInlineFormSet) -> list[dict[str, Any]]:
    rows = [row for row in formset.cleaned_data if row and not row.get("DELETE")]
    return [
        {
            "wait": {"hours": row.get("delay_hours") or 0},
            "incentive": row["incentive"] and row["incentive"].pk,
            "messages": [row["template"].pk] if row["template"] else [],
        }
        for row in rows
    ]


def _real(fields: Any) -> tuple[str, ...]:
    return tuple(name for name in fields if not name.startswith("arg__"))
