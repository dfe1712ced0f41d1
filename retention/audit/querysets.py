"""Reads of the audit: a subject's versions and what was done to it."""

from django.db import models
from django.db.models import QuerySet

from retention.audit.models import AuditEntry, Version


def versions_of(row: models.Model) -> QuerySet[Version]:
    """The versions of a row, newest first, with who saved them."""
    return (
        Version.objects.filter(subject=row._meta.label_lower, subject_id=row.pk)
        .select_related("by")
        .order_by("-number")
    )


def entries_of(row: models.Model) -> QuerySet[AuditEntry]:
    """What was done to a row, newest first, with who did it."""
    return (
        AuditEntry.objects.filter(subject=row._meta.label_lower, subject_id=row.pk).select_related("by").order_by("-id")
    )
