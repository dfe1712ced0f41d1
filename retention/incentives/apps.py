"""The `incentives` room as Django sees it."""

from django.apps import AppConfig


class IncentivesConfig(AppConfig):
    name = "retention.incentives"
    label = "incentives"
