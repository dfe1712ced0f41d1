"""The `webhooks` room as Django sees it."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "retention.webhooks"
    label = "webhooks"
