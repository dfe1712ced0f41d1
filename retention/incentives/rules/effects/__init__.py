"""What an offer does: one small class for each kind of effect, which works it out and says it in a sentence."""

from typing import Annotated

from pydantic import Field

from retention.incentives.rules.effects.base import Taken
from retention.incentives.rules.effects.benefits import (
    Access,
    Benefit,
    Cash,
    CashBack,
    Experience,
    FreeTrial,
    GiftCard,
    PointsGiven,
    StoreCredit,
)
from retention.incentives.rules.effects.discounts import AmountOff, FixedPrice, FreeShipping, PercentOff
from retention.incentives.rules.effects.sets import BundlePart, BundlePrice, BuyGet, FreeProduct
from retention.incentives.rules.effects.tiers import Step, Tiers

Effect = Annotated[
    PercentOff
    | AmountOff
    | FixedPrice
    | FreeShipping
    | FreeProduct
    | BuyGet
    | BundlePrice
    | Tiers
    | CashBack
    | FreeTrial
    | GiftCard
    | StoreCredit
    | PointsGiven
    | Cash
    | Access
    | Experience,
    Field(discriminator="kind"),
]

__all__ = [
    "Access",
    "AmountOff",
    "Benefit",
    "BundlePart",
    "BundlePrice",
    "BuyGet",
    "Cash",
    "CashBack",
    "Effect",
    "Experience",
    "FixedPrice",
    "FreeProduct",
    "FreeShipping",
    "FreeTrial",
    "GiftCard",
    "PercentOff",
    "PointsGiven",
    "Step",
    "StoreCredit",
    "Taken",
    "Tiers",
]
