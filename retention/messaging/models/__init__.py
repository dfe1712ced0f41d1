"""The room's rows."""

from retention.messaging.models.deliveries import Delivery, Outage, Suppression
from retention.messaging.models.policy import MessagingPolicy
from retention.messaging.models.templates import CompiledTemplate, Template, Topic, Way

__all__ = [
    "CompiledTemplate",
    "Delivery",
    "MessagingPolicy",
    "Outage",
    "Suppression",
    "Template",
    "Topic",
    "Way",
]
