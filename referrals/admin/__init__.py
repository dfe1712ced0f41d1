"""The console's pages of referrals."""

from referrals.admin import schemes

__all__ = ["schemes"]
