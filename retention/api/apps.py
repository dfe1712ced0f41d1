"""The `api` room as Django sees it."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "retention.api"
    label = "api"
