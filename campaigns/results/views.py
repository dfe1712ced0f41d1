"""The console's page of a campaign's results, the same as a file, and the button that promotes the winner."""

from __future__ import annotations

import csv
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign
from campaigns.plans import plan_of
from campaigns.results.counting import BeingCounted
from campaigns.results.experiments import experiments
from campaigns.results.operations import promote
from campaigns.results.report import LIFT, LIFTS, NoSuchExperiment, Report, results
from campaigns.results.words import (
    arm_rows,
    as_rows,
    compared_row,
    earned_sentence,
    experiment_row,
    ladder_rows,
    probability,
)
from retention import clock
from retention.doors.console import acting
from retention.refusals import Refused


def results_view(admin: Any, request: HttpRequest, object_id: int) -> HttpResponse:
    """Arms, differences, verdicts of the present experiment, or of the one `since` a version.

    `format=csv` as a file, `again` counts anew; POST promotes a variant.
    """
    if not admin.has_view_permission(request):
        raise PermissionDenied
    campaign = Campaign.objects.select_related("version", "approved_version").filter(pk=object_id).first()
    if campaign is None or campaign.version is None:
        raise Http404
    if request.method == "POST":
        return _promote(admin, request, campaign)
    lift = int(asked) if (asked := request.GET.get("lift", "")).isdecimal() and int(asked) in LIFTS else LIFT
    since = int(asked) if (asked := request.GET.get("since", "")).isdecimal() else None
    is_fresh, is_being_counted = "again" in request.GET, False
    try:
        report = results(campaign=campaign, lift=lift, now=clock.now(), since=since, is_fresh=is_fresh)
    except NoSuchExperiment:
        raise Http404 from None
    except BeingCounted:
        report, is_being_counted = None, True
    if is_fresh:
        # Read again, the page does not ask again.
        asked = request.GET.copy()
        del asked["again"]
        return redirect(f"{request.path}?{asked.urlencode()}")
    if report is not None and request.GET.get("format") == "csv":
        return _file(report, campaign)
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Results"),
        "subtitle": str(campaign),
        "opts": admin.opts,
        "original": campaign,
        "report": report,
        "lifts": LIFTS,
        "experiments": [experiment_row(one) for one in experiments(campaign)],
        **(_shown(report) if report else {}),
        "may_promote": admin.has_change_permission(request, campaign),
        "variants": {variant.key for variant in plan_of(campaign).variants},
        "edited": campaign.version.number,
        "is_being_counted": is_being_counted,
    }
    response = TemplateResponse(request, "campaigns/results.html", context)
    if is_being_counted or report and report.is_being_counted:
        response.headers["Refresh"] = "5"
    return response


def _shown(report: Report) -> dict[str, Any]:
    tables = [
        (_("Against those held out"), report.beyond_holdout, True),
        (_("Against the first variant"), report.between, False),
    ]
    return {
        "arms": arm_rows(report),
        "earned": earned_sentence(report),
        "ladder": ladder_rows(report),
        "comparisons": [
            {"title": title, "rows": [compared_row(report, found, against_holdout=held) for found in compared]}
            for title, compared, held in tables
            if compared
        ],
        "ratio_p": probability(report.ratio_p) if report.ratio_p is not None else None,
    }


def _file(report: Report, campaign: Campaign) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="results-{campaign.pk}.csv"'}
    response = HttpResponse(content_type="text/csv; charset=utf-8", headers=headers)
    csv.writer(response).writerows(as_rows(report))
    return response


def _promote(admin: Any, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    if not admin.has_change_permission(request, campaign):
        raise PermissionDenied
    here = redirect("admin:campaigns_campaign_results", object_id=campaign.pk)
    edited = request.POST.get("edited", "")
    try:
        promote(
            campaign_id=campaign.pk,
            variant=request.POST.get("variant", ""),
            edited=int(edited) if edited.isdecimal() else 0,
            **acting(request),
        )
    except Refused as refused:
        messages.error(request, str(refused))
        return here
    messages.success(request, _("The winner is the plan now. It runs once this version is approved."))
    return redirect(reverse("admin:campaigns_campaign_change", args=[campaign.pk]))
