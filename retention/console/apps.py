"""The `console` room as Django sees it."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "retention.console"
    label = "console"
