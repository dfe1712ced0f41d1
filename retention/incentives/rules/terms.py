"""What was decided for one customer, and the rule as it holds for her."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from retention.incentives.cart_conditions import Currency, Part, Sku
from retention.incentives.rules.effects import AmountOff, FreeShipping, PercentOff
from retention.incentives.rules.rule import IncentiveRule


class Terms(Part):
    """What was decided for one customer and frozen on her grant."""

    amount_minor: Annotated[int, Field(gt=0, le=10**12)] | None = None
    currency: Currency | None = None
    products: Annotated[tuple[Sku, ...], Field(max_length=500)] = ()

    @model_validator(mode="after")
    def amount_names_its_currency(self) -> Terms:
        if (self.amount_minor is None) != (self.currency is None):
            raise ValueError("an amount names its currency")
        return self


def with_terms(rule: IncentiveRule, terms: Mapping[str, Any]) -> IncentiveRule:
    """The rule as it holds for one grant: its own amount in place of "set for each customer", its products as scope."""
    if not terms:
        return rule
    own = Terms.model_validate(terms)
    return rule.model_copy(update={"effects": tuple(_with_terms(effect, own) for effect in rule.effects)})


def _with_terms(effect: PercentOff | AmountOff | FreeShipping, own: Terms) -> PercentOff | AmountOff | FreeShipping:
    if isinstance(effect, FreeShipping):
        return effect
    changes: dict[str, Any] = {}
    if own.products:
        chosen = {"on": "lines", "products": own.products, "categories": (), "tags": ()}
        changes["scope"] = effect.scope.model_copy(update=chosen)
    if isinstance(effect, AmountOff) and effect.is_from_grant and own.currency:
        changes["amounts"] = {own.currency: own.amount_minor}
    return effect.model_copy(update=changes)
