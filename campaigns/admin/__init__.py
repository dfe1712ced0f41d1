"""Campaigns in the console."""

from campaigns.admin import campaigns, facts

__all__ = ["campaigns", "facts"]
