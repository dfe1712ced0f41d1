"""What a basket and its shopper must be for an offer to hold: one small class each, all of them must hold."""

from typing import Annotated

from pydantic import Field

from retention.incentives.cart_conditions.base import CartCondition, CustomerUnknown
from retention.incentives.cart_conditions.goods import (
    AboveMaximum,
    BelowMinimum,
    CategoryMissing,
    HasCategories,
    HasProducts,
    MaximumAmount,
    MaximumQuantity,
    MinimumAmount,
    MinimumQuantity,
    ProductMissing,
    TooFew,
    TooMany,
)
from retention.incentives.cart_conditions.orders import (
    AtTimes,
    Channel,
    Country,
    HasAttribute,
    InChannels,
    InCountries,
    InCurrencies,
    InRegions,
    InStores,
    PaidBy,
    Window,
)
from retention.incentives.cart_conditions.shoppers import FirstOrder, InSegments, InTiers, NthOrder

Condition = Annotated[
    MinimumAmount
    | MaximumAmount
    | MinimumQuantity
    | MaximumQuantity
    | HasProducts
    | HasCategories
    | FirstOrder
    | NthOrder
    | InSegments
    | InTiers
    | InCountries
    | InRegions
    | InChannels
    | InStores
    | InCurrencies
    | PaidBy
    | AtTimes
    | HasAttribute,
    Field(discriminator="kind"),
]

__all__ = [
    "AboveMaximum",
    "AtTimes",
    "BelowMinimum",
    "CartCondition",
    "CategoryMissing",
    "Channel",
    "Condition",
    "Country",
    "CustomerUnknown",
    "FirstOrder",
    "HasAttribute",
    "HasCategories",
    "HasProducts",
    "InChannels",
    "InCountries",
    "InCurrencies",
    "InRegions",
    "InSegments",
    "InStores",
    "InTiers",
    "MaximumAmount",
    "MaximumQuantity",
    "MinimumAmount",
    "MinimumQuantity",
    "NthOrder",
    "PaidBy",
    "ProductMissing",
    "TooFew",
    "TooMany",
    "Window",
]
