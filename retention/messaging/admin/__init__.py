"""The room's pages in the console."""

from retention.messaging.admin.messages import DeliveryAdmin, SuppressionAdmin, TemplateAdmin, TopicAdmin
from retention.messaging.admin.policy import MessagingPolicyAdmin
from retention.messaging.admin.tracking import EventAdmin, PauseAdmin

__all__ = [
    "DeliveryAdmin",
    "EventAdmin",
    "MessagingPolicyAdmin",
    "PauseAdmin",
    "SuppressionAdmin",
    "TemplateAdmin",
    "TopicAdmin",
]
