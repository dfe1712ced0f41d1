"""The page of a campaign's back-tests: ask for one, watch it, read the last result beside the forecast."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods
from unfold.widgets import UnfoldAdminDateWidget

from campaigns.backtests.figures import ALWAYS, HINDSIGHT
from campaigns.backtests.models import BackTest
from campaigns.backtests.operations import ask_back_test
from campaigns.models import Campaign
from campaigns.reasons import reason_text
from retention import clock, money
from retention.customers.models import Customer
from retention.doors.console import acting
from retention.refusals import Refused
from retention.work.querysets import shop_zone

may_see = permission_required("campaigns.view_campaign", raise_exception=True)
#: What the form suggests: so many days up to yesterday.
SUGGESTED = dt.timedelta(days=91)
#: Earlier results that are listed.
LISTED = 10


class PeriodForm(forms.Form):
    """From one day of the shop's to another, both included."""

    first = forms.DateField(label=_("From"), widget=UnfoldAdminDateWidget)
    last = forms.DateField(label=_("To"), widget=UnfoldAdminDateWidget)


@require_http_methods(["GET", "POST"])
@may_see
def back_tests(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """The form and the results; posting asks for one."""
    campaign = _campaign(campaign_id)
    may_ask = request.user.has_perm("campaigns.change_campaign")
    yesterday = clock.now().astimezone(clock.zone(shop_zone())).date() - dt.timedelta(days=1)
    form = PeriodForm(request.POST or None, initial={"first": yesterday - SUGGESTED, "last": yesterday})
    if request.method == "POST":
        if not may_ask:
            raise PermissionDenied
        if form.is_valid():
            try:
                ask_back_test(campaign_id=campaign.pk, **form.cleaned_data, **acting(request))
            except Refused as refused:
                messages.error(request, str(refused))
            return redirect("campaigns:back_tests", campaign.pk)
    context = {
        **admin.site.each_context(request),
        "title": _("Back-test"),
        "campaign": campaign,
        "form": form,
        "may_ask": may_ask,
        **_results(request, campaign),
    }
    return render(request, "campaigns/backtests/page.html", context)


@require_GET
@may_see
def results(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """The results alone, asked again and again while one is under way."""
    campaign = _campaign(campaign_id)
    return render(request, "campaigns/backtests/results.html", {"campaign": campaign, **_results(request, campaign)})


def _campaign(campaign_id: int) -> Campaign:
    return get_object_or_404(Campaign.objects.filter(version__isnull=False), pk=campaign_id)


def _results(request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
    asked = list(campaign.back_tests.select_related("version", "asked_by")[:LISTED])
    shown = next((one for one in asked if one.pk == _number(request.GET.get("result"))), None)
    done = [one for one in asked if one.state == BackTest.State.DONE]
    shown = shown if shown in done else next(iter(done), None)
    newest = asked[0] if asked else None
    return {
        "under_way": next((one for one in asked if one.state in BackTest.OPEN), None),
        "failed": newest if newest is not None and newest.state == BackTest.State.FAILED else None,
        "back_test": shown,
        "others": [one for one in done if one != shown],
        "result": _shown(shown, request) if shown is not None else None,
    }


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 19 else None


def _shown(back_test: BackTest, request: HttpRequest) -> dict[str, Any]:
    """The figures in words: money, shares, names of campaigns, and the reasons."""
    found = back_test.figures
    language, currency = get_language() or "en", found["currency"]

    def cash(name: str, figures: dict[str, Any] = found) -> str | None:
        return None if figures[name] is None else money.show(figures[name], currency, language)

    most = max((week["heads"] + week["skipped"] for week in found["weeks"]), default=0) or 1
    names = Campaign.objects.in_bulk([one["campaign"] for one in found["shared_with"]])
    sample = Customer.objects.in_bulk(found["sample"]) if request.user.has_perm("customers.view_customer") else {}
    return {
        **found,
        "bought_percent": 100 * found["bought"] // found["heads"] if found["heads"] else 0,
        "cost": cash("cost_minor"),
        "bought_worth": cash("bought_minor"),
        "given_away": cash("given_away_minor"),
        "margin": cash("margin_minor"),
        "skipped": [(reason_text(code), count) for code, count in found["skipped"].items()],
        "shared_with": [(names.get(one["campaign"]), one["heads"]) for one in found["shared_with"]],
        "sample": [sample[pk] for pk in found["sample"] if pk in sample],
        "notes": [str({**ALWAYS, **HINDSIGHT}[key]) for key in found["notes"] if key in ALWAYS or key in HINDSIGHT],
        "weeks": [
            {
                **week,
                "first": dt.date.fromisoformat(week["first"]),
                "worth": cash("bought_minor", week),
                "anyway": 100 * week["bought"] // most,
                "rest": 100 * (week["heads"] - week["bought"]) // most,
                "passed": 100 * week["skipped"] // most,
            }
            for week in found["weeks"]
        ],
        "forecast": {
            **found["forecast"],
            "cost": cash("cost_minor", found["forecast"]),
            "skipped": [(reason_text(code), count) for code, count in found["forecast"]["skipped"].items()],
        },
    }
