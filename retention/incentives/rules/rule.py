"""The whole of what an incentive is, as the JSON of its version: what it gives, to whom, how often, until when."""

from __future__ import annotations

from typing import Annotated

from django.utils.translation import gettext as _
from pydantic import Field, StringConstraints, model_validator

from retention.incentives.cart_conditions import Condition, MinimumAmount, Part
from retention.incentives.rules.codes import EXPECTED_CODES, CodeSettings, UniqueCodes, Validity
from retention.incentives.rules.effects import Effect, FreeShipping
from retention.incentives.rules.limits import Limits
from retention.refusals import Refused


class IncentiveRule(Part):
    """The whole rule: one effect on the goods, one on the shipping, or both; all its conditions must hold."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    effects: Annotated[tuple[Effect, ...], Field(min_length=1, max_length=2)]
    conditions: Annotated[tuple[Condition, ...], Field(max_length=20)] = ()
    limits: Limits = Limits()
    codes: CodeSettings = UniqueCodes()
    validity: Validity = Validity()

    @model_validator(mode="after")
    def parts_fit(self) -> IncentiveRule:
        if len({isinstance(effect, FreeShipping) for effect in self.effects}) != len(self.effects):
            raise ValueError("give one discount on the goods and one on the shipping at the most")
        kinds = [condition.kind for condition in self.conditions]
        if len(set(kinds)) != len(kinds):
            raise ValueError("each kind of condition can be asked once")
        if isinstance(self.codes, UniqueCodes):
            self._check_unique_codes(self.codes)
        elif self.validity.hours_after_given:
            raise ValueError("a public code is given to nobody, so its hours would never begin")
        elif any(effect.kind == "amount" and effect.is_from_grant for effect in self.effects):
            raise ValueError("an amount set for each customer needs one code for each customer")
        self._check_budget()
        return self

    def _check_unique_codes(self, codes: UniqueCodes) -> None:
        if not codes.is_from_pool:
            try:
                codes.as_pattern.check_space(self.limits.issued or EXPECTED_CODES)
            except Refused as refused:
                raise ValueError(str(refused)) from None

    def _check_budget(self) -> None:
        budget = self.limits.money
        for effect in self.effects:
            if budget and effect.kind == "amount" and effect.amounts and budget.currency not in effect.amounts:
                raise ValueError(f"the budget is in {budget.currency}, and the discount has no amount in it")

    @property
    def minimum(self) -> MinimumAmount | None:
        return next((c for c in self.conditions if isinstance(c, MinimumAmount)), None)

    @property
    def is_from_grant(self) -> bool:
        return any(effect.kind == "amount" and effect.is_from_grant for effect in self.effects)

    @property
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
    words += rule.validity.sentences()
    return ", ".join(words)
