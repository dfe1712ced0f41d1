"""The `referrals` app as Django sees it."""

from django.apps import AppConfig


class ReferralsConfig(AppConfig):
    name = "referrals"
