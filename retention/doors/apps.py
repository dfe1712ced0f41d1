"""The `doors` room as Django sees it."""

from django.apps import AppConfig


class DoorsConfig(AppConfig):
    name = "retention.doors"
    label = "doors"
