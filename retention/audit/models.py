"""Who did what, and every version of what marketers edit; both append-only and free of personal text."""

from django.conf import settings
from django.db import models


class Version(models.Model):
    """One saved state of something marketers edit, whole; never changed, so it may be cached for ever."""

    subject = models.CharField(max_length=40, help_text="What it is a version of, such as `incentives.incentive`.")
    subject_id = models.BigIntegerField()
    number = models.PositiveIntegerField()
    data = models.JSONField()
    why = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ["subject", "subject_id", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["subject", "subject_id", "number"], name="one_version_a_number"),
        ]

    def __str__(self):
        return f"version {self.number}"


class AuditEntry(models.Model):
    """One act of a member of staff, a key or a job."""

    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    actor = models.CharField(
        max_length=80, help_text="Who, in a form that outlives the account: staff:5, key:shop, job:birthdays."
    )
    verb = models.CharField(max_length=60, help_text="The operation, such as `incentives.stop`.")
    subject = models.CharField(max_length=40, blank=True)
    subject_id = models.BigIntegerField(null=True)
    customer_id = models.BigIntegerField(null=True, help_text="By number alone, so that the row outlives erasure.")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["subject", "subject_id", "-id"], name="audit_by_subject"),
            # The audit is searched by the beginning of what was done.
            models.Index(fields=["verb", "-id"], name="audit_by_verb", opclasses=["varchar_pattern_ops", "int8_ops"]),
            models.Index(
                fields=["customer_id", "-id"], name="audit_by_customer", condition=models.Q(customer_id__isnull=False)
            ),
        ]

    def __str__(self):
        return f"Entry {self.pk}"
