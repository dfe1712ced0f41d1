"""Who may knock at the HTTP doors, and what was answered to whom."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models


class ApiKey(models.Model):
    """A caller's key: shown once, kept as a hash."""

    name = models.CharField(max_length=80, unique=True)
    prefix = models.CharField(max_length=12, unique=True, help_text="The first symbols, to recognise it by.")
    secret_hash = models.BinaryField(
        max_length=32, unique=True, help_text="SHA-256 of the whole key, which has 160 random bits."
    )
    scopes = ArrayField(models.CharField(max_length=40))
    is_public = models.BooleanField(
        "for strangers",
        default=False,
        help_text="Its answers reach strangers, as a storefront's do: they learn nothing of codes that do not work.",
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    last_used_on = models.DateField(null=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API key"
        verbose_name_plural = "API keys"
        ordering = ["name"]

    def __str__(self):
        return self.name


class IdempotentAnswer(models.Model):
    """The answer to one write under its caller's Idempotency-Key, saved in the transaction of its effect."""

    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    request_hash = models.BinaryField(
        max_length=32, help_text="Of method, path and body: another request under this key is refused."
    )
    status = models.SmallIntegerField()
    body = models.JSONField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["api_key", "key"], name="one_answer_a_key")]
        indexes = [models.Index(fields=["at"], name="idempotent_answer_by_age")]

    def __str__(self):
        return self.key
