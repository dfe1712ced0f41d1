"""The ledger in the console."""

from retention.ledger.admin import accounts, units

__all__ = ["accounts", "units"]
