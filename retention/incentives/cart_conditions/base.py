"""What every condition is, and the refusals that several share."""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext_lazy

from retention.incentives.carts import Cart
from retention.incentives.parts import Amounts, Part
from retention.refusals import Refusal, Refused


class CustomerUnknown(Refused):
    code = "incentives.customer_unknown"
    sentence = gettext_lazy("This offer is for known customers: the customer or her email is missing.")


class CartCondition(Part):
    """One condition; `refusal` is None where it holds."""

    #: A refusal that a fuller basket could lift: worth telling as "add 12.00 EUR to get …".
    is_near_miss: ClassVar[bool] = False

    @property
    def meaning(self) -> str:
        """Of which basket it asks: as it came, before this offer takes anything off, or after."""
        return "initial"

    @property
    def currencies(self) -> list[Amounts]:
        """The amounts that name a basket's currency, or the offer is not for it: no condition is asked before that."""
        return []

    def refusal(self, cart: Cart) -> Refusal | None:
        raise NotImplementedError

    def sentence(self) -> str:
        raise NotImplementedError
