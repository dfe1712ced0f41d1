"""The reports page: what referrals brought and cost in a period, who brought most, the estimate, and the tests."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
)

from referrals.admin.partners import as_file
from referrals.models import Partner, Scheme
from referrals.reports.counting import BeingCounted
from referrals.reports.estimates import estimate_defaults
from referrals.reports.figures import Report, report_of
from referrals.reports.files import FILES, number
from referrals.reports.formulas import Inputs, estimate
from referrals.reports.reading import Asked
from referrals.reports.totals import WINDOWS
from referrals.reports.variants import Trial, on_trial, trial
from retention import clock, money
from retention.customers.models import Customer
from retention.ledger.days import book_day
from retention.ledger.views import PeriodForm
from retention.shop.models import Shop

DAYS = [(days, _("a year") if days == 365 else _("%(days)s days") % {"days": days}) for days in WINDOWS]
LEADERS = 20
#: A page whose figures are being counted asks again after so many seconds.
AGAIN = "15"


class ReportForm(PeriodForm):
    scheme = forms.ModelChoiceField(
        Scheme.objects.exclude(state="draft"),
        label=_("Scheme"),
        required=False,
        empty_label=_("All of them"),
        widget=UnfoldAdminSelectWidget,
    )
    days = forms.TypedChoiceField(
        label=_("Value counted for"),
        choices=DAYS,
        coerce=int,
        empty_value=90,
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    running = forms.DecimalField(
        label=_("Running cost a month"),
        required=False,
        min_value=0,
        max_digits=12,
        decimal_places=3,
        widget=UnfoldAdminDecimalFieldWidget,
    )


class EstimateForm(forms.Form):
    customers = forms.IntegerField(
        label=_("Customers who could recommend you"), min_value=0, max_value=10**8, widget=UnfoldAdminIntegerFieldWidget
    )
    joins = forms.DecimalField(
        label=_("Of them share their link, percent"), min_value=0, max_value=100, widget=UnfoldAdminDecimalFieldWidget
    )
    invitations = forms.DecimalField(
        label=_("Invitations of each"), min_value=0, max_value=1_000, widget=UnfoldAdminDecimalFieldWidget
    )
    conversion = forms.DecimalField(
        label=_("Invited who become customers, percent"),
        min_value=0,
        max_value=100,
        widget=UnfoldAdminDecimalFieldWidget,
    )
    ltv = forms.DecimalField(
        label=_("A friend spends"), min_value=0, max_value=10**9, widget=UnfoldAdminDecimalFieldWidget
    )
    margin = forms.DecimalField(
        label=_("Margin, percent"), min_value=0, max_value=100, widget=UnfoldAdminDecimalFieldWidget
    )
    friend = forms.DecimalField(
        label=_("The friend's reward costs"), min_value=0, max_value=10**9, widget=UnfoldAdminDecimalFieldWidget
    )
    advocate = forms.DecimalField(
        label=_("The advocate's reward costs"), min_value=0, max_value=10**9, widget=UnfoldAdminDecimalFieldWidget
    )
    running = forms.DecimalField(
        label=_("Running cost a month"), min_value=0, max_value=10**9, widget=UnfoldAdminDecimalFieldWidget
    )
    months = forms.IntegerField(label=_("Months"), min_value=1, max_value=60, widget=UnfoldAdminIntegerFieldWidget)

    def inputs(self, currency: str) -> Inputs:
        told = self.cleaned_data
        minor = {name: _minor(told[name], currency) for name in ("ltv", "friend", "advocate", "running")}
        return Inputs(
            customers=told["customers"],
            joins=float(told["joins"]) / 100,
            invitations=float(told["invitations"]),
            conversion=float(told["conversion"]) / 100,
            ltv_minor=minor["ltv"],
            friend_minor=minor["friend"],
            advocate_minor=minor["advocate"],
            running_minor=minor["running"],
            months=told["months"],
            margin=float(told["margin"]) / 100,
        )


def reports_view(admin: Any, request: HttpRequest) -> HttpResponse:
    """Figures of a period; `file=advocates`, `months` or `worth` has them as a file."""
    if not request.user.has_perm("referrals.view_referral"):
        raise PermissionDenied
    shop, now = Shop.objects.get(), clock.now()
    last = book_day(now)
    typed: dict[str, Any] = {
        "first": last - dt.timedelta(days=365),
        "last": last,
        "scheme": None,
        "days": 90,
        "running": Decimal(0),
    }
    form = ReportForm(request.GET if "first" in request.GET else None, initial=typed)
    if form.is_valid():
        typed = {**typed, **form.cleaned_data}
    scheme, days = typed["scheme"], typed["days"] or 90
    asked = Asked(scheme.pk if scheme else None, typed["first"], typed["last"], days)
    try:
        found = report_of(asked, running_minor=_minor(typed["running"] or 0, shop.currency), now=now)
    except BeingCounted:
        found = None
    rows = FILES.get(request.GET.get("file", ""))
    if rows is not None and found is not None:
        name = f"referrals-{request.GET['file']}-{typed['first']}-{typed['last']}"
        return as_file(rows(found, shop.currency), name)
    may_see = request.user.has_perm("customers.view_customer")
    query = request.GET.copy()
    query.pop("file", None)
    query["first"], query["last"] = str(typed["first"]), str(typed["last"])
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Reports"),
        "opts": admin.opts,
        "form": form,
        "report": shown(found, shop.currency, may_see=may_see) if found else None,
        "query": query.urlencode(),
        "trials": [shown_trial(each, trial(each), shop.currency) for each in on_trial(scheme)],
    }
    response = TemplateResponse(request, "referrals/reports.html", context)
    if found is None or found.found.as_of.is_being_counted:
        response["Refresh"] = AGAIN
    return response


def estimate_view(admin: Any, request: HttpRequest) -> HttpResponse:
    """What a scheme would bring; begins with the shop's own figures. `scheme` takes what its incentives are worth."""
    if not admin.has_view_permission(request):
        raise PermissionDenied
    shop = Shop.objects.get()
    pk = request.GET.get("scheme", "")
    scheme = Scheme.objects.filter(pk=int(pk)).first() if pk.isdecimal() and len(pk) < 18 else None
    told = estimate_defaults(scheme, now=clock.now())
    values = {
        "customers": told.inputs.customers,
        "joins": _percent(told.inputs.joins),
        "invitations": round(Decimal(told.inputs.invitations), 1),
        "conversion": _percent(told.inputs.conversion),
        "margin": _percent(told.inputs.margin),
        "months": told.inputs.months,
        **{
            name: money.to_major(getattr(told.inputs, f"{name}_minor"), shop.currency)
            for name in ("ltv", "friend", "advocate", "running")
        },
    }
    form = EstimateForm(request.GET if "customers" in request.GET else None, initial=values)
    inputs = form.inputs(shop.currency) if form.is_valid() else told.inputs
    result = estimate(inputs)
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Estimate"),
        "opts": admin.opts,
        "form": form,
        "scheme": scheme,
        "assumed": told.assumed,
        "notes": told.notes,
        "result": {
            **vars(result),
            "cost": money.show(result.cost_minor, shop.currency),
            "revenue": money.show(result.revenue_minor, shop.currency),
            "k": number(result.k),
            "roi": number(result.roi),
            "each": _shown(result.cost_per_customer_minor, shop.currency),
        },
    }
    return TemplateResponse(request, "referrals/estimate.html", context)


