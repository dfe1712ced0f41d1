"""The room's pages in the console."""

from retention.messaging.admin.deliveries import DeliveryAdmin
from retention.messaging.admin.looks import BlockAdmin, BrandKitAdmin
from retention.messaging.admin.policy import MessagingPolicyAdmin
from retention.messaging.admin.templates import TemplateAdmin
from retention.messaging.admin.tracking import EventAdmin, OutageAdmin, PauseAdmin
from retention.messaging.admin.wishes import SuppressionAdmin, TopicAdmin

__all__ = [
    "BlockAdmin",
    "BrandKitAdmin",
    "DeliveryAdmin",
    "EventAdmin",
    "MessagingPolicyAdmin",
    "OutageAdmin",
    "PauseAdmin",
    "SuppressionAdmin",
    "TemplateAdmin",
    "TopicAdmin",
]
