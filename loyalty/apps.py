"""The `loyalty` app as Django sees it."""

from django.apps import AppConfig


class LoyaltyConfig(AppConfig):
    name = "loyalty"
