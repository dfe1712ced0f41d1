"""What the catalogue knows of the products in a basket, in the basket's currency."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from retention import money
from retention.incentives.baskets import Line
from retention.shop.models import ExchangeRate

#: Of a product: sku, category, tags, minimum price, its currency, is_low_margin.
Product = Sequence[Any]


def known_lines(
    lines: tuple[Line, ...],
    products: Sequence[Product] | None,
    currency: str,
    *,
    base: str,
    rate: Decimal | None,
    now: dt.datetime,
) -> tuple[Line, ...]:
    """The lines with category, tags, margin and minimum price of the products that the catalogue has."""
    if not products:
        return lines
    catalogue = {sku: facts for sku, *facts in products}
    foreign = {facts[3] for facts in catalogue.values() if facts[2] and facts[3] != currency}
    rates = _rates(foreign, base, rate, now) if foreign else {}
    return tuple(
        [_known(line, catalogue[line.sku], currency, rates) if line.sku in catalogue else line for line in lines]
    )


def converted(minor: int, currency: str, other: str, rate: Decimal) -> int:
    """An amount in another currency, `rate` of which are worth one of its own."""
    scale = money.digits(other) - money.digits(currency)
    return money.round_half_up((Decimal(minor) * rate).scaleb(scale))


def _known(line: Line, known: Product, currency: str, rates: Mapping[str, Decimal]) -> Line:
    category, tags, minimum, product_currency, is_low_margin = known
    is_unpriced = False
    if minimum and product_currency != currency:
        is_unpriced = product_currency not in rates
        minimum = 0 if is_unpriced else converted(minimum, product_currency, currency, rates[product_currency])
    return line._replace(
        category=category,
        tags=frozenset(tags),
        is_low_margin=is_low_margin,
        minimum_price_minor=minimum,
        is_unpriced=is_unpriced,
    )


def _rates(currencies: Iterable[str], base: str, rate: Decimal | None, now: dt.datetime) -> dict[str, Decimal]:
    """How many of the basket's currency each of these is worth today, for minimum prices in other ones: rare."""
    if not rate:
        return {}
    in_base = dict(
        ExchangeRate.objects.filter(currency__in=currencies, on__lte=now.date())
        .order_by("currency", "-on")
        .distinct("currency")
        .values_list("currency", "rate")
    )
    in_base[base] = Decimal(1)
    return {other: in_base[other] / rate for other in currencies if other in in_base}
