"""The `ledger` room as Django sees it."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "retention.ledger"
    label = "ledger"
