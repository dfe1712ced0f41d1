"""Spend more, save more: the highest step that the goods reach says what comes off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import Field, model_validator

from retention.incentives.baskets import amount_text, amounts_text
from retention.incentives.carts import Cart
from retention.incentives.parts import Amounts, Part, Points, Units, percent_text
from retention.incentives.rules.effects.base import (
    NextTier,
    NextTierByUnits,
    TierNotReached,
    TooFewForTier,
    UnitsOnly,
)
from retention.incentives.sharing import Pile, Take, amount_takes, percent_takes
from retention.refusals import Refusal


class Step(Part):
    """From this worth (`from_amounts`) or this many units (`from_quantity`) on: a percentage or an amount off."""

    from_amounts: Amounts = {}
    from_quantity: Units | None = None
    basis_points: Points | None = None
    off: Amounts = {}

    @model_validator(mode="after")
    def says_from_where_and_how_much(self) -> Step:
        if bool(self.from_amounts) == bool(self.from_quantity):
            raise ValueError("say from which amount or from how many units on")
        if bool(self.basis_points) == bool(self.off):
            raise ValueError("say a percentage or an amount")
        return self

    def saves(self, currency: str) -> str:
        if self.basis_points:
            return _("%(percent)s %%") % {"percent": percent_text(self.basis_points)}
        return amount_text(self.off[currency], currency)

    def sentence(self) -> str:
        if self.basis_points:
            much = _("%(percent)s %%") % {"percent": percent_text(self.basis_points)}
        else:
            much = amounts_text(self.off.items())
        if self.from_quantity:
            start = ngettext("1 unit", "%(n)s units", self.from_quantity) % {"n": self.from_quantity}
        else:
            start = amounts_text(self.from_amounts.items())
        return _("%(much)s from %(start)s") % {"much": much, "start": start}


class Tiers(UnitsOnly):
    """The highest step that the goods in scope reach holds for all of them.

    What they are worth is what earlier offers left, or what they cost at first where the offer counts from there.
    """

    kind: Literal["tiers"] = "tiers"
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=10)]

    @model_validator(mode="after")
    def steps_are_of_one_kind(self) -> Tiers:
        if len({bool(step.from_quantity) for step in self.steps}) > 1:
            raise ValueError("steps begin all at amounts or all at numbers of units")
        if len({frozenset(step.from_amounts) for step in self.steps}) > 1:
            raise ValueError("name the same currencies in every step")
        return self

    @property
    def currencies(self) -> list[Amounts]:
        named = [amounts for step in self.steps for amounts in (step.from_amounts, step.off) if amounts]
        return [*super().currencies, *named]

    def _takes(self, cart: Cart, piles: list[Pile], is_initial: bool) -> list[Take] | Refusal:
        currency, prices = cart.basket.currency, cart.goods.prices if is_initial else None
        reached = self._reached(piles, prices)
        begun = [step for start, step in self._starts(currency) if start <= reached]
        if not begun:
            return self._missing(reached, currency)
        step = begun[-1]
        if step.basis_points:
            return percent_takes(step.basis_points, piles, cart.goods.floors, prices)
        return amount_takes(step.off[currency], piles, cart.goods.floors)

    def hint(self, cart: Cart, *, is_initial: bool) -> Refusal | None:
        currency = cart.basket.currency
        reached = self._reached(cart.piles(self.scope), cart.goods.prices if is_initial else None)
        ahead = [(start, step) for start, step in self._starts(currency) if start > reached]
        if not ahead:
            return None
        start, step = ahead[0]
        saves = step.saves(currency)
        if step.from_quantity:
            return NextTierByUnits(n=start - reached, quantity=start, saves=saves).as_refusal()
        return NextTier(
            missing=amount_text(start - reached, currency),
            missing_minor=start - reached,
            minimum_minor=start,
            currency=currency,
            saves=saves,
        ).as_refusal()

    def _reached(self, piles: list[Pile], prices: Sequence[int] | None) -> int:
        """How many units there are, or what they are worth: as they are now, or by these first prices."""
        if self.steps[0].from_quantity:
            return sum([count for _at, _left, count in piles])
        return sum([(left if prices is None else prices[at]) * count for at, left, count in piles])

    def _starts(self, currency: str) -> list[tuple[int, Step]]:
        starts = [(step.from_quantity or step.from_amounts[currency], step) for step in self.steps]
        return sorted(starts, key=lambda start: start[0])

    def _missing(self, reached: int, currency: str) -> Refusal:
        start = self._starts(currency)[0][0]
        if self.steps[0].from_quantity:
            return TooFewForTier(found=reached, quantity=start).as_refusal()
        return TierNotReached(
            missing=amount_text(start - reached, currency),
            missing_minor=start - reached,
            minimum=amount_text(start, currency),
            minimum_minor=start,
            currency=currency,
        ).as_refusal()

    def sentence(self) -> str:
        steps = ", ".join(step.sentence() for step in self.steps)
        return _("%(steps)s, off %(what)s") % {"what": self.scope.sentence(), "steps": steps} + self._cap_words()
