"""What files of facts may come in, and what exports hold: the columns an import reads, so that a file may come back."""

from collections.abc import Iterator, Sequence
from typing import Any

from retention import money
from retention.doors.imports import IngestResource

_BY = 2_000


class CustomerResource(IngestResource):
    kind = "customers"
    export_columns = (
        "reference", "email", "phone", "given_name", "family_name", "birthday", "address", "postcode", "city", "region",
        "country", "language", "time_zone", "preferred_channel", "interests", "source", "signed_up_at",
    )  # fmt: skip

    def export_rows(self, queryset: Any) -> Iterator[Sequence[Any]]:
        for customer in queryset.order_by("pk").iterator(_BY):
            day = f"{customer.birth_month:02}-{customer.birth_day:02}" if customer.birth_month else ""
            made = {
                "birthday": f"{customer.birth_year:04}-{day}" if customer.birth_year else day,
                "interests": ", ".join(customer.interests),
                "signed_up_at": customer.signed_up_at and customer.signed_up_at.isoformat(sep=" "),
            }
            yield [made[name] if name in made else getattr(customer, name) for name in self.export_columns]


class ProductResource(IngestResource):
    kind = "products"
    export_columns = (
        "sku", "name", "category", "currency", "price", "minimum_price", "unit_cost", "compare_at", "is_low_margin",
        "tags", "season_from", "season_until", "launched_on", "replenish_days", "url", "how_to_url", "image_url",
    )  # fmt: skip
    _AMOUNTS = ("price", "minimum_price", "unit_cost", "compare_at")

    def export_rows(self, queryset: Any) -> Iterator[Sequence[Any]]:
        for product in queryset.order_by("pk").iterator(_BY):
            made = {name: _major(getattr(product, f"{name}_minor"), product.currency) for name in self._AMOUNTS}
            made["tags"] = ", ".join(product.tags)
            yield [made[name] if name in made else getattr(product, name) for name in self.export_columns]


class OrderResource(IngestResource):
    """One row a line; the cells of the order itself are on every one of them."""

    kind = "orders"
    export_columns = (
        "reference", "customer", "email", "state", "currency", "total", "shipping", "discount", "tax", "channel",
        "store", "payment_method", "city", "region", "postcode", "country", "codes", "placed_at", "paid_at",
        "fulfilled_at", "cancelled_at", "sku", "quantity", "unit_price", "line_discount",
    )  # fmt: skip

    def export_rows(self, queryset: Any) -> Iterator[Sequence[Any]]:
        orders = queryset.order_by("pk").select_related("customer").prefetch_related("lines__product")
        for order in orders.iterator(_BY):
            made = {name: _major(getattr(order, f"{name}_minor"), order.currency) for name in ("total", "shipping")}
            made |= {name: _major(getattr(order, f"{name}_minor"), order.currency) for name in ("discount", "tax")}
            made |= {"customer": order.customer and order.customer.reference, "codes": ", ".join(order.codes)}
            for name in ("placed_at", "paid_at", "fulfilled_at", "cancelled_at"):
                at = getattr(order, name)
                made[name] = at and at.isoformat(sep=" ")
            head = [made[name] if name in made else getattr(order, name) for name in self.export_columns[:-4]]
            for line in order.lines.all():
                price, off = (
                    _major(line.unit_price_minor, order.currency),
                    _major(line.discount_minor, order.currency),
                )
                yield [*head, line.product.sku, line.quantity, price, off]


def _major(minor: int | None, currency: str) -> str | None:
    return None if minor is None else str(money.to_major(minor, currency))
