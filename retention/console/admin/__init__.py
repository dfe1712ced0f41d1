"""Pages of the rooms that lie below the console's bases: the shop, its staff, the audit, callers' keys."""

from retention.console.admin import audit, keys, shop, staff, strangers

__all__ = ["audit", "keys", "shop", "staff", "strangers"]
