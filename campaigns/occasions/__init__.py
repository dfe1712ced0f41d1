"""The occasions that campaigns can be planned for; each is one class and one query."""

from campaigns.occasions import dates, lapses, signups, value

__all__ = ["dates", "lapses", "signups", "value"]
