"""The console's pages of this room."""

from retention.incentives.admin.bounds import BudgetAdmin, CheckoutPolicyAdmin
from retention.incentives.admin.by_hand import FulfilmentAdmin, TicketAdmin
from retention.incentives.admin.cards import GiftCardAdmin
from retention.incentives.admin.incentives import IncentiveAdmin
from retention.incentives.admin.lists import CodeAdmin, GrantAdmin, RedemptionAdmin

__all__ = [
    "BudgetAdmin",
    "CheckoutPolicyAdmin",
    "CodeAdmin",
    "FulfilmentAdmin",
    "GiftCardAdmin",
    "GrantAdmin",
    "IncentiveAdmin",
    "RedemptionAdmin",
    "TicketAdmin",
]
