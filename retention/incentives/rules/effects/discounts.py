"""The plain discounts: a percentage, an amount, a fixed price, free shipping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from django.utils.translation import gettext as _
from pydantic import Field, model_validator

from retention.incentives.baskets import amounts_text
from retention.incentives.carts import Cart
from retention.incentives.parts import Amounts, Currency, Points, percent_text
from retention.incentives.rules.effects.base import Effect, GoodsEffect, Taken, nothing_off_shipping
from retention.incentives.sharing import Pile, Take, amount_takes, percent_of, percent_takes
from retention.refusals import Refusal


class PercentOff(GoodsEffect):
    """So many hundredths of a percent off what is in scope."""

    kind: Literal["percent"] = "percent"
    basis_points: Points

    def bound(self, cart: Cart) -> int:
        most = super().bound(cart)
        if self.scope.on == "shipping":
            return min(most, percent_of(cart.shipping_minor, self.basis_points))
        return min(most, percent_of(cart.dearest_minor(self.scope, self.scope.units), self.basis_points))

    def _takes(self, cart: Cart, piles: list[Pile], is_initial: bool) -> list[Take]:
        return percent_takes(self.basis_points, piles, cart.goods.floors, cart.goods.prices if is_initial else None)

    def _off_shipping(self, cart: Cart, is_initial: bool) -> int:
        base = cart.basket.shipping_minor if is_initial else cart.shipping_minor
        return min(cart.shipping_minor, percent_of(base, self.basis_points))

    def sentence(self) -> str:
        words = {"percent": percent_text(self.basis_points), "what": self.scope.sentence()}
        return _("%(percent)s %% off %(what)s") % words + self._cap_words()


class AmountOff(GoodsEffect):
    """An amount off what is in scope together, or off each unit of it.

    Where `is_from_grant`, each grant's own terms say how much. An amount off goods together is split over them by
    what they cost, or by how many there are.
    """

    kind: Literal["amount"] = "amount"
    amounts: Amounts = {}
    is_from_grant: bool = False
    is_per_unit: bool = False
    split: Literal["amount", "quantity"] = "amount"
    is_flat: ClassVar[bool] = True

    @model_validator(mode="after")
    def says_how_much(self) -> AmountOff:
        if not self.amounts and not self.is_from_grant:
            raise ValueError("say how much, in at least one currency")
        if self.is_per_unit and self.scope.on == "shipping":
            raise ValueError("shipping has no units")
        return self

    @property
    def currencies(self) -> list[Amounts]:
        return [*super().currencies, *([self.amounts] if self.amounts else [])]

    @property
    def is_missing_amount(self) -> bool:
        return not self.amounts

    def bound(self, cart: Cart) -> int:
        most = super().bound(cart)
        return most if self.is_per_unit else min(most, self.amounts[cart.basket.currency])

    def for_her(self, own: Mapping[str, Any]) -> Self:
        changed = super().for_her(own)
        if self.is_from_grant and own.get("amounts"):
            changed = changed.model_copy(update={"amounts": own["amounts"]})
        return changed

    def _takes(self, cart: Cart, piles: list[Pile], is_initial: bool) -> list[Take]:
        amount, floors = self.amounts[cart.basket.currency], cart.goods.floors
        if not self.is_per_unit:
            return amount_takes(amount, piles, floors, by_quantity=self.split == "quantity")
        offs = [(pile, min(amount, max(0, pile[1] - floors[pile[0]]))) for pile in piles]
        return [(*pile, off * pile[2]) for pile, off in offs if off]

    def _off_shipping(self, cart: Cart, is_initial: bool) -> int:
        return min(cart.shipping_minor, self.amounts[cart.basket.currency])

    def sentence(self) -> str:
        amount = amounts_text(self.amounts.items()) if self.amounts else _("An amount set for each customer")
        words = {"amount": amount, "what": self.scope.sentence()}
        said = _("%(amount)s off each unit of %(what)s") if self.is_per_unit else _("%(amount)s off %(what)s")
        return said % words + self._cap_words()


class FixedPrice(GoodsEffect):
    """Each unit in scope costs so much, or where `is_together` all of them do; what costs less stays as it is."""

    kind: Literal["fixed_price"] = "fixed_price"
    amounts: Annotated[dict[Currency, Annotated[int, Field(ge=0, le=10**12)]], Field(min_length=1)]
    is_together: bool = False

    @property
    def currencies(self) -> list[Amounts]:
        return [*super().currencies, self.amounts]

    def _takes(self, cart: Cart, piles: list[Pile], is_initial: bool) -> list[Take]:
        price, floors = self.amounts[cart.basket.currency], cart.goods.floors
        if self.is_together:
            total = sum([left * count for _at, left, count in piles])
            return amount_takes(total - price, piles, floors) if total > price else []
        offs = [(pile, max(0, pile[1] - max(price, floors[pile[0]]))) for pile in piles]
        return [(*pile, off * pile[2]) for pile, off in offs if off]

    def _off_shipping(self, cart: Cart, is_initial: bool) -> int:
        return max(0, cart.shipping_minor - self.amounts[cart.basket.currency])

    def sentence(self) -> str:
        words = {"amount": amounts_text(self.amounts.items()), "what": self.scope.sentence()}
        if self.is_together or self.scope.on == "shipping":
            return _("%(what)s for %(amount)s") % words + self._cap_words()
        return _("%(what)s for %(amount)s each") % words + self._cap_words()


class FreeShipping(Effect):
    """The shipping is free; `cap` is the most that is paid for it, by currency."""

    kind: Literal["free_shipping"] = "free_shipping"
    cap: Amounts = {}

    @property
    def currencies(self) -> list[Amounts]:
        return [self.cap] if self.cap else []

    def work(self, cart: Cart, *, is_initial: bool) -> Taken | Refusal:
        off = self.bound(cart)
        return Taken(shipping_minor=off) if off else nothing_off_shipping(cart)

    def bound(self, cart: Cart) -> int:
        return min(cart.shipping_minor, self.cap.get(cart.basket.currency, cart.shipping_minor))

    def sentence(self) -> str:
        words = _("Free shipping")
        return words + (_(" up to %(cap)s") % {"cap": amounts_text(self.cap.items())} if self.cap else "")
