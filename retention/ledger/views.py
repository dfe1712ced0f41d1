"""The liability book as a page and as a file."""

import csv
import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDateWidget

from retention import clock, money
from retention.ledger.days import book_day
from retention.ledger.liability import Page, as_rows, book
from retention.ledger.models import Account, Unit
from retention.ledger.versions import rule_of
from retention.shop.models import Shop

#: Days beyond are typing errors, and instants cannot be computed of all of them.
EARLIEST, LATEST = dt.date(2000, 1, 1), dt.date(2099, 12, 31)


class PeriodForm(forms.Form):
    """From one day of the shop to another, both included."""

    first = forms.DateField(label=_("From"), widget=UnfoldAdminDateWidget)
    last = forms.DateField(label=_("To"), widget=UnfoldAdminDateWidget)

    def clean(self) -> dict[str, Any]:
        typed = super().clean()
        for name in ("first", "last"):
            if (day := typed.get(name)) and not EARLIEST <= day <= LATEST:
                self.add_error(name, _("Choose a day of this century."))
        if typed.get("first") and typed.get("last") and typed["first"] > typed["last"]:
            self.add_error("last", _("The period ends before it begins."))
        return typed


def liability_view(site: Any, request: HttpRequest) -> HttpResponse:
    """What is owed, unit by unit; `format=csv` as a file."""
    if not request.user.has_perm("ledger.view_liability"):
        raise PermissionDenied
    now, currency = clock.now(), Shop.objects.get().currency
    today = book_day(now)
    period = {"first": today.replace(day=1), "last": today}
    form = PeriodForm(request.GET if "first" in request.GET else None, initial=period)
    if form.is_valid():
        period = form.cleaned_data
    pages = book(**period, currency=currency, now=now)
    if request.GET.get("format") == "csv":
        return _file(pages, period)
    context = {
        **site.each_context(request),
        "title": _("Liability book"),
        "opts": Unit._meta,
        "form": form,
        "period": period,
        "pages": [_shown(page, period, currency) for page in pages if not _is_blank(page)],
        "blank": [page.unit.name for page in pages if _is_blank(page)],
        "as_file": f"?first={period['first']}&last={period['last']}&format=csv",
    }
    return TemplateResponse(request, "ledger/liability.html", context)


def _is_blank(page: Page) -> bool:
    """Nothing was owed of it before, and nothing moved."""
    return not page.before and not any(movement.given or movement.taken for movement in page.movements)


def _file(pages: list[Page], period: dict[str, dt.date]) -> HttpResponse:
    name = f"liability-{period['first']}-{period['last']}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    response = HttpResponse(content_type="text/csv; charset=utf-8", headers=headers)
    csv.writer(response).writerows(as_rows(pages))
    return response


def _shown(page: Page, period: dict[str, dt.date], currency: str) -> dict[str, Any]:
    rule = rule_of(page.unit)
    entries = reverse("admin:ledger_entry_changelist")
    days = f"recorded_at_from={period['first']}&recorded_at_to={period['last']}"
    most = max((amount for _month, amount in page.expiring), default=0)
    return {
        "unit": page.unit,
        "before": rule.show(page.before),
        "after": rule.show(page.after),
        "worth": money.show(page.worth, currency) if page.worth is not None and page.unit.kind == "points" else "",
        "pending": rule.show(page.pending) if page.pending else "",
        "held": rule.show(page.held) if page.held else "",
        "breakage": None if page.breakage is None else f"{page.breakage:.1f}",
        "movements": [
            {
                "label": capfirst(Account.Purpose(movement.purpose).label),
                "net": rule.show(movement.net),
                "entries": f"{entries}?account={movement.account_id}&{days}",
            }
            for movement in page.movements
            if movement.given or movement.taken
        ],
        "accounts": f"{reverse('admin:ledger_account_changelist')}?unit__id__exact={page.unit.pk}",
        "expiring": [
            {"month": month, "amount": rule.show(amount), "share": max(1, 100 * amount // most)}
            for month, amount in page.expiring
        ],
    }
