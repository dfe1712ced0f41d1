"""Pages of the rooms that lie below the console's bases: the shop, its staff, the audit, jobs, callers' keys."""

from retention.console.admin import audit, jobs, keys, shop, staff, strangers

__all__ = ["audit", "jobs", "keys", "shop", "staff", "strangers"]
