"""Writes of this room."""

from retention.customers.operations.consents import ConsentRefused, give_consent, withdraw_consent
from retention.customers.operations.stats import refresh_stats, see

__all__ = ["ConsentRefused", "give_consent", "refresh_stats", "see", "withdraw_consent"]
