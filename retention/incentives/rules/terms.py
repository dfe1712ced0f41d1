"""What was decided for one customer, and the rule as it holds for her."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from retention.incentives.parts import Category, Currency, Part, Sku
from retention.incentives.rules.effects import Effect
from retention.incentives.rules.rule import IncentiveRule


class Terms(Part):
    """What was decided for one customer and frozen on her grant.

    Attributes:
        amount_minor, currency: how much money.
        points: how much of the unit that the offer names, in its smallest part.
        active_at, pending_event: from when on, or after what, value in accounts can be spent; without them at once.
        expires_at: the instant that ends it, where the unit's own rule shall not say.
    """

    amount_minor: Annotated[int, Field(gt=0, le=10**12)] | None = None
    currency: Currency | None = None
    points: Annotated[int, Field(gt=0, le=10**12)] | None = None
    active_at: AwareDatetime | None = None
    pending_event: Annotated[str, StringConstraints(max_length=120)] = ""
    expires_at: AwareDatetime | None = None
    products: Annotated[tuple[Sku, ...], Field(max_length=500)] = ()
    categories: Annotated[tuple[Category, ...], Field(max_length=100)] = ()

    @model_validator(mode="after")
    def amount_names_its_currency(self) -> Terms:
        if (self.amount_minor is None) != (self.currency is None):
            raise ValueError("an amount names its currency")
        if self.active_at is not None and self.pending_event:
            raise ValueError("it waits for an instant or for an event, not for both")
        return self

    @property
    def much(self) -> tuple[Any, ...]:
        """What of it says how much, and of what."""
        return self.points, self.amount_minor, self.currency, self.products, self.categories

    @property
    def waits(self) -> dict[str, dt.datetime | str]:
        """What of it says when its value counts."""
        said = {"active_at": self.active_at, "pending_event": self.pending_event, "expires_at": self.expires_at}
        return {name: value for name, value in said.items() if value}


def with_terms(rule: IncentiveRule, terms: Mapping[str, Any]) -> IncentiveRule:
    """The rule as it holds for one grant: its own amount in place of "set for each customer", her goods as scope."""
    if not terms:
        return rule
    return rule.model_copy(update={"effects": her_effects(rule, Terms.model_validate(terms))})


def her_effects(rule: IncentiveRule, own: Terms) -> tuple[Effect, ...]:
    """Its effects as they hold under these terms."""
    if own == Terms():
        return rule.effects
    told: dict[str, Any] = {"products": own.products, "categories": own.categories}
    if own.currency:
        told["amounts"] = {own.currency: own.amount_minor}
    if own.points:
        told["points"] = own.points
    return tuple(effect.for_her(told) for effect in rule.effects)
