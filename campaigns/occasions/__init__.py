"""The occasions that campaigns can be planned for; each is one class and one query."""

from campaigns.occasions import (
    absences,
    activities,
    calls,
    dates,
    events,
    lapses,
    members,
    moves,
    products,
    purchases,
    recurring,
    rewards,
    signups,
    value,
)

__all__ = [
    "absences",
    "activities",
    "calls",
    "dates",
    "events",
    "lapses",
    "members",
    "moves",
    "products",
    "purchases",
    "recurring",
    "rewards",
    "signups",
    "value",
]
