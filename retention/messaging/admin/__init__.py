"""The room's pages in the console."""

from retention.messaging.admin.looks import BlockAdmin, BrandKitAdmin
from retention.messaging.admin.messages import DeliveryAdmin, SuppressionAdmin, TemplateAdmin, TopicAdmin
from retention.messaging.admin.policy import MessagingPolicyAdmin
from retention.messaging.admin.tracking import EventAdmin, PauseAdmin

__all__ = [
    "BlockAdmin",
    "BrandKitAdmin",
    "DeliveryAdmin",
    "EventAdmin",
    "MessagingPolicyAdmin",
    "PauseAdmin",
    "SuppressionAdmin",
    "TemplateAdmin",
    "TopicAdmin",
]
