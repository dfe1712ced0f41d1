"""The console's pages of this room."""

from retention.incentives.admin.incentives import IncentiveAdmin
from retention.incentives.admin.lists import CodeAdmin, GrantAdmin, RedemptionAdmin

__all__ = ["CodeAdmin", "GrantAdmin", "IncentiveAdmin", "RedemptionAdmin"]
