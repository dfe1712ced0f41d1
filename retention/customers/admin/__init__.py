"""The console's pages for customers and facts."""

from retention.customers.admin import customers, facts, files, life_events

__all__ = ["customers", "facts", "files", "life_events"]
