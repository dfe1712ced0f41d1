"""The sorry desk's pages: find the customer, give, see what was given, undo."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from retention import clock
from retention.customers.models import Customer
from retention.doors.console import acting
from retention.refusals import Refused
from retention.shop.models import Shop
from retention.support import querysets
from retention.support.forms import CHANNELS, ComplaintForm, chosen
from retention.support.models import Compensation, Desk, Reason
from retention.support.operations import ORIGIN, Complaint, MadeWholeBefore, compensate, shop_day, undo
from retention.support.suggestions import Suggestion, suggest

at_the_desk = permission_required("support.add_compensation", raise_exception=True)


@require_GET
@at_the_desk
def desk(request: HttpRequest) -> HttpResponse:
    """Where she begins: the search, and what she gave lately. One hit alone opens the customer at once."""
    text = request.GET.get("q", "").strip()
    hits = querysets.find(text, shop=Shop.objects.get())
    if len(hits) == 1:
        return redirect(_address_of(hits[0]))
    given = querysets.given_by(request.user.pk, now=clock.now())
    return _page(request, "desk", title=_("Sorry desk"), text=text, found=hits, given=given, search_first=True)


@require_GET
@at_the_desk
def found(request: HttpRequest) -> HttpResponse:
    """The hits while she types."""
    text = request.GET.get("q", "").strip()
    shop = Shop.objects.get()
    context = {"text": text, "found": querysets.find(text, shop=shop), "shop": shop}
    return render(request, "support/found.html", context)


@require_http_methods(["GET", "POST"])
@at_the_desk
def customer(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One customer: what she is worth, bought, complained of and was given; and the form that makes her whole."""
    person = _living(public_id)
    shop = Shop.objects.get()
    form = ComplaintForm(request.POST or None, customer=person, shop=shop)
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            given = _compensate(request, person, form.cleaned_data)
        except Refused as reason:
            refusal = reason
        else:
            if given.is_repeated:
                messages.info(request, _("This form was sent before: nothing was given twice."))
            return redirect("support:given", given.compensation.pk)
    now = clock.now()
    about = form.data.get("about", request.GET.get("about", ""))
    context = {
        "title": str(person),
        "about": about,
        "dossier": querysets.dossier(person, order=chosen(person, about)[0], now=now),
        "reasons": Reason.objects.filter(is_active=True),
        "channels": CHANNELS,
        "form": form,
        "token": form.data.get("token") or ComplaintForm.new_token(),
        "refusal": refusal,
        "must_confirm": isinstance(refusal, MadeWholeBefore) or bool(form.data.get("is_confirmed")),
        "suggestion": _suggest(request, person, shop, form.data, now),
        "recent": querysets.recent(person, since=_since(now)),
    }
    return _page(request, "customer", status=422 if refusal or form.errors else 200, **context)


@require_GET
@at_the_desk
def suggestion(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The amount anew, when the reason or what it is about was chosen."""
    person = _living(public_id)
    shop = Shop.objects.get()
    found = _suggest(request, person, shop, request.GET, clock.now())
    return render(request, "support/amount.html", {"suggestion": found, "shop": shop})


@require_GET
@at_the_desk
def given(request: HttpRequest, compensation_id: int) -> HttpResponse:
    """What was given, with its code to copy and the way back."""
    compensation = get_object_or_404(querysets.compensations(), pk=compensation_id)
    return _page(
        request,
        "given",
        title=_("Given"),
        compensation=compensation,
        standing=querysets.standing(compensation, now=clock.now()),
        code=querysets.code_of(compensation),
        delivery=querysets.delivery(compensation, origin=ORIGIN),
        may_undo=_may_undo(request, compensation),
        search_first=True,
    )


@require_POST
@permission_required("support.change_compensation", raise_exception=True)
def undone(request: HttpRequest, compensation_id: int) -> HttpResponse:
    """Undo, then show the same page again: dead code, or why not."""
    get_object_or_404(Compensation, pk=compensation_id)
    try:
        of_anyone = request.user.has_perm("support.undo_any_compensation")
        undo(compensation_id=compensation_id, of_anyone=of_anyone, **acting(request))
    except Refused as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, _("Undone: the code is dead, and your allowance has it back."))
    return redirect("support:given", compensation_id)


def _page(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    shop = Shop.objects.get()
    day = shop_day(shop, clock.now())
    common = {
        **admin.site.each_context(request),
        "shop": shop,
        "budget": querysets.budget(request.user.pk, day=day),
    }
    return render(request, f"support/{template}.html", common | context, status=status)


def _address_of(hit: querysets.Found) -> str:
    """The customer's page, with the order chosen already where it was the order that found her."""
    address = reverse("support:customer", args=[hit.customer.public_id])
    return f"{address}?about=order-{hit.order.pk}" if hit.order else address


def _living(public_id: UUID) -> Customer:
    people = Customer.objects.filter(merged_into=None, erased_at=None).select_related("stats")
    return get_object_or_404(people, public_id=public_id)


def _compensate(request: HttpRequest, person: Customer, typed: dict[str, Any]):
    line = typed["line"]
    return compensate(
        # The token names one form of one agent: another one cannot hit hers by accident or on purpose.
        source=f"desk:{request.user.pk}:{typed['token']}",
        complaint=Complaint(
            customer_id=person.pk,
            reason_id=typed["reason"].pk,
            order_id=typed["order"].pk if typed["order"] else None,
            line_id=line.pk if line else None,
            product_id=line.product_id if line and typed["only_product"] else None,
            words=typed["words"],
            channel=typed["channel"],
        ),
        amount_minor=typed["amount"],
        send=request.POST.get("deliver") != "copy",
        is_confirmed=typed["is_confirmed"],
        **acting(request),
    )


def _since(now: dt.datetime) -> dt.datetime:
    sorry_desk = Desk.objects.first()
    return now - dt.timedelta(days=sorry_desk.repeat_days if sorry_desk else 60)


def _suggest(request: HttpRequest, person: Customer, shop: Shop, data: Any, now: dt.datetime) -> Suggestion | None:
    """What to offer for the reason and the order chosen so far; None until there is a reason."""
    reason = data.get("reason") or ""
    found = Reason.objects.filter(pk=int(reason), is_active=True).first() if reason.isdecimal() else None
    if found is None:
        return None
    order, line = chosen(person, data.get("about", ""))
    budget = querysets.budget(request.user.pk, day=shop_day(shop, now))
    return suggest(
        percent=found.percent,
        label=found.label,
        history=querysets.history(person, order=order, line=line, since=_since(now)),
        per_case_minor=budget.per_case_minor,
        left_minor=budget.left_minor,
        currency=shop.currency,
        language=request.LANGUAGE_CODE,
    )


def _may_undo(request: HttpRequest, compensation: Compensation) -> bool:
    mine = compensation.given_by_id == request.user.pk
    return request.user.has_perm("support.change_compensation") and (
        mine or request.user.has_perm("support.undo_any_compensation")
    )
