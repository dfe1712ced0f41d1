"""The `audit` room as Django sees it."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "retention.audit"
    label = "audit"
