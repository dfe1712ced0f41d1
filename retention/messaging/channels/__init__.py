"""The ways out: one small adapter for each channel, found by its name."""

from retention.messaging.channels.base import CHANNELS, Channel, HandedOver, Letter, Line, Result
from retention.messaging.channels.email import Email
from retention.messaging.channels.inbox import Inbox
from retention.messaging.channels.push import Push
from retention.messaging.channels.sms import Sms
from retention.messaging.channels.webhook import OutgoingWebhook

__all__ = [
    "CHANNELS",
    "Channel",
    "Email",
    "HandedOver",
    "Inbox",
    "Letter",
    "Line",
    "OutgoingWebhook",
    "Push",
    "Result",
    "Sms",
]
