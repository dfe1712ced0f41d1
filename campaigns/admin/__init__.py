"""Campaigns in the console."""

from campaigns.admin import campaigns, facts, whys

__all__ = ["campaigns", "facts", "whys"]
