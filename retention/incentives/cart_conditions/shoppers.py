"""Conditions on the shopper: how often she bought, and what she belongs to."""

from __future__ import annotations

from typing import Annotated, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field, model_validator

from retention.incentives.cart_conditions.base import CartCondition, CustomerUnknown
from retention.incentives.carts import Cart
from retention.incentives.parts import Word, some
from retention.refusals import Refusal, Refused


class NotFirstOrder(Refused):
    code = "incentives.not_first_order"
    sentence = gettext_lazy("This offer is for the first order; the customer has bought %(orders)s times before.")


class OtherOrderNumber(Refused):
    code = "incentives.other_order_number"
    sentence = gettext_lazy("This is order number %(number)s of the customer; the offer is for others.")


class NotInSegment(Refused):
    code = "incentives.not_in_segment"
    sentence = gettext_lazy("This offer is for other customers.")


class OtherTier(Refused):
    code = "incentives.other_tier"
    sentence = gettext_lazy("This offer is for customers of another tier.")


class FirstOrder(CartCondition):
    """The shopper has bought nothing yet; a guest is known by her email."""

    kind: Literal["first_order"] = "first_order"

    def refusal(self, cart: Cart) -> Refusal | None:
        shopper = cart.basket.shopper
        if not shopper.is_known:
            return CustomerUnknown().as_refusal()
        return NotFirstOrder(orders=shopper.orders).as_refusal() if shopper.orders else None

    def sentence(self) -> str:
        return _("first order only")


class NthOrder(CartCondition):
    """It is one of these paid orders of the shopper (2 is her second), or every so many; a guest counts by email."""

    kind: Literal["nth_order"] = "nth_order"
    numbers: Annotated[tuple[Annotated[int, Field(ge=1, le=10_000)], ...], Field(max_length=50)] = ()
    every: Annotated[int, Field(ge=2, le=1_000)] | None = None

    @model_validator(mode="after")
    def says_which(self) -> NthOrder:
        if not self.numbers and not self.every:
            raise ValueError("say which orders")
        return self

    def refusal(self, cart: Cart) -> Refusal | None:
        shopper = cart.basket.shopper
        if not shopper.is_known:
            return CustomerUnknown().as_refusal()
        number = shopper.orders + 1
        if number in self.numbers or self.every and number % self.every == 0:
            return None
        return OtherOrderNumber(number=number).as_refusal()

    def sentence(self) -> str:
        words = [_("order number %(numbers)s") % {"numbers": some(self.numbers)}] if self.numbers else []
        words += [_("every %(n)s orders") % {"n": self.every}] if self.every else []
        return _(" and ").join(words)


class InSegments(CartCondition):
    """The shopper is in at least one of these segments, or where `is_out` in none; a stranger is in none.

    `segments` are their numbers, `names` what sentences call them.
    """

    kind: Literal["in_segments"] = "in_segments"
    segments: Annotated[tuple[int, ...], Field(min_length=1, max_length=50)]
    names: Annotated[tuple[Annotated[str, Field(max_length=120)], ...], Field(max_length=50)] = ()
    is_out: bool = False

    def refusal(self, cart: Cart) -> Refusal | None:
        shopper = cart.basket.shopper
        if not shopper.is_known:
            return CustomerUnknown().as_refusal()
        is_in = not shopper.segments.isdisjoint(self.segments)
        return NotInSegment().as_refusal() if is_in == self.is_out else None

    def sentence(self) -> str:
        named = some(self.names or tuple(f"№ {number}" for number in self.segments))
        return (_("customers not in %(names)s") if self.is_out else _("customers in %(names)s")) % {"names": named}


class InTiers(CartCondition):
    """The shopper is in one of these loyalty tiers, each named `programme.tier` by their keys."""

    kind: Literal["in_tiers"] = "in_tiers"
    tiers: Annotated[tuple[Word, ...], Field(min_length=1, max_length=50)]

    def refusal(self, cart: Cart) -> Refusal | None:
        shopper = cart.basket.shopper
        if not shopper.is_known:
            return CustomerUnknown().as_refusal()
        return OtherTier().as_refusal() if shopper.tiers.isdisjoint(self.tiers) else None

    def sentence(self) -> str:
        return _("for tier %(tiers)s") % {"tiers": some(self.tiers)}
