"""What a friend must do before her advocate is rewarded: each a small class that says it, and asks the facts for it."""

from __future__ import annotations

from typing import Annotated, Literal

from django.utils.translation import gettext as _
from pydantic import Field

from retention import money
from retention.incentives.parts import Part, Word

#: In the shop's base currency, of what was paid less what came back.
Least = Annotated[int, Field(ge=0, le=10**12)]


class FirstOrder(Part):
    """Her first order is paid, and worth so much."""

    kind: Literal["first_order"] = "first_order"
    least_minor: Least = 0

    def sentence(self, currency: str) -> str:
        if not self.least_minor:
            return _("The friend's first order is paid")
        return _("The friend's first order, of at least %(amount)s, is paid") % {
            "amount": money.show(self.least_minor, currency)
        }


class NthOrder(Part):
    """She has paid for so many orders; each that counts is worth so much."""

    kind: Literal["nth_order"] = "nth_order"
    count: Annotated[int, Field(ge=2, le=100)]
    least_minor: Least = 0

    def sentence(self, currency: str) -> str:
        if not self.least_minor:
            return _("The friend has paid for %(n)s orders") % {"n": self.count}
        words = {"n": self.count, "amount": money.show(self.least_minor, currency)}
        return _("The friend has paid for %(n)s orders of at least %(amount)s each") % words


class Did(Part):
    """She did something that is not an order: converted her trial, wrote a review, confirmed her account."""

    kind: Literal["activity"] = "activity"
    activity: Word

    def sentence(self, currency: str) -> str:
        return _("The friend did “%(activity)s”") % {"activity": self.activity}


class Joined(Part):
    """Her sign-up alone is enough."""

    kind: Literal["joined"] = "joined"

    def sentence(self, currency: str) -> str:
        return _("The friend signed up")


Scenario = Annotated[FirstOrder | NthOrder | Did | Joined, Field(discriminator="kind")]
