"""Bonuses: so many times what other rules give, at happy hours, on chosen days, or through a channel."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from django.utils.translation import gettext as _
from pydantic import Field

from loyalty.rules.earning.base import Rule
from loyalty.rules.parts import Key
from retention.incentives.parts import Word, percent_text


class Multiplied(Rule):
    """What other rules give for one order, once more by so many percent: 200 doubles it, 150 adds half.

    Two of them add up: double and triple are four times. `of` names the rules meant; without any, all of them.
    """

    about: ClassVar[str] = "bonus"

    kind: Literal["multiplied"] = "multiplied"
    percent: Annotated[int, Field(ge=101, le=10_000)]
    of: Annotated[tuple[Key, ...], Field(max_length=50)] = ()
    channels: Annotated[tuple[Word, ...], Field(max_length=20)] = ()

    def what(self) -> str:
        said = _("%(times)s times what other rules give") % {"times": percent_text(self.percent)}
        if self.of:
            said = _("%(times)s times what %(rules)s give") % {
                "times": percent_text(self.percent), "rules": ", ".join(self.of),
            }  # fmt: skip
        return said + (_(", through %(channels)s") % {"channels": ", ".join(self.channels)} if self.channels else "")
