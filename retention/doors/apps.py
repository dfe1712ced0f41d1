"""The `doors` room as Django sees it; loads what every app adds to the registries."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules

from retention import registries


class DoorsConfig(AppConfig):
    name = "retention.doors"
    label = "doors"

    def ready(self):
        registries.discover(autodiscover_modules)
