"""Bonuses: so many times what other rules give, at happy hours, on chosen days, or through a channel."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from loyalty.rules.earning.base import Rule
from loyalty.rules.parts import Key
from loyalty.sentences import Teller
from retention.incentives.parts import Word


class Multiplied(Rule):
    """What other rules give for one order, once more by so many percent: 200 doubles it, 150 adds half.

    Two of them add up: double and triple are four times. `of` names the rules meant; without any, all of them.
    """

    about: ClassVar[str] = "bonus"

    kind: Literal["multiplied"] = "multiplied"
    percent: Annotated[int, Field(ge=101, le=10_000)]
    of: Annotated[tuple[Key, ...], Field(max_length=50)] = ()
    channels: Annotated[tuple[Word, ...], Field(max_length=20)] = ()

    def what(self, teller: Teller) -> str:
        times = teller.number(Decimal(self.percent) / 100)
        if self.of:
            said = teller.say("multiplied_of", times=times, rules="; ".join(map(teller.rule, self.of)))
        else:
            said = teller.say("multiplied", times=times)
        channels = [teller.say("channels", channels=teller.any_of(self.channels))] if self.channels else []
        return ", ".join([said, *channels])
