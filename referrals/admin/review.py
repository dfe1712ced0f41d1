"""The review queue: why each referral is suspicious, both people side by side, and a decision by one key."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from referrals import operations
from referrals.models import Referral
from referrals.querysets import to_review
from referrals.reasons import sentences
from referrals.versions import rules_of
from retention import clock, money
from retention.customers.models import Customer, CustomerStats
from retention.doors.console import acting
from retention.refusals import Refused
from retention.shop.models import Shop

#: So many stand on one page; nobody decides more without a pause.
SHOWN = 25


@dataclass(frozen=True)
class Side:
    """One of the two people: her name and address only for those who may see customers."""

    title: Any
    name: str
    email: str
    customer_id: int | None
    facts: tuple[tuple[Any, Any], ...]


@dataclass(frozen=True)
class Card:
    referral: Referral
    whys: tuple[str, ...]
    sides: tuple[Side, Side]
    deadline: str


def review_view(admin: Any, request: HttpRequest) -> HttpResponse:
    """What waits for a person; POST decides the `referral` and answers with what stands in its place."""
    if not request.user.has_perm("referrals.review_referral"):
        raise PermissionDenied
    if request.method == "POST":
        return _decide(request)
    waiting = to_review()
    count = waiting.count()
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Review queue"),
        "opts": admin.opts,
        "cards": cards_of(list(waiting[:SHOWN]), may_see=request.user.has_perm("customers.view_customer")),
        "count": count,
        "more": max(0, count - SHOWN),
        "as_of": clock.now(),
    }
    return TemplateResponse(request, "referrals/review.html", context)


def _decide(request: HttpRequest) -> HttpResponse:
    told, pk = request.POST.get("decision"), request.POST.get("referral", "")
    decide = {"approve": operations.approve, "reject": operations.reject}.get(told or "")
    if decide is None or not pk.isdecimal() or len(pk) > 18:
        raise PermissionDenied
    context: dict[str, Any] = {"pk": pk, "decision": told}
    try:
        decide(referral_id=int(pk), **acting(request))
    except Refused as refused:
        context["refusal"] = str(refused)
    return TemplateResponse(request, "referrals/decided.html", context)


def cards_of(referrals: list[Referral], *, may_see: bool) -> list[Card]:
    shop = Shop.objects.get()
    rules = rules_of(each.version_id for each in referrals)
    ids = {each.friend_id for each in referrals} | {each.advocate.customer_id for each in referrals}
    stats = {each.customer_id: each for each in CustomerStats.objects.filter(customer__in=ids - {None})}
    return [
        Card(
            referral=each,
            whys=_whys(each),
            sides=(
                _side(_("The advocate"), each.advocate.customer, stats, shop, may_see=may_see),
                _side(_("The friend"), each.friend, stats, shop, may_see=may_see),
            ),
            deadline=_deadline(each, rules[each.version_id].at_deadline),
        )
        for each in referrals
    ]


def _whys(referral: Referral) -> tuple[str, ...]:
    """In sentences, with the numbers of the step that put it here."""
    steps = [step for step in referral.steps.all() if step.state == Referral.State.REVIEW]
    return tuple(sentences(steps[-1].reasons, steps[-1].params)) if steps else ()


def _side(
    title: Any, person: Customer | None, stats: Mapping[int, CustomerStats], shop: Shop, *, may_see: bool
) -> Side:
    if person is None:
        return Side(title, str(_("A partner")), "", None, ())
    known, facts = stats.get(person.pk), []
    facts.append((_("Known since"), person.signed_up_at or person.recorded_at))
    facts.append((_("Orders"), known.orders if known else 0))
    facts.append((_("Spent"), money.show(known.spend_minor if known else 0, shop.currency)))
    facts.append((_("Country"), person.country or "–"))
    name = str(person) if may_see else str(_("Customer %s") % person.pk)
    return Side(title, name, (person.email or "") if may_see else "", person.pk if may_see else None, tuple(facts))


def _deadline(referral: Referral, then: str) -> str:
    """What becomes of it if nobody decides."""
    if referral.due_at is None:
        return str(_("It waits for as long as it takes."))
    left = max(0, (referral.due_at - clock.now()) // dt.timedelta(days=1))
    words = {"approve": _("In %s days it is approved by itself."), "reject": _("In %s days it is rejected by itself.")}
    return str(words[then] % left) if then in words else ""
