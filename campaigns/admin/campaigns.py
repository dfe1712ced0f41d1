"""The list and editor of campaigns, their dry run, their life by buttons, and the gallery of playbooks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.enums import ActionVariant

from campaigns import forecasts, operations
from campaigns.admin.dialogs import ApproveForm, LaunchForm, RejectForm, WidenForm
from campaigns.admin.forms import CampaignForm, argument_fields, conditional_fields
from campaigns.models import Campaign, CampaignPolicy, Reach
from campaigns.plans import Plan, plan_of
from campaigns.playbooks.views import gallery_view
from campaigns.progress import progress_of
from campaigns.reasons import reason_text
from campaigns.results.views import results_view
from campaigns.sentences import differences, summary
from retention import clock, money
from retention.audit.models import Version
from retention.doors.console import EditAdmin, VersionHistory, acting, button
from retention.doors.console.sentences import messages_of

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
    Campaign.State.DRAFT: ("submit", "approve", "launch", "clone", "archive"),
    Campaign.State.REVIEW: ("approve", "reject", "launch", "clone", "archive"),
    Campaign.State.APPROVED: ("launch", "clone", "archive"),
    Campaign.State.SCHEDULED: ("approve", "pause", "end", "clone"),
    Campaign.State.LIVE: ("approve", "pause", "widen", "end", "clone"),
    Campaign.State.PAUSED: ("approve", "resume", "widen", "end", "clone"),
    Campaign.State.ENDED: ("clone", "archive"),
}


def _change_url(campaign: Campaign) -> str:
    return reverse("admin:campaigns_campaign_change", args=[campaign.pk])


@admin.register(Campaign)
class CampaignAdmin(VersionHistory, EditAdmin):
    form = CampaignForm
    list_display = ("name", "shown_state", "when", "newest", "launched_at")
    list_filter = ("state", "occasion")
    search_fields = ("name__istartswith",)
    list_select_related = ("version", "approved_version")
    autocomplete_fields = ()
    conditional_fields = conditional_fields() | {"goal_activity": "goal_kind == 'activity'"}
    change_form_before_template = "campaigns/summary.html"
    list_before_template = "campaigns/to_gallery.html"
    actions_detail = ("submit", "approve", "reject", "launch", "widen", "pause", "resume", "end", "clone", "archive")
    version_labels = {"steps": _("Steps"), "occasion_args": _("Occasion")}

    class Media:
        css = {"all": ["segments/builder.css", "campaigns/plan.css"]}
        js = ["segments/fields.js", "campaigns/plan.js"]

    def has_change_permission(self, request, obj=None):
        """What has ended stays as it ran: it is read, and copied."""
        return super().has_change_permission(request, obj) and getattr(obj, "state", None) != Campaign.State.ENDED

    def in_force(self, obj: Campaign, newest: Version) -> Version | None:
        """What is approved runs; a version saved since waits for its own approval."""
        return obj.approved_version

    def get_queryset(self, request: HttpRequest):
        return super().get_queryset(request).filter(archived_at=None)

    def get_fieldsets(self, request, obj=None):
        tabs = tuple((title, {"fields": fields, "classes": ("tab",)}) for title, fields in _tabs())
        if not (self.has_change_permission(request, obj) if obj else self.has_add_permission(request)):
            own = ((name, {**options, "fields": _real(options["fields"])}) for name, options in tabs)
            return tuple((name, options) for name, options in own if options["fields"])
        return (*tabs, (_("Review"), {"fields": ("why", "edited"), "classes": ("tab",)}))

    def get_form(self, request, obj=None, change=False, **kwargs):
        # The fields of occasions are the form's own, not the model's.
        kwargs["fields"] = CampaignForm.Meta.fields
        return super().get_form(request, obj, change=change, **kwargs)

    def operate(self, request, form, formsets, change):
        common = {"plan": form.plan(), "why": form.cleaned_data.get("why", ""), **acting(request)}
        if not change:
            return operations.create_campaign(**common)
        return operations.save_campaign(campaign_id=form.instance.pk, edited=form.cleaned_data.get("edited"), **common)

    def restore(self, request, obj, data, edited, why):
        operations.save_campaign(
            campaign_id=obj.pk, plan=Plan.model_validate(data), edited=edited, why=why, **acting(request)
        )

    def changes(self, obj, older, newer):
        """In the marketer's words; and what of the codes that are out."""
        before, after = (Plan.model_validate(version.data) for version in (older, newer))
        found = differences(before, after)
        return [{"label": one.label, "before": one.before or "—", "after": one.after or "—"} for one in found]

    def buttons_of(self, obj):
        is_approved = obj.version_id == obj.approved_version_id
        shown = [name for name in BUTTONS[obj.state] if name != "approve" or not is_approved]
        # What costs little needs nobody's approval, where the shop says so.
        needs_approval = obj.state in (Campaign.State.DRAFT, Campaign.State.REVIEW)
        if needs_approval and not CampaignPolicy.objects.filter(approval_above_minor__gt=0).exists():
            shown.remove("launch")
        if "widen" in shown and not Reach.objects.filter(campaign=obj, ramp__isnull=False).exists():
            shown.remove("widen")
        return shown

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

    submit = button(
        operations.submit,
        of="campaign_id",
        done=_("It is in review."),
        title=_("Submit for review"),
        description=_("A marketing lead looks at it. It comes back with a reason, or approved."),
        permissions=["campaigns.change_campaign"],
        icon="rate_review",
    )
    reject = button(
        operations.reject,
        of="campaign_id",
        takes=["reason"],
        done=_("It was sent back."),
        title=_("Send back"),
        description=_("It is a draft again, and its author reads why."),
        permissions=["campaigns.approve_campaign"],
        form_class=RejectForm,
        icon="undo",
        variant=ActionVariant.WARNING,
    )
    widen = button(
        operations.widen,
        of="campaign_id",
        takes=["ramp"],
        done=_("It is opened further."),
        title=_("Open further"),
        description=_("Who was held back is asked again, unless it is too late."),
        permissions=["campaigns.launch_campaign"],
        form_class=WidenForm,
        icon="open_in_full",
    )
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
            path(
                "playbooks/",
                self.admin_site.admin_view(lambda request: gallery_view(self, request)),
                name="campaigns_playbooks",
            ),
            path(
                "<int:object_id>/dry-run/",
                self.admin_site.admin_view(self.dry_run_view),
                name="campaigns_campaign_dry_run",
            ),
            path("say/", self.admin_site.admin_view(self.say_view), name="campaigns_campaign_say"),
            path(
                "<int:object_id>/progress/",
                self.admin_site.admin_view(self.progress_view),
                name="campaigns_campaign_progress",
            ),
            path(
                "<int:object_id>/results/",
                self.admin_site.admin_view(lambda request, object_id: results_view(self, request, object_id)),
                name="campaigns_campaign_results",
            ),
            *super().get_urls(),
        ]

    def dry_run_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Heads, skips by reason, cost and a sample of the saved plan, as a part of the form's page."""
        campaign = self._seen(request, str(object_id))
        if campaign.version is None:
            raise Http404
        return TemplateResponse(request, "campaigns/dry_run.html", counted(campaign, plan_of(campaign)))

    def say_view(self, request: HttpRequest) -> HttpResponse:
        """What the form says as it stands, in a few sentences; with `count`, whom it would reach. Saves nothing."""
        pk = request.GET.get("of", "")
        campaign = self._seen(request, pk) if pk else None
        may = self.has_change_permission(request, campaign) if campaign else self.has_add_permission(request)
        if not may or request.method != "POST":
            raise PermissionDenied
        form = self.get_form(request, campaign, change=campaign is not None)(request.POST, instance=campaign)
        try:
            if not form.is_valid():
                return JsonResponse({"faults": _faults(form)})
            plan = form.plan()
        except ValidationError as error:
            return JsonResponse({"faults": messages_of(error)})
        told: dict[str, Any] = {"sentence": summary(plan)}
        if request.POST.get("count"):
            context = counted(campaign or Campaign(), plan)
            told["count"] = render_to_string("campaigns/dry_run.html", context, request)
        return JsonResponse(told)

    def progress_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """How far the look and the sending are, as a part of the form's page that asks again while they go on."""
        campaign = self._seen(request, str(object_id))
        context = {"original": campaign, "progress": progress_of(campaign)}
        return TemplateResponse(request, "campaigns/progress.html", context)


