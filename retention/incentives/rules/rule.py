"""The whole of what an incentive is, as the JSON of its version: what it gives, to whom, how often, until when."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Self

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from pydantic import Field, StringConstraints, model_validator

from retention.incentives.cart_conditions import CartCondition, Condition, MinimumAmount
from retention.incentives.parts import Part
from retention.incentives.rules.codes import EXPECTED_CODES, CodeSettings, UniqueCodes, Validity
from retention.incentives.rules.effects import Effect
from retention.incentives.rules.limits import Limits
from retention.incentives.rules.stacking import Stackable
from retention.refusals import Refused


class IncentiveRule(Part):
    """The whole rule: what it does, one effect after the other, where all its conditions hold."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    effects: Annotated[tuple[Effect, ...], Field(min_length=1, max_length=5)]
    conditions: Annotated[tuple[Condition, ...], Field(max_length=20)] = ()
    limits: Limits = Limits()
    codes: CodeSettings = UniqueCodes()
    validity: Validity = Validity()
    stacking: Stackable = Stackable()

    @model_validator(mode="after")
    def parts_fit(self) -> IncentiveRule:
        if any(effect in self.effects[:at] for at, effect in enumerate(self.effects)):
            raise ValueError("the same effect is there twice")
        if any(condition in self.conditions[:at] for at, condition in enumerate(self.conditions)):
            raise ValueError("the same condition is asked twice")
        if self.currencies is not None and not self.currencies:
            raise ValueError("no basket could have it: its amounts have no currency in common")
        self._check_tickets()
        if isinstance(self.codes, UniqueCodes):
            self._check_unique_codes(self.codes)
        elif self.validity.hours_after_given:
            raise ValueError("a public code is given to nobody, so its hours would never begin")
        elif self.is_from_grant:
            raise ValueError("an amount set for each customer needs one code for each customer")
        return self

    def _check_tickets(self) -> None:
        tickets = [effect for effect in self.effects if getattr(effect, "is_ticket", False)]
        if len(tickets) > 1:
            raise ValueError("one code is checked in once, so it is the ticket of one thing")

    def _check_unique_codes(self, codes: UniqueCodes) -> None:
        if not codes.is_from_pool:
            try:
                codes.as_pattern.check_space(self.limits.issued or EXPECTED_CODES)
            except Refused as refused:
                raise ValueError(str(refused)) from None

    @cached_property
    def currencies(self) -> frozenset[str] | None:
        """The currencies of the baskets that it can be for: all its amounts name them. None is any."""
        parts = (*self.effects, *self.conditions)
        named = [frozenset(amounts) for part in parts for amounts in part.currencies]
        if self.limits.money:
            named.append(frozenset([self.limits.money.currency]))
        return frozenset.intersection(*named) if named else None

    @cached_property
    def is_missing_amount(self) -> bool:
        """Each grant's own terms should say an amount, and none do."""
        return any(effect.is_missing_amount for effect in self.effects)

    @cached_property
    def asked(self) -> dict[str, tuple[CartCondition, ...]]:
        """The conditions by the basket that they ask of: `initial`, `before`, `after`."""
        asked: dict[str, tuple[CartCondition, ...]] = {}
        for condition in self.conditions:
            asked[condition.meaning] = (*asked.get(condition.meaning, ()), condition)
        return asked

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        copied = super().model_copy(update=update, deep=deep)
        # What was worked out of the original's parts need not hold for the copy's.
        for name in ("currencies", "is_missing_amount", "asked", "uses_per_customer"):
            copied.__dict__.pop(name, None)
        return copied

    @property
    def minimum(self) -> MinimumAmount | None:
        """What the basket must be worth as it comes, if anything."""
        asked = (c for c in self.conditions if isinstance(c, MinimumAmount))
        return next((c for c in asked if c.when == "initial" and c.scope.on == "order"), None)

    @property
    def is_from_grant(self) -> bool:
        return any(getattr(effect, "is_from_grant", False) for effect in self.effects)

    @cached_property
    def uses_per_customer(self) -> int | None:
        """How often one customer may use it; what is for the first order is once, however fast she orders twice."""
        is_first_order = any(condition.kind == "first_order" for condition in self.conditions)
        return 1 if is_first_order else self.limits.per_customer

    @property
    def uses_per_code(self) -> int | None:
        """How often one code may be used: as the limits say; without them a unique one once, a public one for ever."""
        return self.limits.per_code or (1 if self.codes.kind == "unique" else None)


def sentence(rule: IncentiveRule) -> str:
    """The rule in the marketer's words: "20 % off Shoes, from 50.00 EUR, first 500 shoppers, once per customer"."""
    words = [_(" and ").join(effect.sentence() for effect in rule.effects)]
    words += [condition.sentence() for condition in rule.conditions]
    words += rule.limits.sentences()
    words += rule.stacking.sentences()
    words += rule.validity.sentences()
    if rule.codes.kind == "unique" and rule.codes.applies_by_itself:
        words.append(_("at her next order by itself"))
    return capfirst(", ".join(words))
