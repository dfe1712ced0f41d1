"""WooCommerce: the CSV of its extension Customer / Order / Coupon Export, format "Default"; orders by one row per item.

WooCommerce itself exports products alone, and its analytics leave out an order's prices; this is the documented format
that has them (woocommerce.com/document/ordercustomer-csv-export, whose developer documentation guarantees the names of
the columns). Times are the shop's local ones, amounts of items come without their tax and the tax beside them.
"""

import re
from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from retention.customers.presets.orders import Line, Settled, minor, settle
from retention.registries import Preset, presets
from retention.work.ingest.feeds import Cells, Group, per_group, per_row
from retention.work.ingest.layouts import bare

_CUSTOMER = {
    "reference": ("customer_id",),
    "email": ("email", "billing_email"),
    "given_name": ("first_name", "billing_first_name"),
    "family_name": ("last_name", "billing_last_name"),
    "phone": ("billing_phone",),
    "address": ("billing_address_1",),
    "postcode": ("billing_postcode",),
    "city": ("billing_city",),
    "region": ("billing_state_code", "billing_state"),
    "country": ("billing_country",),
    "signed_up_at": ("date_registered",),
}
_ORDER = {
    "reference": ("order_number", "order_id"),
    "email": ("billing_email",),
    "currency": ("order_currency",),
    "total": ("order_total",),
    "tax": ("tax_total",),
    "payment_method": ("payment_method",),
    "address": ("shipping_address_1", "billing_address_1"),
    "city": ("shipping_city", "billing_city"),
    "region": ("shipping_state_code", "shipping_state"),
    "postcode": ("shipping_postcode", "billing_postcode"),
    "country": ("shipping_country", "billing_country"),
    "placed_at": ("date", "order_date"),
}
_STATES = {
    "pending": "placed",
    "on-hold": "placed",
    "processing": "paid",
    "completed": "fulfilled",
    "refunded": "returned",
    "cancelled": "cancelled",
    "failed": "cancelled",
}
_TAX = {
    "item_subtotal": "item_subtotal_tax",
    "item_total": "item_total_tax",
    "shipping_total": "shipping_tax_total",
}
_ORDER_NAMES = {
    **{ours: theirs[0] for ours, theirs in _ORDER.items()},
    "state": "status",
    "shipping": "shipping_total",
    "shipping_minor": "shipping_total",
    "discount_minor": "discount_total",
    "sku": "item_sku",
    "quantity": "item_quantity",
    "unit_price": "item_subtotal",
    "unit_price_minor": "item_subtotal",
    "line_discount_minor": "item_total",
}
_PRODUCT_NAMES = {"sku": "item_sku", "name": "item_name", "price": "item_subtotal", "price_minor": "item_subtotal"}


def _first(cells: Cells, names: tuple[str, ...]) -> str:
    """The first of these columns that says something."""
    return next((bare(cells[name]) for name in names if cells.get(name, "").strip()), "")


def customer(cells: Cells) -> Iterator[Cells]:
    row = {ours: _first(cells, theirs) for ours, theirs in _CUSTOMER.items()}
    row["address"] = "\n".join(filter(None, (row["address"], cells.get("billing_address_2", ""))))
    if row["reference"] == "0":  # a guest's
        row["reference"] = ""
    yield row


def state(word: str) -> str:
    plain = word.strip().casefold().removeprefix("wc-")
    return _STATES.get(plain, plain)


def article(cells: Cells) -> str:
    """The item's SKU; where it has none, the number of its product, else its name."""
    product = cells.get("item_product_id", "").strip()
    return bare(cells.get("item_sku", "")).strip() or (
        f"woo-{product}" if product else cells.get("item_name", "")[:100]
    )


def order(group: Group) -> Iterator[tuple[int, Cells]]:
    first = group[0][1]
    head: dict[str, str] = {ours: _first(first, theirs) for ours, theirs in _ORDER.items()}
    head |= {"state": state(first.get("status", "")), "payment_method": head["payment_method"][:40]}
    head["codes"] = ", ".join(re.findall(r"code:([^|;]+)", first.get("coupon_items", "")))
    try:
        shipping, settled = _settled(group, head["currency"].upper())
        head |= {"shipping_minor": str(shipping), "discount_minor": str(settled.discount)}
        prices = [{"unit_price_minor": str(unit), "line_discount_minor": str(off)} for unit, off in settled.lines]
    except (ValueError, KeyError, ZeroDivisionError):
        # Something is no number: the checks say where.
        prices = [{"unit_price": cells.get("item_subtotal", "")} for _line, cells in group]
    for at, ((line, cells), price) in enumerate(zip(group, prices, strict=True)):
        own = {"sku": article(cells), "quantity": cells.get("item_quantity", ""), **price}
        yield line, {**head, **own} if at == 0 else {"reference": head["reference"], **own}


def _with_tax(currency: str, cells: Cells, name: str) -> int:
    """An amount and its tax: both have more digits than their currency, so they are rounded together."""
    return minor(currency, cells[name], cells.get(_TAX[name], ""))


def _settled(group: Group, currency: str) -> tuple[int, Settled]:
    lines = [
        Line(
            int(cells["item_quantity"]),
            _with_tax(currency, cells, "item_subtotal"),
            _with_tax(currency, cells, "item_total"),
        )
        for _line, cells in group
    ]
    first = group[0][1]
    shipping = _with_tax(currency, first, "shipping_total")
    return shipping, settle(lines, shipping=shipping, total=minor(currency, first["order_total"]))


def products(group: Group) -> Iterator[tuple[int, Cells]]:
    """What was bought, for articles that are not known yet."""
    currency = group[0][1].get("order_currency", "").strip().upper()
    for line, cells in group:
        told = {"sku": article(cells), "name": cells.get("item_name", "")[:200]}
        try:
            each = _with_tax(currency, cells, "item_subtotal") // int(cells["item_quantity"])
            yield line, {**told, "price_minor": str(each), "currency": currency}
        except (ValueError, KeyError, ZeroDivisionError):
            yield line, {**told, "price": cells.get("item_subtotal", "")}


@presets.register
class WooCustomers(Preset):
    key = "woocommerce_customers"
    label = _("WooCommerce: customers")
    kind = "customers"
    marks = frozenset({"customer_id", "email", "date_registered", "billing_first_name"})
    feeds = (per_row("customers", customer, {ours: theirs[0] for ours, theirs in _CUSTOMER.items()}),)


@presets.register
class WooOrders(Preset):
    key = "woocommerce_orders"
    label = _("WooCommerce: orders")
    kind = "orders"
    marks = frozenset({"order_id", "order_total", "billing_email", "item_quantity", "item_subtotal", "item_total"})
    feeds = (
        per_group("products", "order_id", products, _PRODUCT_NAMES, only_new="sku"),
        per_group("orders", "order_id", order, _ORDER_NAMES),
    )
