"""Discounts on sets of units: buy so many and get some cheaper, bundles at a price, a product that comes free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import Field, model_validator

from retention.incentives.baskets import amounts_text
from retention.incentives.carts import Cart
from retention.incentives.parts import Amounts, Part, Points, Sku, Units, percent_text, some
from retention.incentives.rules.effects.base import (
    GIVES,
    AtMinimumPrice,
    Effect,
    FreeProductMissing,
    NoEffect,
    SetIncomplete,
    Taken,
    UnitsOnly,
    her_scope,
    nothing_off,
)
from retention.incentives.scopes import Scope
from retention.incentives.sets import Fit, best_times, first_units, missing_units, most_sets
from retention.incentives.sharing import Pile, Take, amount_takes, cut, percent_of, percent_takes
from retention.refusals import Refusal


class BuyGet(UnitsOnly):
    """For each `buy_quantity` units in scope, `get_quantity` units of `get` for so much less, the cheapest first.

    Without `get` the units of `scope` themselves get cheaper: 2 and 1 is "3 for the price of 2". A unit counts as
    bought or as got, never as both.
    """

    kind: Literal["buy_get"] = "buy_get"
    buy_quantity: Units
    get: Scope | None = None
    get_quantity: Units = 1
    basis_points: Points = 10_000
    most_times: Units | None = None

    @model_validator(mode="after")
    def counts_all_units(self) -> Self:
        for scope in filter(None, (self.scope, self.get)):
            if scope.units or scope.units_each or scope.on == "shipping":
                raise ValueError("sets are of goods, and say themselves how many units they take")
        return self

    @property
    def currencies(self) -> list[Amounts]:
        return [*super().currencies, *(self.get.amounts if self.get else [])]

    def bound(self, cart: Cart) -> int:
        _fits, _told, times = self._sets(cart)
        most = percent_of(cart.dearest_minor(self.get or self.scope, times * self.get_quantity), self.basis_points)
        return min(most, self.cap.get(cart.basket.currency, most))

    def work(self, cart: Cart, *, is_initial: bool) -> Taken | Refusal:
        fits, told, times = self._sets(cart)
        if not times:
            return incomplete(told, (self.buy_quantity, self.get_quantity))
        piles = self._got(fits, times)
        prices = cart.goods.prices if is_initial else None
        takes = percent_takes(self.basis_points, piles, cart.goods.floors, prices)
        cap = self.cap.get(cart.basket.currency)
        if cap is not None:
            takes = cut(takes, cap)
        return Taken(takes) if takes else nothing_off(cart, piles)

    def _sets(self, cart: Cart) -> tuple[list[tuple[int, Pile]], list[Fit], int]:
        """The units that could be bought (1), got (2) or either (3), the cheapest first; how many sets they make."""
        bought, got = set(cart.piles(self.scope)), set(cart.piles(self.get or self.scope))
        fits = [((pile in bought) + 2 * (pile in got), pile) for pile in sorted(bought | got, key=_cheapest)]
        told = [(fit, pile[2]) for fit, pile in fits]
        times = most_sets(told, (self.buy_quantity, self.get_quantity))
        return fits, told, min(times, self.most_times or times)

    def _got(self, fits: list[tuple[int, Pile]], times: int) -> list[Pile]:
        """The cheapest units that can be got while enough are left to be bought."""
        wanted = times * self.get_quantity
        bought_only = sum([pile[2] for fit, pile in fits if fit == 1])
        both = sum([pile[2] for fit, pile in fits if fit == 3])
        spare = both - max(0, times * self.buy_quantity - bought_only)
        piles = []
        for fit, (at, left, count) in fits:
            if not fit & 2:
                continue
            count = min(count, wanted, spare if fit == 3 else count)
            wanted -= count
            spare -= count if fit == 3 else 0
            if count:
                piles.append((at, left, count))
        return piles

    def for_her(self, own: Mapping[str, Any]) -> Self:
        if self.get is None:
            return super().for_her(own)
        return self.model_copy(update={"get": her_scope(self.get, own)})

    def sentence(self) -> str:
        words = {
            "buy": self.buy_quantity,
            "get": self.get_quantity,
            "what": self.scope.sentence(),
            "got": self.get.sentence() if self.get else _("the cheapest of them"),
            "percent": percent_text(self.basis_points),
        }
        if self.basis_points == 10_000:
            said = _("Buy %(buy)s of %(what)s, get %(get)s of %(got)s free") % words
        else:
            said = _("Buy %(buy)s of %(what)s, get %(get)s of %(got)s %(percent)s %% cheaper") % words
        return said + _times_words(self.most_times) + self._cap_words()


class BundlePart(Part):
    """So many units of some goods."""

    scope: Scope
    quantity: Units = 1

    @model_validator(mode="after")
    def counts_all_units(self) -> Self:
        if self.scope.units or self.scope.units_each or self.scope.on == "shipping":
            raise ValueError("a bundle's part is of goods, and says itself how many units it takes")
        return self


class BundlePrice(Effect):
    """A bundle of parts for a price, as often as whole bundles are in the basket, the dearest units first.

    A bundle that would cost more than its units is not made.
    """

    kind: Literal["bundle_price"] = "bundle_price"
    parts: Annotated[tuple[BundlePart, ...], Field(min_length=1, max_length=6)]
    amounts: Annotated[Amounts, Field(min_length=1)]
    most_times: Units | None = None

    @property
    def currencies(self) -> list[Amounts]:
        return [self.amounts, *[amounts for part in self.parts for amounts in part.scope.amounts]]

    def bound(self, cart: Cart) -> int:
        places = {at for part in self.parts for at in cart.goods.in_scope(part.scope)}
        return sum([cart.goods.lines[at].room_minor for at in places])

    def work(self, cart: Cart, *, is_initial: bool) -> Taken | Refusal:
        fits: dict[Pile, int] = {}
        for bit, part in enumerate(self.parts):
            for pile in cart.piles(part.scope):
                fits[pile] = fits.get(pile, 0) | 1 << bit
        piles = sorted(fits, key=_dearest)
        told = [(fits[pile], pile[2]) for pile in piles]
        quantities = [part.quantity for part in self.parts]
        most = min(most_sets(told, quantities), self.most_times or 10**9)
        if not most:
            return incomplete(told, quantities)
        price = self.amounts[cart.basket.currency]

        def saved(times: int) -> int:
            taken = first_units(told, quantities, times)
            return sum([pile[1] * count for pile, count in zip(piles, taken, strict=True)]) - price * times

        times = best_times(most, saved)
        if not times:
            return NoEffect().as_refusal()
        taken = first_units(told, quantities, times)
        bundled = [(at, left, count) for (at, left, _), count in zip(piles, taken, strict=True) if count]
        takes = amount_takes(saved(times), bundled, cart.goods.floors)
        return Taken(takes) if takes else AtMinimumPrice().as_refusal()

    def sentence(self) -> str:
        parts = " + ".join(f"{part.quantity} × {part.scope.sentence()}" for part in self.parts)
        words = {"parts": parts, "amount": amounts_text(self.amounts.items())}
        return _("%(parts)s for %(amount)s") % words + _times_words(self.most_times)


class FreeProduct(Effect):
    """So many units of a product are free, the cheapest of those named first.

    `adds` says what the shop puts into the basket besides, for nothing: no units, those that are missing, or all.
    """

    kind: Literal["free_product"] = "free_product"
    products: Annotated[tuple[Sku, ...], Field(min_length=1, max_length=50)]
    quantity: Units = 1
    adds: Literal["nothing", "missing", "all"] = "missing"

    def work(self, cart: Cart, *, is_initial: bool) -> Taken | Refusal:
        if self.adds == "all":
            return GIVES
        found = sum([pile[2] for pile in self._piles(cart)])
        if not found and self.adds == "nothing":
            return FreeProductMissing(products=list(self.products), found=0, quantity=1).as_refusal()
        takes = self._takes(cart)
        if not takes and not self._missing(cart):
            return AtMinimumPrice().as_refusal()
        return Taken(takes, gives=bool(self._missing(cart)))

    def bound(self, cart: Cart) -> int:
        return 0 if self.adds == "all" else sum([line.room_minor for line in self._lines(cart)])

    def benefit(self, cart: Cart) -> dict[str, Any] | None:
        missing = self._missing(cart)
        return {"kind": self.kind, "products": list(self.products), "quantity": missing} if missing else None

    def for_her(self, own: Mapping[str, Any]) -> Self:
        return self.model_copy(update={"products": tuple(own["products"])}) if own.get("products") else self

    def _missing(self, cart: Cart) -> int:
        if self.adds == "all":
            return self.quantity
        there = sum([line.quantity for line in self._lines(cart)])
        return max(0, self.quantity - there) if self.adds == "missing" else 0

    def _lines(self, cart: Cart) -> list[Any]:
        return [line for line in cart.goods.lines if line.sku in self.products]

    def _piles(self, cart: Cart) -> list[Pile]:
        return [
            (at, left, count)
            for at, line in enumerate(cart.goods.lines)
            if line.sku in self.products
            for left, count in cart.units[at]
            if left
        ]

    def _takes(self, cart: Cart) -> list[Take]:
        takes, wanted = [], self.quantity
        for at, left, count in sorted(self._piles(cart), key=_cheapest):
            count = min(count, wanted)
            wanted -= count
            if off := max(0, left - cart.goods.floors[at]) * count:
                takes.append((at, left, count, off))
        return takes

    def sentence(self) -> str:
        return _("%(quantity)s × %(products)s free") % {"quantity": self.quantity, "products": some(self.products)}


def incomplete(fits: Sequence[Fit], parts: Sequence[int]) -> Refusal:
    quantity = sum(parts)
    return SetIncomplete(found=quantity - missing_units(fits, parts), quantity=quantity).as_refusal()


def _cheapest(pile: Pile) -> tuple[int, int]:
    return pile[1], pile[0]


def _dearest(pile: Pile) -> tuple[int, int]:
    return -pile[1], pile[0]


def _times_words(times: int | None) -> str:
    return ", " + ngettext("once", "up to %(n)s times", times) % {"n": times} if times else ""
