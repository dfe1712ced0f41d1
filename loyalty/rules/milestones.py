"""What a member gets for how much she did in all: one reward by itself, or one of several that she chooses."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from loyalty.rules.parts import Key, Names
from loyalty.sentences import Teller
from retention.incentives.parts import Part

RewardId = Annotated[int, Field(ge=1)]


class ByItself(Part):
    """The reward comes by itself."""

    kind: Literal["automatic"] = "automatic"
    reward_id: RewardId

    @property
    def rewards(self) -> tuple[int, ...]:
        return (self.reward_id,)


class Choice(Part):
    """She chooses one of these, within so many days; then she gets the default one, or nothing where there is none."""

    kind: Literal["choice"] = "choice"
    reward_ids: Annotated[tuple[RewardId, ...], Field(min_length=2, max_length=20)]
    days: Annotated[int, Field(ge=1, le=365)] = 30
    default_id: RewardId | None = None

    @model_validator(mode="after")
    def default_is_one_of_them(self) -> Choice:
        if len(set(self.reward_ids)) < len(self.reward_ids):
            raise ValueError("the same reward is there twice")
        if self.default_id is not None and self.default_id not in self.reward_ids:
            raise ValueError("what is given without a choice is one of the choices")
        return self

    @property
    def rewards(self) -> tuple[int, ...]:
        return self.reward_ids


Gives = Annotated[ByItself | Choice, Field(discriminator="kind")]


class Milestone(Part):
    """So much of something in all: once, or every so much anew.

    Attributes:
        at: points in the unit's smallest part, orders, or money in minor units of the base currency.
        reaches_back: whoever was past it when it was written gets it too; otherwise it is for those who pass it later.
    """

    key: Key
    names: Annotated[Names, Field(min_length=1)]
    measure: Literal["points", "orders", "spend"]
    at: Annotated[int, Field(ge=1, le=10**12)]
    is_repeated: bool = False
    reaches_back: bool = False
    gives: Gives

    def times(self, reached: int) -> int:
        """How often somebody who did so much has passed it."""
        return reached // self.at if self.is_repeated else int(reached >= self.at)

    def sentence(self, teller: Teller) -> str:
        """`every 10 orders`."""
        shown = teller.money(self.at) if self.measure == "spend" else teller.amount(self.at)
        return teller.say(f"{'every' if self.is_repeated else 'milestone'}_{self.measure}", self.at, n=shown)
