"""The gallery: ready campaigns, each one class."""

from campaigns.playbooks import calendar, customers, silence, value

__all__ = ["calendar", "customers", "silence", "value"]
