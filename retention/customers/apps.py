"""The `customers` room as Django sees it."""

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "retention.customers"
    label = "customers"
