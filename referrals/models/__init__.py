"""Schemes, who recommends, whom they brought, and what partners are owed."""

from referrals.models.partners import Commission, Partner, Payout, PayoutBatch
from referrals.models.referrals import Referral, ReferralStep
from referrals.models.reports import ReportCount
from referrals.models.schemes import Advocate, AdvocateCount, Scheme, Visit

__all__ = [
    "Advocate",
    "AdvocateCount",
    "Commission",
    "Partner",
    "Payout",
    "PayoutBatch",
    "Referral",
    "ReferralStep",
    "ReportCount",
    "Scheme",
    "Visit",
]
