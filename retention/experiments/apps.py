"""The `experiments` room as Django sees it."""

from django.apps import AppConfig


class ExperimentsConfig(AppConfig):
    name = "retention.experiments"
    label = "experiments"
