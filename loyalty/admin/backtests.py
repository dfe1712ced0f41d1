"""The page of a programme's back-tests: ask for one, watch it, read the last result and earlier ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from unfold.widgets import UnfoldAdminDateWidget

from loyalty.backtests.models import BackTest
from loyalty.backtests.operations import ask_back_test
from loyalty.models import Programme
from loyalty.rules import ProgrammeRule
from loyalty.sentences import Teller
from loyalty.tellers import Tellers
from loyalty.versions import rule_of
from retention import clock
from retention.doors.console import acting
from retention.refusals import Refused
from retention.work.querysets import shop_zone

#: What the form suggests: so many days up to yesterday.
SUGGESTED = dt.timedelta(days=364)
#: Earlier results that are listed.
LISTED = 10
#: What no look back can know.
NOTES = (
    _("Everybody who did something is taken for a member from her first order or activity of these days on."),
    _("Her birthday is the one that is stored today; she joins, and has anniversaries, by her first day of these."),
    _("Tiers are not lost: what counted before these days is left out, and by it she might have kept hers."),
    _("Orders are as they stand today: what came back earns nothing."),
    _("Nobody would have behaved differently: what a programme changes in people is not in these figures."),
)


class PeriodForm(forms.Form):
    """From one day of the shop's to another, both included."""

    first = forms.DateField(label=_("From"), widget=UnfoldAdminDateWidget)
    last = forms.DateField(label=_("To"), widget=UnfoldAdminDateWidget)


class BackTestPages:
    """The two pages, for the admin of programmes."""

    admin_site: Any
    opts: Any

    def back_test_urls(self) -> list[Any]:
        wrapped = self.admin_site.admin_view
        return [
            path("<int:object_id>/back-tests/", wrapped(self.back_tests_view), name="loyalty_programme_back_tests"),
            path(
                "<int:object_id>/back-tests/results/", wrapped(self.back_test_results_view),
                name="loyalty_programme_back_test_results",
            ),
        ]  # fmt: skip

    def back_tests_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The form and the results; posting asks for one."""
        programme = self._seen(request, object_id)
        may_ask = request.user.has_perm("loyalty.change_programme")
        yesterday = clock.now().astimezone(clock.zone(shop_zone())).date() - dt.timedelta(days=1)
        form = PeriodForm(request.POST or None, initial={"first": yesterday - SUGGESTED, "last": yesterday})
        if request.method == "POST":
            if not may_ask:
                raise PermissionDenied
            if form.is_valid():
                try:
                    ask_back_test(programme_id=programme.pk, **form.cleaned_data, **acting(request))
                except Refused as refused:
                    messages.error(request, str(refused))
                return redirect("admin:loyalty_programme_back_tests", programme.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Back-test"),
            "subtitle": programme.name,
            "opts": self.opts,
            "original": programme,
            "form": form,
            "may_ask": may_ask,
            **_results(request, programme),
        }
        return render(request, "loyalty/backtests/page.html", context)

    @method_decorator(require_safe)
    def back_test_results_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The results alone, asked again and again while one is under way."""
        programme = self._seen(request, object_id)
        return render(request, "loyalty/backtests/results.html", _results(request, programme))

    def _seen(self, request: HttpRequest, object_id: int) -> Programme:
        programme = self.get_object(request, str(object_id))  # type: ignore[attr-defined]
        if programme is None:
            raise Http404
        if not self.has_view_permission(request, programme):  # type: ignore[attr-defined]
            raise PermissionDenied
        return programme


def _results(request: HttpRequest, programme: Programme) -> dict[str, Any]:
    asked = list(BackTest.objects.filter(programme=programme).select_related("version")[:LISTED])
    done = [one for one in asked if one.state == BackTest.State.DONE]
    wished = request.GET.get("result")
    shown = next((one for one in done if str(one.pk) == wished), None) or next(iter(done), None)
    newest = asked[0] if asked else None
    tellers = Tellers()
    return {
        "programme": programme,
        "under_way": next((one for one in asked if one.state in BackTest.OPEN), None),
        "failed": newest if newest is not None and newest.state == BackTest.State.FAILED else None,
        "back_test": shown,
        "result": _shown(shown, tellers.of(programme, rule_of(shown.version_id))) if shown is not None else None,
        "others": [(one, tellers.of(programme).amount(one.figures["earned"])) for one in done if one != shown],
        "notes": NOTES,
    }


def _shown(back_test: BackTest, teller: Teller) -> dict[str, Any]:
    """The figures in words: amounts in the unit and the currency, rules by their sentences, tiers by their names."""
    found: Mapping[str, Any] = back_test.figures
    rule: ProgrammeRule = rule_of(back_test.version_id)
    sentences = {one.key: one.sentence(teller) for one in rule.earning}
    most = max((month["earned"] for month in found["months"]), default=0) or 1
    heads = {"": found["tiers"].get("", 0), **{step.key: found["tiers"].get(step.key, 0) for step in rule.tiers.steps}}
    rate = found["reward_basis_points"]
    return {
        **found,
        "is_empty": not found["orders"] and not found["activities"],
        "spend": teller.money(found["spend_minor"]),
        "earned": teller.amount(found["earned"]),
        "expired": teller.amount(found["expired"]) if found["expired"] else "",
        "worth": teller.money(found["worth_minor"]) if found["worth_minor"] is not None else None,
        "owed": teller.money(found["owed_minor"]) if found["owed_minor"] is not None else None,
        "rate": f"{rate / 100:.1f} %" if rate is not None else None,
        "by_rule": [(sentences.get(key, key), teller.amount(amount)) for key, amount in found["by_rule"].items()],
        "tiers": [
            (teller.tier(key) if key else _("none"), count, 100 * count // (found["customers"] or 1))
            for key, count in heads.items()
        ] if rule.tiers.steps else [],
        "months": [
            {
                "first": dt.date.fromisoformat(month["first"]), "earned": teller.amount(month["earned"]),
                "spend": teller.money(month["spend_minor"]), "share": 100 * month["earned"] // most,
            }
            for month in found["months"]
        ],
    }  # fmt: skip
