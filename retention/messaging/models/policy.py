"""What may be sent when, and how often: one row, whose version says it."""

from django.db import models
from django.db.models import Q

from retention.audit.models import Version


class MessagingPolicy(models.Model):
    """Caps on frequency, quiet hours, and the brake on bad rates; without a version there are none."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    version = models.ForeignKey(Version, null=True, editable=False, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name_plural = "messaging policy"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="messaging_policy_is_single")]

    def __str__(self):
        return "Messaging policy"
