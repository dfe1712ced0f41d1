"""The room's pages in the console."""

from retention.messaging.admin.messages import DeliveryAdmin, SuppressionAdmin, TemplateAdmin, TopicAdmin
from retention.messaging.admin.policy import MessagingPolicyAdmin

__all__ = ["DeliveryAdmin", "MessagingPolicyAdmin", "SuppressionAdmin", "TemplateAdmin", "TopicAdmin"]
