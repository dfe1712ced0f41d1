"""The ways out: one small adapter for each channel, found by its name."""

from retention.messaging.channels.base import CHANNELS, Channel, HandedOver, Letter, Line, Result
from retention.messaging.channels.email import Email

__all__ = ["CHANNELS", "Channel", "Email", "HandedOver", "Letter", "Line", "Result"]
