"""The gallery: ready campaigns, each one class."""

from campaigns.playbooks import calendar, carts, coming, customers, members, news, purchases, silence, value

__all__ = ["calendar", "carts", "coming", "customers", "members", "news", "purchases", "silence", "value"]
