"""The `messaging` room as Django sees it."""

from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "retention.messaging"
    label = "messaging"
