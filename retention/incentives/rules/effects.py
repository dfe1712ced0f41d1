"""What an offer does: one small class for each kind of effect."""

from __future__ import annotations

from typing import Annotated, Literal

from django.utils.translation import gettext as _
from pydantic import Field, model_validator

from retention.incentives.baskets import amounts_text
from retention.incentives.cart_conditions import Amounts, Part
from retention.incentives.rules.scope import Scope


class PercentOff(Part):
    """So many hundredths of a percent off the goods in scope; `cap` is the most it may come to, by currency."""

    kind: Literal["percent"] = "percent"
    basis_points: Annotated[int, Field(ge=1, le=10_000)]
    scope: Scope = Scope()
    cap: Amounts = {}

    def sentence(self) -> str:
        percent = f"{self.basis_points / 100:.2f}".rstrip("0").rstrip(".")
        words = _("%(percent)s %% off %(what)s") % {"percent": percent, "what": self.scope.sentence()}
        return words + (_(", at most %(cap)s") % {"cap": amounts_text(self.cap.items())} if self.cap else "")


class AmountOff(Part):
    """An amount off the goods in scope together; where `is_from_grant`, each grant's own terms say how much."""

    kind: Literal["amount"] = "amount"
    amounts: Amounts = {}
    is_from_grant: bool = False
    scope: Scope = Scope()

    @model_validator(mode="after")
    def says_how_much(self) -> AmountOff:
        if not self.amounts and not self.is_from_grant:
            raise ValueError("say how much, in at least one currency")
        return self

    def sentence(self) -> str:
        amount = amounts_text(self.amounts.items()) if self.amounts else _("An amount set for each customer")
        return _("%(amount)s off %(what)s") % {"amount": amount, "what": self.scope.sentence()}


class FreeShipping(Part):
    """The shipping is free; `cap` is the most that is paid for it, by currency."""

    kind: Literal["free_shipping"] = "free_shipping"
    cap: Amounts = {}

    def sentence(self) -> str:
        words = _("Free shipping")
        return words + (_(" up to %(cap)s") % {"cap": amounts_text(self.cap.items())} if self.cap else "")


Effect = Annotated[PercentOff | AmountOff | FreeShipping, Field(discriminator="kind")]
