"""The try-it panel: a basket, a shopper and a moment in; what comes off, line by line, or every reason why not, out."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from retention import clock
from retention.customers.models import Customer, Order
from retention.incentives.baskets import Basket, Line, amount_text
from retention.incentives.checkouts import Buyer, Checkout
from retention.incentives.codes import readings
from retention.incentives.decisions import Checked, Decision, NoSuchCode
from retention.incentives.examples import SHIPPING_MINOR, example_lines
from retention.incentives.facts import shop_currency
from retention.incentives.forms import TryForm, moment
from retention.incentives.models import Incentive
from retention.incentives.qualifying import hinted
from retention.incentives.rules import Benefit, IncentiveRule, sentence
from retention.incentives.trying import try_offer, try_together
from retention.incentives.versions import rule_of
from retention.incentives.views.pages import effects_table, shown_row
from retention.money import to_major
from retention.refusals import Refused


def try_view(request: HttpRequest, admin: Any, object_id: str) -> HttpResponse:
    """The panel: a basket, a shopper and a moment in; what comes off, line by line, or every reason why not, out."""
    incentive = shown_row(request, admin, object_id)
    # Its first basket is tried at once.
    form = TryForm(request.POST or _example(incentive))
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Try it"),
        "subtitle": incentive.name,
        "opts": admin.opts,
        "incentive": incentive,
        "original": incentive,
        "said": sentence(rule_of(incentive.version_id)),
        "form": form,
        "media": admin.media,
        "suggest_url": reverse("admin:incentives_incentive_suggest"),
        "more": [form[name] for name in ("region", "store", "payment_method")],
        "back_url": reverse("admin:incentives_incentive_change", args=[incentive.pk]),
    }
    if form.is_valid():
        try:
            context["outcome"] = outcome(_try(incentive, form.cleaned_data), form.cleaned_data["codes"])
        except Refused as refused:
            form.add_error("customer", str(refused))
    return TemplateResponse(request, "incentives/try.html", context)


def outcome(decision: Decision, codes: Sequence[str] = ()) -> dict[str, Any]:
    """A decision in words and amounts for the page: what comes off in all, and for each offer what or why not."""
    evaluation = decision.evaluation
    effects = evaluation.as_json()
    known = {one.offer.facts.code for one in decision.checked}
    unknown = [code for code in codes if not known.intersection(readings(code))]
    return {
        "is_less": bool(decision.applied),
        "discount": amount_text(effects["discount_minor"], effects["currency"]),
        "total": amount_text(effects["total_minor"], effects["currency"]),
        "effects": effects_table(effects),
        "offers": [
            *[_told(one, evaluation.basket) for one in decision.checked],
            *[{"name": code, "reasons": [str(NoSuchCode())]} for code in unknown],
        ],
    }


def _told(checked: Checked, basket: Basket) -> dict[str, Any]:
    applied, facts = checked.applied, checked.offer.facts
    told = {
        "name": f"{facts.code} · {facts.incentive_name}" if facts.code else facts.incentive_name,
        "sentence": sentence(checked.offer.rule),
        "reasons": [str(reason) for reason in checked.reasons],
        "hints": [near.missing for near in hinted(checked)],
    }
    if applied is None:
        return told
    parts = [(line.sku, off) for line, off in zip(basket.lines, applied.lines, strict=True) if off]
    parts += [(_("Shipping"), applied.shipping_minor)] if applied.shipping_minor else []
    return {
        **told,
        "is_applied": True,
        "discount": amount_text(applied.discount_minor, basket.currency),
        "parts": [(name, amount_text(off, basket.currency)) for name, off in parts],
        "benefits": [effect.sentence() for effect in checked.offer.rule.effects if isinstance(effect, Benefit)],
    }


def _try(incentive: Incentive, given: Mapping[str, Any]) -> Decision:
    named = given["customer"]
    checkout = Checkout(
        currency=given["currency"],
        lines=tuple(Line(sku, count, price, is_discounted=is_sale) for sku, count, price, is_sale in given["goods"]),
        shipping_minor=given["shipping_minor"],
        buyer=Buyer(email=named) if "@" in named else Buyer(reference=named or None),
        **{name: given[name] for name in TryForm.PLACES},
    )
    at = moment(given, clock.now())
    if given["is_together"]:
        return try_together(incentive=incentive, codes=given["codes"], checkout=checkout, at=at)
    return try_offer(incentive=incentive, checkout=checkout, at=at)


def _example(incentive: Incentive) -> dict[str, Any]:
    """To begin with: a basket that the rule gives something for, and a customer where it asks who she is."""
    rule, currency = rule_of(incentive.version_id), shop_currency()
    lines = [f"{one.sku}, {count}, {to_major(one.price_minor, currency):f}" for one, count in example_lines(rule)]
    return {
        "lines": "\n".join(lines) or "SKU-1, 2, 19.99\nSKU-2, 1, 49.90",
        "currency": currency,
        "shipping": f"{to_major(SHIPPING_MINOR, currency):f}",
        "customer": _somebody() if asks_who(rule) else "",
        "country": next((one.countries[0] for one in rule.conditions if one.kind == "in_countries"), ""),
    }


def asks_who(rule: IncentiveRule) -> bool:
    """Whether it holds for known customers only."""
    is_about_her = any(one.kind in ("first_order", "nth_order", "in_segments", "in_tiers") for one in rule.conditions)
    return is_about_her or bool(rule.limits.per_customer)


def _somebody() -> str:
    """The newest customer with an email who has not ordered yet, or simply the newest."""
    known = Customer.objects.exclude(email_normal=None).filter(merged_into=None, erased_at=None).order_by("-pk")[:50]
    bought = set(Order.objects.filter(customer__in=[one.pk for one in known]).values_list("customer_id", flat=True))
    found = sorted(known, key=lambda one: one.pk in bought)
    return found[0].email_normal if found else ""