def _tabs() -> tuple[tuple[Any, tuple[str, ...]], ...]:
    """What stands in which tab."""
    goal = ("goal_kind", "goal_activity", "goal_days", "exits_on_goal", "exits_segment")
    limits = ("limit_touches", "limit_touches_a_day", "limit_per_customer", "re_entry_days", "cool_down_days")
    return (
        (_("Who"), ("name", "audience", "excluded", "countries")),
        (_("When"), ("occasion", *argument_fields(), "starts_at", "ends_at", "windows", "lateness_hours")),
        (_("What"), ("steps", "starts_low_step", "starts_low_percent", *goal)),
        (_("Limits"), (*limits, "ramp_percent", "ramp_first", "priority")),
        (_("Test"), ("variants", "holdout_percent", "ignores_global_holdout", "experiment")),
    )


def _faults(form: forms.ModelForm) -> list[str]:
    """What is wrong, each with the field's name."""
    found = []
    for name, errors in form.errors.items():
        label = form.fields[name].label if name in form.fields else ""
        found += [f"{label}: {error}" if label else str(error) for error in errors]
    return found


def counted(campaign: Campaign, plan: Plan) -> dict[str, Any]:
    """What the dry run's page shows."""
    found = operations.forecast(campaign=campaign, plan=plan, now=clock.now())
    return {
        "found": found,
        "sentence": forecasts.sentence(found, plan),
        "steps": forecasts.steps(found),
        "unforeseen": forecasts.unforeseen(plan),
        "skipped": [(reason_text(code), f"{count:,}") for code, count in sorted(found.skipped.items())],
        "cost": money.show(found.cost_minor, found.currency) if found.cost_minor is not None else None,
    }


def summary_of(campaign: Campaign) -> str:
    """When and what, in one sentence."""
    if campaign.version is None:
        return ""
    plan = plan_of(campaign)
    return str(plan.of.sentence(plan.cleaned_args()))


def _real(fields: Any) -> tuple[str, ...]:
    """Those that are columns of the row."""
    return tuple(name for name in fields if name in CampaignForm.Meta.fields)
