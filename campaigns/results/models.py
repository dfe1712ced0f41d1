"""What was counted of experiments, kept so that nobody waits for it."""

from django.db import models

from retention.audit.models import Version


class ResultCount(models.Model):
    """The figures of one experiment as they were counted last; arms and rungs in the shape of their classes."""

    campaign = models.ForeignKey("campaigns.Campaign", on_delete=models.CASCADE, related_name="result_counts")
    since = models.PositiveIntegerField(help_text="Number of the version with which the experiment began.")
    version = models.ForeignKey(
        Version, null=True, on_delete=models.PROTECT, related_name="+", db_index=False, help_text="Approved by then."
    )
    arms = models.JSONField(default=list)
    rungs = models.JSONField(default=list)
    counted_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True, help_text="Somebody waits for newer ones.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "since"], name="one_count_an_experiment")]

    def __str__(self):
        return f"Results of {self.campaign_id} since {self.since}"
