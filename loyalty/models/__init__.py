"""Programmes, who is in them, what they earned, where they stand, and what they took for it."""

from loyalty.backtests.models import BackTest
from loyalty.models.challenges import Challenge, Completion
from loyalty.models.earning import Earning, UsedCode
from loyalty.models.milestones import Passing
from loyalty.models.programmes import Member, Programme
from loyalty.models.rewards import Claim, Reward, RewardCount
from loyalty.models.surprises import Surprise
from loyalty.models.tiers import Tier, TierChange

__all__ = [
    "BackTest",
    "Challenge",
    "Claim",
    "Completion",
    "Earning",
    "Member",
    "Passing",
    "Programme",
    "Reward",
    "RewardCount",
    "Surprise",
    "Tier",
    "TierChange",
    "UsedCode",
]
