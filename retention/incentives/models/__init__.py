"""The room's rows: offers, their uses, and the limits over several of them."""

from retention.incentives.models.bounds import Budget, CheckoutPolicy
from retention.incentives.models.cards import GiftCard, Tender
from retention.incentives.models.fulfilments import Fulfilment, Ticket
from retention.incentives.models.offers import Code, CodeBatch, Grant, Incentive
from retention.incentives.models.shoppers import ShopperTier
from retention.incentives.models.uses import Counter, Redemption, Rollback, Use

__all__ = [
    "Budget",
    "CheckoutPolicy",
    "Code",
    "CodeBatch",
    "Counter",
    "Fulfilment",
    "GiftCard",
    "Grant",
    "Incentive",
    "Redemption",
    "Rollback",
    "ShopperTier",
    "Ticket",
    "Tender",
    "Use",
]
