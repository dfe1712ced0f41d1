"""Programmes, who is in them, what they earned, where they stand, and what they took for it."""

from loyalty.models.earning import Earning
from loyalty.models.programmes import Member, Programme
from loyalty.models.rewards import Claim, Reward, RewardCount
from loyalty.models.tiers import Tier, TierChange

__all__ = ["Claim", "Earning", "Member", "Programme", "Reward", "RewardCount", "Tier", "TierChange"]
