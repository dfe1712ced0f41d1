"""Schemes, who recommends, whom they brought, and what partners are owed."""

from referrals.models.partners import Commission, Partner, Payout, PayoutBatch
from referrals.models.referrals import Referral, ReferralStep
from referrals.models.reports import AdvocateDay, SchemeDay, TrialCount, WorthDay
from referrals.models.schemes import Advocate, AdvocateCount, Scheme, Visit

__all__ = [
    "Advocate",
    "AdvocateCount",
    "AdvocateDay",
    "Commission",
    "Partner",
    "Payout",
    "PayoutBatch",
    "Referral",
    "ReferralStep",
    "Scheme",
    "SchemeDay",
    "TrialCount",
    "Visit",
    "WorthDay",
]
