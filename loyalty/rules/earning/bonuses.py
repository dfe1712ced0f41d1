"""Bonuses: so many times what other rules give, at happy hours, on chosen days, through a channel or a way to pay."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from loyalty.rules.earning.base import OfOrders
from loyalty.rules.parts import Key
from loyalty.sentences import Teller


class Multiplied(OfOrders):
    """What other rules give for one order, once more by so many percent: 200 doubles it, 150 adds half.

    Two of them add up: double and triple are four times. `of` names the rules meant; without any, all of them.
    """

    about: ClassVar[str] = "bonus"

    kind: Literal["multiplied"] = "multiplied"
    percent: Annotated[int, Field(ge=101, le=10_000)]
    of: Annotated[tuple[Key, ...], Field(max_length=50)] = ()

    def what(self, teller: Teller) -> str:
        times = teller.number(Decimal(self.percent) / 100)
        if self.of:
            said = teller.say("multiplied_of", times=times, rules="; ".join(map(teller.rule, self.of)))
        else:
            said = teller.say("multiplied", times=times)
        return ", ".join([said, *self.ways(teller)])
