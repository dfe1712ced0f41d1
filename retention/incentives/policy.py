"""The shop's policy at the checkout, as the JSON of its version: how offers meet, and each customer's allowance."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from retention.incentives.parts import Part
from retention.incentives.rules import CustomerLimit, Stacking


class Policy(Part):
    """`allowance` is what one customer may use of all incentives together.

    Where the policy `follows_orders`, orders that are cancelled and lines that come back, as the shop's facts say,
    undo what was redeemed for them; otherwise only calls of the roll-back do. Where it `withdraws_by_hand`, tickets and
    presents that an order brought, and that nobody carried out yet, are off once nothing is left of the order.
    """

    stacking: Stacking = Stacking()
    allowance: Annotated[tuple[CustomerLimit, ...], Field(max_length=20)] = ()
    follows_orders: bool = True
    withdraws_by_hand: bool = True

    def sentences(self) -> list[str]:
        return [self.stacking.sentence(), *[limit.sentence() for limit in self.allowance]]
