"""For what members earn: one small class for each kind of reason."""

from typing import Annotated

from pydantic import Field

from loyalty.rules.earning.activities import ForActivity, PropertyIs, Yearly
from loyalty.rules.earning.base import Cap, Rule, When
from loyalty.rules.earning.bonuses import Multiplied
from loyalty.rules.earning.orders import OrderRule, PerAmount, PerOrder, PerUnit

EarningRule = Annotated[PerAmount | PerUnit | PerOrder | Multiplied | ForActivity | Yearly, Field(discriminator="kind")]

__all__ = [
    "Cap",
    "EarningRule",
    "ForActivity",
    "Multiplied",
    "OrderRule",
    "PerAmount",
    "PerOrder",
    "PerUnit",
    "PropertyIs",
    "Rule",
    "When",
    "Yearly",
]