def shown(found: Report, currency: str, *, may_see: bool) -> dict[str, Any]:
    """The report as people read it; names of customers only for those who may see them."""
    counted = found.found
    tops = counted.leaders[:LEADERS]
    people = Customer.objects.in_bulk([top.customer_id for top in tops if top.customer_id])
    partners = Partner.objects.in_bulk([top.partner_id for top in tops if top.partner_id])
    most = max((max(spend, cost) for _month, spend, cost in counted.months), default=0)
    return {
        "found": counted,
        "spend": money.show(counted.funnel.spend_minor, currency),
        "reward": money.show(counted.funnel.reward_minor, currency),
        "running": money.show(found.running_minor, currency),
        "k": number(found.k),
        "roi": number(found.roi),
        "cac": _shown(found.cac_minor, currency),
        "referred": _shown(counted.referred.mean_minor, currency),
        "others": _shown(counted.others.mean_minor, currency),
        "difference": _between(found, currency),
        "leaders": [
            {
                "top": top,
                "name": str(partners.get(top.partner_id) or may_see and people.get(top.customer_id) or top.code),
                "spend": money.show(top.spend_minor, currency),
                "reward": money.show(top.reward_minor, currency),
                "roi": number(found.roi_of(top)),
            }
            for top in tops
        ],
        "months": [
            {
                "month": month,
                "spend": money.show(spend, currency),
                "reward": money.show(cost, currency),
                "spend_share": 100 * spend / most if most > 0 else 0,
                "reward_share": 100 * cost / most if most > 0 else 0,
            }
            for month, spend, cost in counted.months
        ],
    }


def shown_trial(scheme: Scheme, run: Trial | None, currency: str) -> dict[str, Any]:
    """A test as people read it."""
    if run is None:
        return {"scheme": scheme}
    compared = {each.key: each for each in run.compared}
    words = {
        "too_few": (_("too few to tell"), "tone"),
        "better": (_("better"), "tone-good"),
        "worse": (_("worse"), "tone-bad"),
        "no_difference": (_("no difference found"), "tone"),
    }
    rows = []
    for arm in run.arms:
        against = compared.get(arm.key)
        rows.append(
            {
                "key": arm.key,
                "heads": arm.heads,
                "won": arm.converted,
                "rate": f"{100 * arm.converted / arm.heads:.1f} %" if arm.heads else "–",
                "money": _shown(arm.money.mean, currency) if arm.heads else "–",
                "difference": f"{100 * against.rate.value:+.1f} ({100 * against.rate.interval.low:+.1f} …"
                f" {100 * against.rate.interval.high:+.1f})"
                if against
                else "",
                "p": f"{against.rate_p:.3f}" if against else "",
                "verdict": words[against.verdict] if against else None,
                "needed": against.needed if against else None,
            }
        )
    return {"scheme": scheme, "run": run, "rows": rows, "ratio_p": f"{run.ratio_p:.3f}"}


def _between(found: Report, currency: str) -> str:
    interval = found.difference.interval
    if abs(interval.low) == float("inf"):
        return ""
    low, high = (money.show(money.round_half_up(Decimal(end)), currency) for end in (interval.low, interval.high))
    return f"{low} … {high}"


def _minor(amount: Any, currency: str) -> int:
    return money.round_half_up(Decimal(amount).scaleb(money.digits(currency)))


def _shown(minor: float | None, currency: str) -> str:
    return "–" if minor is None else money.show(money.round_half_up(Decimal(minor)), currency)


def _percent(share: float) -> Decimal:
    return round(Decimal(share * 100), 1)
