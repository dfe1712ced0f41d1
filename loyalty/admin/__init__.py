"""The console's pages of loyalty."""

from loyalty.admin.challenges import ChallengeAdmin, CompletionAdmin, SurpriseAdmin
from loyalty.admin.members import MemberAdmin
from loyalty.admin.programmes import ProgrammeAdmin
from loyalty.admin.rewards import ClaimAdmin, PassingAdmin, RewardAdmin

__all__ = [
    "ChallengeAdmin",
    "ClaimAdmin",
    "CompletionAdmin",
    "MemberAdmin",
    "PassingAdmin",
    "ProgrammeAdmin",
    "RewardAdmin",
    "SurpriseAdmin",
]
