"""The conditions that come with the product, by what they are about."""

from retention.segments.conditions import (
    activities,
    attributes,
    consent,
    lifecycle,
    orders,
    places,
    profile,
    purchases,
    sets,
    statistics,
)

__all__ = [
    "activities",
    "attributes",
    "consent",
    "lifecycle",
    "orders",
    "places",
    "profile",
    "purchases",
    "sets",
    "statistics",
]
