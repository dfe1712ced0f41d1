"""The try-it panel: a basket, a shopper and a moment in; what comes off, line by line, or every reason why not, out."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from retention import clock
from retention.customers.models import Product
from retention.incentives.baskets import Line, amount_text
from retention.incentives.checkouts import Buyer, Checkout
from retention.incentives.decisions import Decision
from retention.incentives.facts import shop_currency
from retention.incentives.forms import TryForm, moment
from retention.incentives.models import Incentive
from retention.incentives.rules import sentence
from retention.incentives.trying import try_offer
from retention.incentives.versions import rule_of
from retention.incentives.views.pages import effects_table, shown_row
from retention.money import to_major
from retention.refusals import Refused


def try_view(request: HttpRequest, admin: Any, object_id: str) -> HttpResponse:
    """The panel: a basket, a shopper and a moment in; what comes off, line by line, or every reason why not, out."""
    incentive = shown_row(request, admin, object_id)
    form = TryForm(request.POST or None, initial=_example(incentive))
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Try it"),
        "subtitle": incentive.name,
        "opts": admin.opts,
        "incentive": incentive,
        "sentence": sentence(rule_of(incentive.version_id)),
        "form": form,
        "media": admin.media,
        "back_url": reverse("admin:incentives_incentive_change", args=[incentive.pk]),
    }
    if form.is_valid():
        try:
            context |= outcome(_try(incentive, form.cleaned_data))
        except Refused as refused:
            form.add_error("customer", str(refused))
    return TemplateResponse(request, "incentives/try.html", context)


def outcome(decision: Decision) -> dict[str, Any]:
    """A decision in words and amounts for the page."""
    effects = decision.evaluation.as_json()
    return {
        "is_good": decision.is_good,
        "reasons": [str(reason) for reason in decision.reasons],
        "effects": effects_table(effects) if decision.is_good else "",
        "discount": amount_text(effects["discount_minor"], effects["currency"]),
        "total": amount_text(effects["total_minor"], effects["currency"]),
    }


def _try(incentive: Incentive, given: Mapping[str, Any]) -> Decision:
    named = given["customer"]
    buyer = Buyer(email=named) if "@" in named else Buyer(reference=named or None)
    checkout = Checkout(
        currency=given["currency"],
        lines=tuple(Line(sku, count, price, is_discounted=is_sale) for sku, count, price, is_sale in given["goods"]),
        shipping_minor=given["shipping_minor"],
        country=given["country"].upper(),
        channel=given["channel"],
        buyer=buyer,
    )
    return try_offer(incentive=incentive, checkout=checkout, at=moment(given, clock.now()))


def _example(incentive: Incentive) -> dict[str, Any]:
    """A basket to begin with: products of the catalogue, those in scope first."""
    currency = shop_currency()
    effects = rule_of(incentive.version_id).effects
    goods = next((effect for effect in effects if hasattr(effect, "scope")), None)
    wanted = Product.objects.filter(archived_at=None, currency=currency)
    if goods and goods.scope.products:
        wanted = wanted.filter(sku__in=goods.scope.products)
    elif goods and goods.scope.categories:
        wanted = wanted.filter(category__startswith=goods.scope.categories[0])
    products = list(wanted.order_by("pk")[:2]) or list(Product.objects.filter(currency=currency).order_by("pk")[:2])
    lines = [f"{one.sku}, {2 - at}, {to_major(one.price_minor, currency):f}" for at, one in enumerate(products)]
    return {"lines": "\n".join(lines) or "SKU-1, 2, 19.99\nSKU-2, 1, 49.90", "currency": currency, "shipping": "4.90"}
