"""Conditions on the goods of a basket: what they are worth, how many, which ones."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field, model_validator

from retention.incentives.baskets import amount_text, amounts_text
from retention.incentives.cart_conditions.base import CartCondition
from retention.incentives.carts import Cart
from retention.incentives.parts import Amounts, Category, Sku, Units, some
from retention.incentives.scopes import Scope
from retention.refusals import Refusal, Refused

EVERYTHING = Scope()


class BelowMinimum(Refused):
    code = "incentives.below_minimum"
    sentence = gettext_lazy("The basket is %(missing)s short of the %(minimum)s that this offer begins at.")


class AboveMaximum(Refused):
    code = "incentives.above_maximum"
    sentence = gettext_lazy("The basket is %(over)s above the %(maximum)s that this offer ends at.")


class TooFew(Refused):
    code = "incentives.too_few"
    sentence = gettext_lazy("The basket has %(found)s of the %(quantity)s units that this offer begins at.")


class TooMany(Refused):
    code = "incentives.too_many"
    sentence = gettext_lazy("The basket has %(found)s units, more than the %(quantity)s that this offer ends at.")


class ProductMissing(Refused):
    code = "incentives.product_missing"
    sentence = gettext_lazy("The basket has %(found)s of the %(quantity)s products that this offer asks for.")


class CategoryMissing(Refused):
    code = "incentives.category_missing"
    sentence = gettext_lazy("The basket has %(found)s of the %(quantity)s products from %(categories)s.")


class OfGoods(CartCondition):
    """A condition on some of the goods, the whole order where nothing is said."""

    scope: Scope = EVERYTHING

    @model_validator(mode="after")
    def asks_of_goods(self) -> OfGoods:
        if self.scope.on == "shipping" or self.scope.units or self.scope.units_each:
            raise ValueError("a condition is about goods, all units of them")
        return self

    def _of_what(self) -> str:
        return "" if self.scope == EVERYTHING else " " + _("of %(what)s") % {"what": self.scope.sentence()}


class OfWorth(OfGoods):
    """What the goods in scope are worth without shipping; an amount in three meanings.

    `initial`: as the basket came; `before`: what earlier offers left of it; `after`: what this offer itself leaves.
    """

    amounts: Annotated[Amounts, Field(min_length=1)]
    when: Literal["initial", "before", "after"] = "initial"

    @property
    def meaning(self) -> str:
        return self.when

    @property
    def currencies(self) -> list[Amounts]:
        return [self.amounts, *self.scope.amounts]

    def _worth(self, cart: Cart) -> int:
        if self.when == "initial":
            return (
                cart.basket.goods_minor
                if self.scope == EVERYTHING
                else sum([cart.goods.lines[at].amount_minor for at in cart.goods.in_scope(self.scope)])
            )
        return (
            cart.goods_minor
            if self.scope == EVERYTHING
            else sum([left * count for _at, left, count in cart.piles(self.scope)])
        )

    def _when_words(self) -> str:
        words = {"initial": "", "before": _("after other offers"), "after": _("after this discount")}[self.when]
        return words and " " + words


class MinimumAmount(OfWorth):
    """The goods in scope are worth at least so much."""

    kind: Literal["minimum_amount"] = "minimum_amount"
    is_near_miss: ClassVar[bool] = True

    def refusal(self, cart: Cart) -> Refusal | None:
        currency = cart.basket.currency
        minimum = self.amounts[currency]
        missing = minimum - self._worth(cart)
        if missing <= 0:
            return None
        return BelowMinimum(
            missing=amount_text(missing, currency),
            missing_minor=missing,
            minimum=amount_text(minimum, currency),
            minimum_minor=minimum,
            currency=currency,
        ).as_refusal()

    def sentence(self) -> str:
        amounts = amounts_text(self.amounts.items())
        return _("from %(amounts)s") % {"amounts": amounts} + self._of_what() + self._when_words()


class MaximumAmount(OfWorth):
    """The goods in scope are worth at most so much."""

    kind: Literal["maximum_amount"] = "maximum_amount"

    def refusal(self, cart: Cart) -> Refusal | None:
        currency = cart.basket.currency
        maximum = self.amounts[currency]
        over = self._worth(cart) - maximum
        if over <= 0:
            return None
        return AboveMaximum(
            over=amount_text(over, currency),
            over_minor=over,
            maximum=amount_text(maximum, currency),
            maximum_minor=maximum,
            currency=currency,
        ).as_refusal()

    def sentence(self) -> str:
        amounts = amounts_text(self.amounts.items())
        return _("up to %(amounts)s") % {"amounts": amounts} + self._of_what() + self._when_words()


class MinimumQuantity(OfGoods):
    """At least so many units in scope are in the basket."""

    kind: Literal["minimum_quantity"] = "minimum_quantity"
    quantity: Units
    is_near_miss: ClassVar[bool] = True

    @property
    def currencies(self) -> list[Amounts]:
        return self.scope.amounts

    def refusal(self, cart: Cart) -> Refusal | None:
        found = _quantity(cart, self.scope)
        return None if found >= self.quantity else TooFew(found=found, quantity=self.quantity).as_refusal()

    def sentence(self) -> str:
        return _("from %(quantity)s units") % {"quantity": self.quantity} + self._of_what()


class MaximumQuantity(OfGoods):
    """At most so many units in scope are in the basket."""

    kind: Literal["maximum_quantity"] = "maximum_quantity"
    quantity: Units

    @property
    def currencies(self) -> list[Amounts]:
        return self.scope.amounts

    def refusal(self, cart: Cart) -> Refusal | None:
        found = _quantity(cart, self.scope)
        return None if found <= self.quantity else TooMany(found=found, quantity=self.quantity).as_refusal()

    def sentence(self) -> str:
        return _("up to %(quantity)s units") % {"quantity": self.quantity} + self._of_what()


class HasProducts(CartCondition):
    """At least `quantity` units of any of these products are in the basket."""

    kind: Literal["has_products"] = "has_products"
    products: Annotated[tuple[Sku, ...], Field(min_length=1, max_length=500)]
    quantity: Annotated[int, Field(ge=1, le=10_000)] = 1
    is_near_miss: ClassVar[bool] = True

    def refusal(self, cart: Cart) -> Refusal | None:
        found = sum([line.quantity for line in cart.goods.lines if line.sku in self.products])
        if found >= self.quantity:
            return None
        return ProductMissing(products=list(self.products), found=found, quantity=self.quantity).as_refusal()

    def sentence(self) -> str:
        return _("with %(quantity)s of %(products)s") % {
            "quantity": self.quantity,
            "products": some(self.products),
        }


class HasCategories(CartCondition):
    """At least `quantity` units from any of these categories, or those below them, are in the basket."""

    kind: Literal["has_categories"] = "has_categories"
    categories: Annotated[tuple[Category, ...], Field(min_length=1, max_length=100)]
    quantity: Annotated[int, Field(ge=1, le=10_000)] = 1
    is_near_miss: ClassVar[bool] = True

    def refusal(self, cart: Cart) -> Refusal | None:
        found = sum(
            [line.quantity for line in cart.goods.lines if any(line.is_in_category(path) for path in self.categories)]
        )
        if found >= self.quantity:
            return None
        return CategoryMissing(categories=some(self.categories), found=found, quantity=self.quantity).as_refusal()

    def sentence(self) -> str:
        return _("with %(quantity)s from %(categories)s") % {
            "quantity": self.quantity,
            "categories": some(self.categories),
        }


def _quantity(cart: Cart, scope: Scope) -> int:
    return sum([cart.goods.lines[at].quantity for at in cart.goods.in_scope(scope)])
