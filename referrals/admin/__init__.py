"""The console's pages of referrals."""

from referrals.admin import partners, payouts, people, schemes

__all__ = ["partners", "payouts", "people", "schemes"]
