"""The `work` room as Django sees it."""

from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "retention.work"
    label = "work"
