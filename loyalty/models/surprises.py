"""Rewards that members get by chance."""

from django.db import models
from django.db.models import Q

from loyalty.models.programmes import Programme
from retention.audit.models import Version
from retention.public_ids import PublicIdField


class Surprise(models.Model):
    """A reward for some of a segment's members, drawn each day; who won is in the claims of its origin."""

    class State(models.TextChoices):
        DRAFT = "draft"
        LIVE = "live"
        STOPPED = "stopped"

    public_id = PublicIdField()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="surprises")
    name = models.CharField(max_length=120)
    state = models.CharField(max_length=7, choices=State.choices, default=State.DRAFT)
    version = models.ForeignKey(Version, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    budget_id = models.BigIntegerField(null=True, editable=False, help_text="The Budget that its grants count in.")
    drawn_on = models.DateField(null=True, editable=False, help_text="The last day of the shop that was drawn whole.")
    started_at = models.DateTimeField(null=True, editable=False, help_text="Orders paid before are not drawn.")
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="draft") | Q(version__isnull=False), name="surprise_is_written_before_live"
            ),
        ]

    def __str__(self):
        return self.name
