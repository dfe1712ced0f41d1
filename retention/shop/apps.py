"""The `shop` room as Django sees it."""

from django.apps import AppConfig


class ShopConfig(AppConfig):
    name = "retention.shop"
    label = "shop"
