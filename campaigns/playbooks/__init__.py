"""The gallery: ready campaigns, each one class."""

from campaigns.playbooks import calendar, customers, silence

__all__ = ["calendar", "customers", "silence"]
