"""What was decided for one customer, and the rule as it holds for her."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from retention.incentives.parts import Category, Currency, Part, Sku
from retention.incentives.rules.rule import IncentiveRule


class Terms(Part):
    """What was decided for one customer and frozen on her grant."""

    amount_minor: Annotated[int, Field(gt=0, le=10**12)] | None = None
    currency: Currency | None = None
    products: Annotated[tuple[Sku, ...], Field(max_length=500)] = ()
    categories: Annotated[tuple[Category, ...], Field(max_length=100)] = ()

    @model_validator(mode="after")
    def amount_names_its_currency(self) -> Terms:
        if (self.amount_minor is None) != (self.currency is None):
            raise ValueError("an amount names its currency")
        return self


def with_terms(rule: IncentiveRule, terms: Mapping[str, Any]) -> IncentiveRule:
    """The rule as it holds for one grant: its own amount in place of "set for each customer", her goods as scope."""
    if not terms:
        return rule
    own = Terms.model_validate(terms)
    told: dict[str, Any] = {"products": own.products, "categories": own.categories}
    if own.currency:
        told["amounts"] = {own.currency: own.amount_minor}
    return rule.model_copy(update={"effects": tuple(effect.for_her(told) for effect in rule.effects)})
