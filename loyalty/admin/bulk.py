"""The page on which a programme's points are corrected by a list: pasted or uploaded, looked at, then done."""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from loyalty import operations
from loyalty.models import Member, Programme
from loyalty.operations.adjusting import MOST, Corrected, Correction, TooLong
from loyalty.tellers import teller_of
from retention import clock
from retention.doors.console import acting
from retention.ledger.forms import read_amount
from retention.work.querysets import shop_zone

#: Characters of a list that are read.
_MOST_TEXT = 200_000


@dataclass(frozen=True)
class Line:
    """One line as it was typed, with what is wrong with it by itself."""

    who: str
    amount: str
    reason: str
    correction: Correction | None = None
    problem: str = ""


class CorrectionsForm(forms.Form):
    name = forms.CharField(
        label=_("Name of this list"), max_length=100, widget=UnfoldAdminTextInputWidget,
        help_text=_("Sent again under the same name, no line is corrected twice."),
    )  # fmt: skip
    text = forms.CharField(
        label=_("Corrections"), required=False, max_length=_MOST_TEXT,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8, "placeholder": "C-1001, 50, Lost in our move"}),
        help_text=_("A line each: the customer's reference or email, how much (with a minus it is taken), why."),
    )  # fmt: skip
    file = forms.FileField(
        label=_("Or a file of such lines"), required=False, widget=UnfoldAdminFileFieldWidget,
        help_text=_("CSV, as from a spreadsheet."),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if upload := given.get("file"):
            if upload.size > _MOST_TEXT:
                raise ValidationError({"file": _("The file is too large.")})
            try:
                given["text"] = upload.read().decode("utf-8-sig")
            except UnicodeDecodeError:
                raise ValidationError({"file": _("The file is not a text in UTF-8.")}) from None
        if not (given.get("text") or "").strip():
            raise ValidationError({"text": _("Write or upload at least one line.")})
        return given


class CorrectionPages:
    """The page, for the admin of programmes."""

    admin_site: Any
    opts: Any

    def correction_urls(self) -> list[Any]:
        wrapped = self.admin_site.admin_view(self.corrections_view)
        return [path("<int:object_id>/corrections/", wrapped, name="loyalty_programme_corrections")]

    def corrections_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """What was pasted, line by line, with what would become of it; then, once more posted, what did."""
        programme = self.get_object(request, str(object_id))  # type: ignore[attr-defined]
        if programme is None:
            raise Http404
        if not request.user.has_perm("loyalty.adjust_points"):
            raise PermissionDenied
        today = clock.now().astimezone(clock.zone(shop_zone())).date()
        form = CorrectionsForm(request.POST or None, request.FILES or None, initial={"name": _list_name(today)})
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("Correct points"),
            "subtitle": programme.name,
            "opts": self.opts,
            "original": programme,
            "programme": programme,
            "form": form,
        }
        if request.method == "POST" and form.is_valid():
            lines = read_lines(form.cleaned_data["text"], programme)
            is_for_good = "confirm" in request.POST
            if len(lines) > MOST:
                form.add_error("text", str(TooLong(most=MOST)))
            else:
                answers = _correct(lines, form.cleaned_data["name"], request, is_for_good)
                context |= _answered(programme, lines, answers, is_for_good)
                context |= {"text": form.cleaned_data["text"], "name": form.cleaned_data["name"]}
        return render(request, "loyalty/corrections.html", context)


def read_lines(text: str, programme: Programme) -> list[Line]:
    """The lines of a list, customers found by their references or emails; a first line of headings is passed over."""
    sample = text[:2_000]
    delimiter = max(",;\t", key=lambda sign: sum(sign in line for line in sample.splitlines()))
    rows = [[part.strip() for part in row] for row in csv.reader(io.StringIO(text), delimiter=delimiter)]
    rows = [row for row in rows if any(row)]
    if rows and len(rows[0]) > 1 and not any(sign.isdigit() for sign in rows[0][1]):
        del rows[0]
    members = _members([row[0] for row in rows], programme)
    return [_line(row, members, programme) for row in rows]


def _line(row: list[str], members: dict[str, int], programme: Programme) -> Line:
    who, amount, reason = (*row[:3], "", "", "")[:3]
    if not reason:
        return Line(who, amount, reason, problem=str(_("A reason is missing: customer, amount, reason.")))
    try:
        number = read_amount(amount, programme.unit)
    except ValidationError as error:
        return Line(who, amount, reason, problem=" ".join(error.messages))
    return Line(who, amount, reason, Correction(members.get(who.lower()), number, reason[:120]))


def _members(named: list[str], programme: Programme) -> dict[str, int]:
    """Reference or email, in small letters → the member."""
    rows = Member.objects.filter(programme=programme, customer__merged_into=None)
    lower = [name.lower() for name in named]
    by_email = rows.filter(customer__email_normal__in=lower).values_list("customer__email_normal", "pk")
    by_reference = rows.filter(customer__reference__in=named).values_list("customer__reference", "pk")
    return {**dict(by_email), **{reference.lower(): pk for reference, pk in by_reference}}


def _correct(lines: list[Line], name: str, request: HttpRequest, is_for_good: bool) -> list[Corrected]:
    """What becomes of the good lines; unless it is for good, all of it is undone again."""
    good = [line.correction for line in lines if line.correction is not None]
    with transaction.atomic():
        done = operations.adjust_many(name=name, corrections=good, **acting(request))
        if not is_for_good:
            transaction.set_rollback(True)
    return done


def _answered(
    programme: Programme, lines: list[Line], answers: list[Corrected], is_for_good: bool
) -> dict[str, Any]:  # fmt: skip
    teller, left = teller_of(programme), iter(answers)
    rows, counts, total = [], {"done": 0, "before": 0, "refused": 0}, 0
    for line in lines:
        answer = next(left) if line.correction is not None else None
        problem = line.problem or (str(answer.refused) if answer is not None and answer.refused else "")
        state = "refused" if problem else "done" if answer is not None and answer.is_new else "before"
        counts[state] += 1
        amount = line.correction.amount if line.correction is not None else 0
        total += amount if state == "done" else 0
        shown = teller.amount(amount) if amount else line.amount
        rows.append({"line": line, "amount": shown, "state": state, "problem": problem})
    return {"rows": rows, "counts": counts, "total": teller.amount(total), "is_done": is_for_good}


def _list_name(today: dt.date) -> str:
    return str(_("List of %(day)s")) % {"day": today.isoformat()}
