"""What a discount is worked out on: a basket, its lines and its shopper, as plain values in minor units."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from retention import money


class Line(NamedTuple):
    """One product in a basket; `minimum_price_minor` is for one unit, in the basket's currency.

    `is_unpriced` marks a product whose minimum price is known only in a currency without a rate to this one: as
    nobody can say where its floor is, nothing is taken off it.
    """

    sku: str
    quantity: int
    unit_price_minor: int
    category: str = ""
    tags: frozenset[str] = frozenset()
    is_discounted: bool = False
    is_low_margin: bool = False
    minimum_price_minor: int = 0
    is_unpriced: bool = False

    @property
    def amount_minor(self) -> int:
        return self.quantity * self.unit_price_minor

    @property
    def floor_minor(self) -> int:
        """What no discount takes a unit below."""
        return self.unit_price_minor if self.is_unpriced else min(self.unit_price_minor, self.minimum_price_minor)

    @property
    def room_minor(self) -> int:
        """How much can come off before the minimum price is reached."""
        return self.quantity * (self.unit_price_minor - self.floor_minor)

    def is_in_category(self, path: str) -> bool:
        """`Music/Jazz` holds `Music/Jazz` and `Music/Jazz/Vinyl`, not `Music/Jazzy`."""
        return self.category == path or self.category.startswith(path + "/")


@dataclass(frozen=True, slots=True)
class Shopper:
    """What is known of the customer: nothing of a stranger, `id` None for a guest who gave an email."""

    id: int | None = None
    has_email: bool = False
    #: Orders she paid before this one.
    orders: int = 0
    #: Numbers of the segments she is in.
    segments: frozenset[int] = frozenset()
    #: Of loyalty: `programme.tier`, by their keys.
    tiers: frozenset[str] = frozenset()

    @property
    def is_known(self) -> bool:
        return self.id is not None or self.has_email


@dataclass(frozen=True)
class Basket:
    """A basket in one currency; totals are always computed from the lines, never believed.

    `at` is the moment by the shop's clock, for offers of some days or hours; it is told, never read. `attributes` are
    the order's own: texts, numbers or yes and no.
    """

    currency: str
    lines: tuple[Line, ...]
    shipping_minor: int = 0
    country: str = ""
    channel: str = ""
    shopper: Shopper = Shopper()
    region: str = ""
    store: str = ""
    payment_method: str = ""
    attributes: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    at: dt.datetime | None = None

    @cached_property
    def goods_minor(self) -> int:
        return sum([line.amount_minor for line in self.lines])

    @property
    def total_minor(self) -> int:
        return self.goods_minor + self.shipping_minor


def amount_text(minor: int, currency: str) -> str:
    """`50.00 EUR`: how rules and reasons write money, the same in every language."""
    return f"{money.to_major(minor, currency):f} {currency}"


def amounts_text(amounts: Iterable[tuple[str, int]]) -> str:
    """`50.00 EUR / 60.00 USD`."""
    return " / ".join(amount_text(minor, currency) for currency, minor in amounts)
