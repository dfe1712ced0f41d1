"""The `storefront` room as Django sees it."""

from django.apps import AppConfig


class StorefrontConfig(AppConfig):
    name = "retention.storefront"
    label = "storefront"
