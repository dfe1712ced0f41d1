"""Campaigns in the console."""

from campaigns.admin import calendars, campaigns, facts, whys

__all__ = ["calendars", "campaigns", "facts", "whys"]
