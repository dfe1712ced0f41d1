"""What every effect is, what it answers, and why it may do nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import model_validator

from retention.incentives.baskets import amounts_text
from retention.incentives.carts import Cart
from retention.incentives.parts import Amounts, Part
from retention.incentives.scopes import Scope
from retention.incentives.sharing import Pile, Take, cut
from retention.refusals import Refusal, Refused


class NothingInScope(Refused):
    code = "incentives.nothing_in_scope"
    sentence = gettext_lazy("Nothing in the basket is what this offer is for.")


class AtMinimumPrice(Refused):
    code = "incentives.at_minimum_price"
    sentence = gettext_lazy("The products that this offer is for are at their lowest price already.")


class NoEffect(Refused):
    code = "incentives.no_effect"
    sentence = gettext_lazy("This offer takes less than the smallest coin off this basket.")


class NoShippingToPay(Refused):
    code = "incentives.no_shipping_to_pay"
    sentence = gettext_lazy("There is no shipping to pay for.")


class SetIncomplete(Refused):
    code = "incentives.set_incomplete"
    sentence = gettext_lazy("The basket has %(found)s of the %(quantity)s units that make a set of this offer.")


class FreeProductMissing(Refused):
    code = "incentives.free_product_missing"
    sentence = gettext_lazy("The basket has none of the products that would be free.")


class TierNotReached(Refused):
    code = "incentives.tier_not_reached"
    sentence = gettext_lazy("The basket is %(missing)s short of the first step of this offer, %(minimum)s.")


class TooFewForTier(Refused):
    code = "incentives.too_few_for_tier"
    sentence = gettext_lazy("The basket has %(found)s of the %(quantity)s units of this offer's first step.")


class NextTier(Refused):
    """No refusal, but a hint: a step is reached, and another one is in sight."""

    code = "incentives.next_tier"
    sentence = gettext_lazy("Add %(missing)s to save %(saves)s.")


class NextTierByUnits(Refused):
    """The same where steps begin at numbers of units."""

    code = "incentives.next_tier_by_units"
    sentence = gettext_lazy("Add %(n)s more to save %(saves)s.")


@dataclass(frozen=True)
class Taken:
    """What an effect takes off; `gives` where it gives something else besides."""

    takes: Sequence[Take] = ()
    shipping_minor: int = 0
    gives: bool = False


#: Nothing off, and something else instead.
GIVES = Taken(gives=True)


class Effect(Part):
    """One thing that an offer does: it takes something off the basket, or gives something else, a benefit."""

    #: Amounts off the whole come after percentages among offers of one priority, to the shopper's good.
    is_flat: ClassVar[bool] = False

    @property
    def currencies(self) -> list[Amounts]:
        """The amounts that name a basket's currency, or the whole offer is not for it."""
        return []

    @property
    def is_missing_amount(self) -> bool:
        """An amount that each grant's own terms should say, and do not."""
        return False

    def work(self, cart: Cart, *, is_initial: bool) -> Taken | Refusal:
        """What it does to the cart, or why nothing; where `is_initial`, percentages are of the first prices."""
        raise NotImplementedError

    def bound(self, cart: Cart) -> int:
        """No less than what it could take off any cart that comes of this first one, and give in money."""
        raise NotImplementedError

    def benefit(self, cart: Cart) -> dict[str, Any] | None:
        """What it gives beside the discount when the cart is final, as JSON; None for nothing.

        `amount_minor` is in the basket's currency and counts as worth so much to the shopper.
        """
        return None

    def hint(self, cart: Cart, *, is_initial: bool) -> Refusal | None:
        """What more it would do for a fuller cart, where it does something already."""
        return None

    def for_her(self, own: Mapping[str, Any]) -> Self:
        """The effect as one customer's own terms have it: `amounts`, `products`, `categories` where they say so."""
        return self

    def sentence(self) -> str:
        raise NotImplementedError


class GoodsEffect(Effect):
    """Takes something off goods in scope; `cap` is the most it may come to, by currency."""

    scope: Scope = Scope()
    cap: Amounts = {}

    @property
    def currencies(self) -> list[Amounts]:
        return [*self.scope.amounts, *([self.cap] if self.cap else [])]

    def work(self, cart: Cart, *, is_initial: bool) -> Taken | Refusal:
        cap = self.cap.get(cart.basket.currency)
        if self.scope.on == "shipping":
            off = self._off_shipping(cart, is_initial)
            off = off if cap is None else min(off, cap)
            return Taken(shipping_minor=off) if off else nothing_off_shipping(cart)
        piles = cart.piles(self.scope)
        if not piles:
            return nothing_in(cart, self.scope)
        takes = self._takes(cart, piles, is_initial)
        if isinstance(takes, Refusal):
            return takes
        if cap is not None:
            takes = cut(takes, cap)
        return Taken(takes) if takes else nothing_off(cart, piles)

    def bound(self, cart: Cart) -> int:
        if self.scope.on == "shipping":
            most = cart.shipping_minor
        else:
            most = cart.dearest_minor(self.scope, self.scope.units)
        return min(most, self.cap.get(cart.basket.currency, most))

    def for_her(self, own: Mapping[str, Any]) -> Self:
        return self.model_copy(update={"scope": her_scope(self.scope, own)})

    def _takes(self, cart: Cart, piles: list[Pile], is_initial: bool) -> list[Take] | Refusal:
        raise NotImplementedError

    def _off_shipping(self, cart: Cart, is_initial: bool) -> int:
        raise NotImplementedError

    def _cap_words(self) -> str:
        return _(", at most %(cap)s") % {"cap": amounts_text(self.cap.items())} if self.cap else ""


class UnitsOnly(GoodsEffect):
    """Works on goods, never on the shipping."""

    @model_validator(mode="after")
    def is_about_goods(self) -> Self:
        if self.scope.on == "shipping":
            raise ValueError("this is about goods, not about shipping")
        return self


def nothing_in(cart: Cart, scope: Scope) -> Refusal:
    costs = any(cart.goods.prices[at] for at in cart.goods.in_scope(scope))
    return (AtMinimumPrice() if costs else NothingInScope()).as_refusal()


def nothing_off(cart: Cart, piles: Sequence[Pile]) -> Refusal:
    has_room = any(left > cart.goods.floors[at] for at, left, _count in piles)
    return (NoEffect() if has_room else AtMinimumPrice()).as_refusal()


def nothing_off_shipping(cart: Cart) -> Refusal:
    return (NoEffect() if cart.shipping_minor else NoShippingToPay()).as_refusal()


def her_scope(scope: Scope, own: Mapping[str, Any]) -> Scope:
    """The scope with her own products and categories in place of the chosen ones, exclusions as they were."""
    products, categories = own.get("products", ()), own.get("categories", ())
    if scope.on == "shipping" or not (products or categories):
        return scope
    return scope.model_copy(update={"on": "lines", "products": products, "categories": categories, "tags": ()})
