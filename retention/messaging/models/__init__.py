"""The room's rows."""

from retention.messaging.models.deliveries import Delivery, Outage, Pace, Suppression
from retention.messaging.models.policy import MessagingPolicy
from retention.messaging.models.templates import Block, BrandKit, CompiledTemplate, Template, Topic, Way
from retention.messaging.models.tracking import Event, Pause, Tally
from retention.messaging.models.ways import InboxMessage, PushSubscription

__all__ = [
    "Block",
    "BrandKit",
    "CompiledTemplate",
    "Delivery",
    "Event",
    "InboxMessage",
    "MessagingPolicy",
    "Outage",
    "Pace",
    "Pause",
    "PushSubscription",
    "Suppression",
    "Tally",
    "Template",
    "Topic",
    "Way",
]
