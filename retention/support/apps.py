"""The `support` room as Django sees it."""

from django.apps import AppConfig


class SupportConfig(AppConfig):
    name = "retention.support"
    label = "support"
