"""The pages of "why did or didn't she get it": find her, all campaigns a line each, one campaign in full."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from campaigns.models import Campaign
from campaigns.whys import why, why_all
from retention import clock
from retention.customers.models import Customer
from retention.segments.querysets import find_customer

may_ask = permission_required(("campaigns.view_touch", "customers.view_customer"), raise_exception=True)


@require_http_methods(["GET", "POST"])
@may_ask
def find(request: HttpRequest) -> HttpResponse:
    """Who is it about? Posted, so that no log holds an address; `campaign` goes straight to its answers."""
    campaign = _campaigns().filter(pk=_number(request.POST.get("campaign") or request.GET.get("campaign"))).first()
    if request.method == "POST":
        customer = find_customer(request.POST.get("customer", ""))
        if customer is not None and campaign is not None:
            return redirect("campaigns:why", customer.public_id, campaign.pk)
        if customer is not None:
            return redirect("campaigns:whys", customer.public_id)
        messages.error(request, _("There is no customer with this email, reference or public id."))
    context = {"title": _("Why did she get it?"), "campaign": campaign}
    return _page(request, "find", context)


@require_GET
@may_ask
def whys(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """All campaigns for one customer; the lines come after the page."""
    customer = get_object_or_404(Customer, public_id=public_id)
    return _page(request, "customer", {"title": str(customer), "customer": customer})


@require_GET
@may_ask
def lines(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A line for each campaign, as a part of a page."""
    customer = get_object_or_404(Customer.objects.select_related("stats"), public_id=public_id)
    found = why_all(customer=customer, now=clock.now())
    return render(request, "campaigns/whys/lines.html", {"whys": found, "customer": customer})


@require_GET
@may_ask
def one(request: HttpRequest, public_id: UUID, campaign_id: int) -> HttpResponse:
    """One campaign and one customer, every answer; the deciding one first."""
    customer = get_object_or_404(Customer.objects.select_related("stats"), public_id=public_id)
    campaign = get_object_or_404(_campaigns(), pk=campaign_id)
    context = {
        "title": str(campaign),
        "why": why(campaign=campaign, customer=customer, now=clock.now()),
        "may_open_campaign": request.user.has_perm("campaigns.view_campaign"),
    }
    return _page(request, "why", context)


def _campaigns() -> Any:
    return Campaign.objects.select_related("version", "approved_version").filter(version__isnull=False)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 19 else None


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return render(request, f"campaigns/whys/{template}.html", {**admin.site.each_context(request), **context})
