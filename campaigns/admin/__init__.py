"""Campaigns in the console."""

from campaigns.admin import calendars, campaigns, facts, policy, whys

__all__ = ["calendars", "campaigns", "facts", "policy", "whys"]
