"""The console's page of figures: what became of messages, by campaign, template, channel or day."""

from __future__ import annotations

import csv
import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import formats
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminSelectWidget

from retention import clock
from retention.doors.console.words import page_of
from retention.messaging.figures import counting
from retention.messaging.figures.counting import Counts, Line
from retention.messaging.groups import name_of
from retention.messaging.models import Way
from retention.work.ingest.files import harmless

#: Kind, what people call it, whether it is shown with its share of what was sent, whether more of it is worse.
COLUMNS = (
    ("sent", _("Sent"), False, False),
    ("delivered", _("Delivered"), True, False),
    ("opened", _("Opened"), True, False),
    ("opened_by_machine", _("by machines"), False, False),
    ("clicked", _("Clicked"), True, False),
    ("clicked_by_machine", _("by machines"), False, False),
    ("soft_bounced", _("Bounced for now"), True, False),
    ("bounced", _("Bounced for good"), True, True),
    ("complained", _("Complained"), True, True),
    ("unsubscribed", _("Unsubscribed"), True, False),
    ("unsent", _("Not sent"), False, False),
    ("unknown", _("Unknown"), False, False),
    ("withheld", _("Held out"), False, False),
)
BY = {"campaign": _("Campaign"), "template": _("Template"), "channel": _("Channel"), "day": _("Day")}
_DAYS = 30
_MOST_DAYS = 400


class FiguresForm(forms.Form):
    """What is added up, over which days (in UTC, both included)."""

    by = forms.ChoiceField(label=_("By"), choices=list(BY.items()), widget=UnfoldAdminSelectWidget)
    since = forms.DateField(label=_("From"), widget=UnfoldAdminDateWidget)
    until = forms.DateField(label=_("To"), widget=UnfoldAdminDateWidget)
    channel = forms.ChoiceField(
        label=_("Channel"),
        choices=[("", _("all")), *Way.choices],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        if typed.get("since") and typed.get("until"):
            days = (typed["until"] - typed["since"]).days
            if days < 0:
                self.add_error("until", _("The period ends before it begins."))
            elif days >= _MOST_DAYS:
                self.add_error("until", _("At most %(n)s days at once.") % {"n": _MOST_DAYS})
        return typed


def figures_view(site: Any, request: HttpRequest) -> HttpResponse:
    """Counts and rates as a table, with all of them together below; `format=csv`: every count, as a file."""
    if not request.user.has_perm("messaging.view_delivery"):
        raise PermissionDenied
    today = clock.now().date()
    asked = {"by": "campaign", "since": today - dt.timedelta(days=_DAYS - 1), "until": today, "channel": ""}
    form = FiguresForm(request.GET if "by" in request.GET else None, initial=asked)
    found: list[Line] = []
    if not form.is_bound or form.is_valid():
        asked = form.cleaned_data if form.is_bound else asked
        found = counting.lines(**asked)
    if request.GET.get("format") == "csv" and not form.errors:
        return _file(asked["by"], found)
    shown = [
        column for column in COLUMNS if column[0] == "sent" or any(getattr(line.counts, column[0]) for line in found)
    ]
    context = {
        **site.each_context(request),
        "title": _("Figures"),
        "form": form,
        "head": BY[asked["by"]],
        "columns": [label for _kind, label, _rate, _bad in shown],
        "lines": [
            (*name, _cells(line.counts, shown)) for name, line in zip(_names(asked["by"], found), found, strict=True)
        ],
        "total": _cells(counting.total(found), shown),
        "as_file": urlencode({**asked, "format": "csv"}),
        "is_cut": len(found) == counting.MOST,
    }
    return TemplateResponse(request, "messaging/figures.html", context)


def _file(by: str, found: list[Line]) -> HttpResponse:
    """Keys of the counts in its first line, whatever language the reader's console speaks; days as 2026-05-12."""
    response = HttpResponse(
        content_type="text/csv; charset=utf-8", headers={"Content-Disposition": 'attachment; filename="figures.csv"'}
    )
    names = [line.key[0].isoformat() for line in found] if by == "day" else [name for name, _url in _names(by, found)]
    kinds = [kind for kind, *_rest in COLUMNS]
    rows = csv.writer(response)
    rows.writerow([by, *kinds])
    for name, line in zip(names, found, strict=True):
        rows.writerow([harmless(name), *(getattr(line.counts, kind) for kind in kinds)])
    return response


def _names(by: str, found: list[Line]) -> list[tuple[str, str | None]]:
    """(name, address of its page) of each line."""
    if by == "day":
        return [(formats.date_format(line.key[0]), None) for line in found]
    if by == "channel":
        return [(str(Way(line.key[0]).label), None) for line in found]
    rows = counting.rows_behind(found, by=by)
    return [
        (str(row), page_of(type(row), row.pk)) if row is not None else (name_of(*line.key), None)
        for row, line in zip(rows, found, strict=True)
    ]


def _cells(counts: Counts, shown: list[tuple]) -> list[dict[str, Any]]:
    cells = []
    for kind, _label, has_rate, is_bad in shown:
        rate = counts.rate(kind) if has_rate else None
        count = getattr(counts, kind)
        cells.append({"count": count, "rate": rate if count else None, "is_bad": is_bad and count > 0})
    return cells
