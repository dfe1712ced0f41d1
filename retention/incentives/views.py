"""The console's pages of an offer beside its form: trying it on a basket, its codes as a file, codes being made."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from retention import clock
from retention.customers.models import Product
from retention.doors.console import acting
from retention.incentives import operations
from retention.incentives.baskets import Line, amount_text
from retention.incentives.decisions import Decision
from retention.incentives.facts import Buyer, Checkout, shop_currency
from retention.incentives.forms import TryForm, moment
from retention.incentives.models import CodeBatch, Incentive
from retention.incentives.pictures import CONTENT_TYPES, PICTURES
from retention.incentives.rules import sentence
from retention.incentives.trying import try_offer
from retention.incentives.versions import rule_of
from retention.money import to_major
from retention.refusals import Refused


def try_view(request: HttpRequest, admin: Any, object_id: str) -> HttpResponse:
    """The panel: a basket, a shopper and a moment in; what comes off, line by line, or every reason why not, out."""
    incentive = _shown(request, admin, object_id)
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


def codes_file(request: HttpRequest, object_id: Any) -> HttpResponse:
    """A CSV file, streamed; `?batch=` names one batch."""
    batch = request.GET.get("batch", "")
    try:
        blocks = operations.export_codes(
            incentive_id=int(object_id), batch_id=int(batch) if batch.isdecimal() else None, **acting(request)
        )
    except Refused as refused:
        raise Http404(str(refused)) from refused
    name = f"codes-{object_id}-batch-{batch}.csv" if batch else f"codes-{object_id}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(blocks, content_type="text/csv; charset=utf-8", headers=headers)


def picture_view(request: HttpRequest, admin: Any, object_id: int) -> HttpResponse:
    """The code to scan: `?as=qr.svg`, `qr.png`, `barcode.svg` or `barcode.png`, and `&file` to keep it."""
    code = _shown(request, admin, object_id)
    shape, _dot, ending = request.GET.get("as", "qr.svg").partition(".")
    if (shape, ending) not in PICTURES:
        raise Http404
    kept = f'attachment; filename="{code.code}-{shape}.{ending}"' if "file" in request.GET else "inline"
    headers = {"Content-Disposition": kept}
    return HttpResponse(PICTURES[shape, ending](code.code), content_type=CONTENT_TYPES[ending], headers=headers)


def batches_view(request: HttpRequest, admin: Any, object_id: int) -> HttpResponse:
    """The batches alone; the page asks for them again until all are made."""
    incentive = _shown(request, admin, object_id)
    return TemplateResponse(request, "incentives/batches.html", batches_of(incentive, request.user))


def batches_of(incentive: Incentive, user: Any) -> dict[str, Any]:
    """The newest batches, how far they are, and the files of those who may have them."""
    batches = list(CodeBatch.objects.filter(incentive=incentive).select_related("by")[:5])
    file = reverse("admin:incentives_incentive_export_codes", args=[incentive.pk])
    return {
        "incentive": incentive,
        "batches": batches,
        "is_making": any(batch.state == CodeBatch.State.WAITING for batch in batches),
        "file": file if user.has_perm("incentives.export_code") else None,
    }


def _shown(request: HttpRequest, admin: Any, object_id: Any) -> Any:
    if not admin.has_view_permission(request):
        raise PermissionDenied
    row = admin.get_object(request, str(object_id))
    if row is None:
        raise Http404
    return row


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


def effects_table(effects: Mapping[str, Any]) -> SafeString:
    """Lines and shipping with what is taken off each."""
    currency = effects["currency"]

    def row(name: Any, quantity: Any, cell: Mapping[str, Any]) -> dict[str, Any]:
        amounts = {key: f"{to_major(cell[f'{key}_minor'], currency):f}" for key in ("amount", "discount", "total")}
        return {"name": name, "quantity": quantity, "is_less": bool(cell["discount_minor"]), **amounts}

    rows = [row(line["sku"], line["quantity"], line) for line in effects["lines"]]
    if effects["shipping"]["amount_minor"]:
        rows.append(row(_("Shipping"), "", effects["shipping"]))
    whole = {"amount_minor": effects["discount_minor"] + effects["total_minor"], **effects}
    return render_to_string(
        "incentives/effects.html", {"rows": rows, "all": row(_("All"), "", whole), "currency": currency}
    )


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
    goods = next((e for e in rule_of(incentive.version_id).effects if e.kind != "free_shipping"), None)
    wanted = Product.objects.filter(archived_at=None, currency=currency)
    if goods and goods.scope.products:
        wanted = wanted.filter(sku__in=goods.scope.products)
    elif goods and goods.scope.categories:
        wanted = wanted.filter(category__startswith=goods.scope.categories[0])
    products = list(wanted.order_by("pk")[:2]) or list(Product.objects.filter(currency=currency).order_by("pk")[:2])
    lines = [f"{one.sku}, {2 - at}, {to_major(one.price_minor, currency):f}" for at, one in enumerate(products)]
    return {"lines": "\n".join(lines) or "SKU-1, 2, 19.99\nSKU-2, 1, 49.90", "currency": currency, "shipping": "4.90"}
