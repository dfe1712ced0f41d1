"""The whole of what a programme is, as the JSON of its version: for what is earned, when it counts, and what for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from loyalty.rules.earning import EarningRule
from loyalty.rules.milestones import Milestone
from loyalty.rules.parts import Names
from loyalty.rules.pending import AtOnce, Pending
from loyalty.rules.tiers import TierRules
from loyalty.sentences import Teller
from retention.incentives.parts import Part


class ProgrammeRule(Part):
    """The whole rule.

    Attributes:
        names: how customers read it, by language.
        joining: "everyone": every customer is in it from her first fact on; "request": who joins is.
        look_back_days: of a programme to join: what a member did so long before she joined counts as well.
        matching: "all": every rule gives its share; "first": each line of an order, and each activity, earns by the
            first rule that means it. Bonuses (`multiplied`) come on top either way.
        earns_on: of what was paid. "money": nothing is earned on what points, store cash, credit or gift cards paid;
            "cards": gift cards are as good as money; "everything": so is the rest.
        returns: what may be taken back when an order comes back: "lot": what is left of what it earned; "balance":
            other value of hers too; "negative": and the rest is owed, where the unit may be owed.
        expires_after_inactive_days: everything of hers ends so long after she last earned or spent.
    """

    names: Annotated[Names, Field(min_length=1, max_length=40)]
    joining: Literal["everyone", "request"] = "everyone"
    look_back_days: Annotated[int, Field(ge=0, le=366)] = 0
    earning: Annotated[tuple[EarningRule, ...], Field(max_length=50)] = ()
    matching: Literal["all", "first"] = "all"
    earns_on: Literal["money", "cards", "everything"] = "money"
    pending: Pending = AtOnce()
    returns: Literal["lot", "balance", "negative"] = "lot"
    tiers: TierRules = TierRules()
    milestones: Annotated[tuple[Milestone, ...], Field(max_length=50)] = ()
    expires_after_inactive_days: Annotated[int, Field(ge=1, le=3_660)] | None = None

    @model_validator(mode="after")
    def keys_are_distinct(self) -> ProgrammeRule:
        keys = [rule.key for rule in self.earning]
        if len(set(keys)) != len(keys):
            raise ValueError("two rules have the same key")
        return self

    def when_sentences(self, teller: Teller) -> list[str]:
        """On what it is earned where it is for orders, and when it can be spent."""
        is_for_orders = any(rule.about == "order" for rule in self.earning)
        paid = [teller.say(f"earns_on_{self.earns_on}")] if is_for_orders else []
        return [*paid, self.pending.sentence(teller)]

    @property
    def activities(self) -> frozenset[str]:
        """The kinds of activities that it listens to."""
        return frozenset(rule.activity for rule in self.earning if rule.kind == "activity")
