"""Shopify's own exports of customers and of orders, as CSV.

Columns as in Shopify's help, "Exporting and importing customers" and "Exporting orders" (help.shopify.com/manual/
customers/import-export-customers, help.shopify.com/manual/fulfillment/managing-orders/exporting-orders), read in 2026.
"""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _

from retention import money
from retention.customers.presets.orders import Line, minor, settle
from retention.registries import Preset, presets
from retention.work.ingest.feeds import Cells, Group, per_group, per_row
from retention.work.ingest.layouts import bare

_CUSTOMER = {
    "reference": "Customer ID",
    "email": "Email",
    "given_name": "First Name",
    "family_name": "Last Name",
    "phone": "Phone",
    "address": "Default Address Address1",
    "postcode": "Default Address Zip",
    "city": "Default Address City",
    "region": "Default Address Province Code",
    "country": "Default Address Country Code",
}
_CONSENTS = {"email": "Accepts Email Marketing", "sms": "Accepts SMS Marketing"}
_SAID = {"yes": "given", "true": "given", "no": "withdrawn", "false": "withdrawn"}
_ORDER = {
    "reference": "Name",
    "email": "Email",
    "currency": "Currency",
    "total": "Total",
    "shipping": "Shipping",
    "tax": "Taxes",
    "address": "Shipping Street",
    "city": "Shipping City",
    "region": "Shipping Province",
    "postcode": "Shipping Zip",
    "country": "Shipping Country",
    "codes": "Discount Code",
    "placed_at": "Created at",
    "paid_at": "Paid at",
    "fulfilled_at": "Fulfilled at",
    "cancelled_at": "Cancelled at",
}
_ORDER_NAMES = {
    **_ORDER,
    "state": "Financial Status",
    "payment_method": "Payment Method",
    "channel": "Source",
    "discount": "Discount Amount",
    "discount_minor": "Discount Amount",
    "sku": "Lineitem sku",
    "quantity": "Lineitem quantity",
    "unit_price": "Lineitem price",
    "unit_price_minor": "Lineitem price",
    "line_discount": "Lineitem discount",
    "line_discount_minor": "Lineitem discount",
}
_PRODUCT_NAMES = {"sku": "Lineitem sku", "name": "Lineitem name", "price": "Lineitem price", "currency": "Currency"}


def customer(cells: Cells) -> Iterator[Cells]:
    row = {ours: bare(cells.get(theirs, "")) for ours, theirs in _CUSTOMER.items()}
    row["phone"] = row["phone"] or bare(cells.get("Default Address Phone", ""))
    row["address"] = "\n".join(filter(None, (row["address"], cells.get("Default Address Address2", ""))))
    yield row


def consents(cells: Cells) -> Iterator[Cells]:
    """What holds now: the file has no times. A channel that she has no address on is passed over."""
    who = {"customer": bare(cells.get("Customer ID", "")), "email": cells.get("Email", "")}
    phone = cells.get("Phone", "") or cells.get("Default Address Phone", "")
    addresses = {"email": cells.get("Email", ""), "sms": phone}
    for channel, theirs in _CONSENTS.items():
        said = cells.get(theirs, "").strip()
        if said and addresses[channel].strip():
            event = _SAID.get(said.casefold(), said)
            yield {**who, "channel": channel, "event": event, "source": "shopify"}


def state(cells: Cells) -> str:
    """Our state by how far payment and delivery have come; a word that is not known stays, to be refused."""
    financial = cells.get("Financial Status", "").strip().casefold()
    if cells.get("Cancelled at", "").strip() or financial in ("voided", "expired"):
        return "cancelled"
    if financial == "paid" and cells.get("Fulfillment Status", "").strip().casefold() == "fulfilled":
        return "fulfilled"
    known = {"paid": "paid", "refunded": "returned", "partially_refunded": "partially_returned"}
    known |= dict.fromkeys(("pending", "authorized", "partially_paid", "unpaid"), "placed")
    return known.get(financial, financial)


def article(cells: Cells) -> str:
    """The line's SKU; where it has none, its name."""
    return bare(cells.get("Lineitem sku", "")).strip() or cells.get("Lineitem name", "").strip()[:100]


def order(group: Group) -> Iterator[tuple[int, Cells]]:
    """An order's lines; what is of the order itself stands on its first row alone, here as there."""
    first = group[0][1]
    head: dict[str, str] = {ours: bare(first.get(theirs, "")) for ours, theirs in _ORDER.items()}
    head |= {"state": state(first), "payment_method": first.get("Payment Method", "")[:40]}
    head["channel"] = first.get("Source", "")[:40]
    try:
        settled = _settled(group)
        head["discount_minor"] = str(settled.discount)
        prices = [{"unit_price_minor": str(unit), "line_discount_minor": str(off)} for unit, off in settled.lines]
    except (ValueError, KeyError, ZeroDivisionError):
        # Something is no number: the checks say where.
        prices = [{"unit_price": cells.get("Lineitem price", "")} for _line, cells in group]
    for at, ((line, cells), price) in enumerate(zip(group, prices, strict=True)):
        own = {"sku": article(cells), "quantity": cells.get("Lineitem quantity", ""), **price}
        yield line, {**head, **own} if at == 0 else {"reference": head["reference"], **own}


def _settled(group: Group) -> Any:
    first = group[0][1]
    currency = first["Currency"].strip().upper()
    lines = []
    for _line, cells in group:
        quantity = int(cells["Lineitem quantity"])
        cost = minor(currency, cells["Lineitem price"]) * quantity
        lines.append(Line(quantity, cost, cost))
    subtotal = minor(currency, first["Subtotal"]) if first.get("Subtotal", "").strip() else None
    return settle(
        lines, shipping=minor(currency, first["Shipping"]), total=minor(currency, first["Total"]), subtotal=subtotal
    )


def products(group: Group) -> Iterator[tuple[int, Cells]]:
    """What was bought, for articles that are not known yet."""
    currency = group[0][1].get("Currency", "").strip()
    for line, cells in group:
        price = cells.get("Lineitem price", "")
        yield (
            line,
            {"sku": article(cells), "name": cells.get("Lineitem name", "")[:200], "price": price}
            | ({"currency": currency} if currency in money.currency_codes() else {}),
        )


@presets.register
class ShopifyCustomers(Preset):
    key = "shopify_customers"
    label = _("Shopify: customers")
    kind = "customers"
    marks = frozenset({"First Name", "Last Name", "Email", "Accepts Email Marketing"})
    feeds = (
        per_row("customers", customer, _CUSTOMER),
        per_row("consents", consents, {"customer": "Customer ID", "email": "Email", "event": _CONSENTS["email"]}),
    )


@presets.register
class ShopifyOrders(Preset):
    key = "shopify_orders"
    label = _("Shopify: orders")
    kind = "orders"
    marks = frozenset({"Name", "Financial Status", "Lineitem quantity", "Lineitem price", "Lineitem name"})
    feeds = (
        per_group("products", "Name", products, _PRODUCT_NAMES, only_new="sku"),
        per_group("orders", "Name", order, _ORDER_NAMES),
    )
