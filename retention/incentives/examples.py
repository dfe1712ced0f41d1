"""An example basket for a rule: products of the catalogue that it means, and so many that it gives something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from retention.customers.models import Product
from retention.incentives.baskets import Basket, Line, Shopper
from retention.incentives.cart_conditions.goods import OfGoods
from retention.incentives.discounts import Evaluation, Offer, evaluate
from retention.incentives.facts import shop_currency
from retention.incentives.rules import IncentiveRule

#: Quantities of the basket's lines, tried in turn.
_QUANTITIES = ((2, 1, 1), (3, 2, 1), (6, 4, 2), (12, 8, 4), (40, 20, 10))
SHIPPING_MINOR = 490


def example_of(rule: IncentiveRule) -> dict[str, Any] | None:
    """What the rule's effects take off such a basket, as an evaluation's JSON; None where nothing can be shown."""
    evaluation = _evaluated(rule)
    return evaluation.as_json() if evaluation else None


def example_lines(rule: IncentiveRule) -> list[tuple[Product, int]]:
    """Products and quantities of which the rule gives something, or some products where it takes more than that."""
    products = example_products(rule)
    evaluation = _evaluated(rule)
    counts = [line.quantity for line in evaluation.basket.lines] if evaluation else _QUANTITIES[0]
    return list(zip(products, counts, strict=False))


def _evaluated(rule: IncentiveRule) -> Evaluation | None:
    """The smallest example basket that the rule takes something off.

    Conditions about who and when are left out; those about the basket are met where they can be.
    """
    products = example_products(rule)
    asked = tuple(one for one in rule.conditions if isinstance(one, OfGoods))
    for conditions in (asked, ()) if asked else ((),):
        bare = rule.model_copy(update={"conditions": conditions})
        for quantities in _QUANTITIES if products else ():
            lines = tuple(_line(product, count) for product, count in zip(products, quantities, strict=False))
            basket = Basket(shop_currency(), lines, SHIPPING_MINOR, shopper=Shopper(id=1, has_email=True))
            evaluation = evaluate([Offer(0, bare)], basket)
            if not evaluation.not_applied and evaluation.discount_minor:
                return evaluation
    return None


def example_products(rule: IncentiveRule, count: int = 3) -> Sequence[Product]:
    """Some products in the shop's currency: those that the rule names first."""
    rows = Product.objects.filter(archived_at=None, currency=shop_currency(), price_minor__gt=0)
    found: dict[str, Product] = {}
    for wanted in _wanted(rule):
        for product in rows.filter(**wanted).order_by("pk")[:2]:
            found.setdefault(product.sku, product)
    for product in rows.order_by("pk")[: count + len(found)]:
        if len(found) >= count:
            break
        found.setdefault(product.sku, product)
    return list(found.values())[:count]


def _wanted(rule: IncentiveRule) -> list[dict[str, Any]]:
    """Lookups of the products that scopes name, wherever in the effects they stand."""
    found: list[dict[str, Any]] = []

    def look(value: Any) -> None:
        if isinstance(value, dict):
            if value.get("products"):
                found.append({"sku__in": value["products"]})
            found.extend({"category__startswith": path} for path in value.get("categories") or ())
            if value.get("tags"):
                found.append({"tags__overlap": list(value["tags"])})
            for inside in value.values():
                look(inside)
        elif isinstance(value, list | tuple):
            for inside in value:
                look(inside)

    look(rule.model_dump()["effects"])
    return found


def _line(product: Product, quantity: int) -> Line:
    return Line(
        product.sku,
        quantity,
        product.price_minor,
        product.category,
        frozenset(product.tags),
        is_low_margin=product.is_low_margin,
        minimum_price_minor=product.minimum_price_minor or 0,
    )
