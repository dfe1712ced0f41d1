"""The `demoshop` room as Django sees it."""

from django.apps import AppConfig


class DemoshopConfig(AppConfig):
    name = "retention.demoshop"
    label = "demoshop"
    verbose_name = "Demo shop"
