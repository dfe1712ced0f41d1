"""The board of the days ahead, as it was last counted."""

from django.db import models
from django.db.models import Q


class Board(models.Model):
    """One row: as of when the board was counted, and whether somebody waits for it to be counted anew."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    computed_at = models.DateTimeField(null=True)
    computed_ms = models.PositiveIntegerField(null=True)
    asked_at = models.DateTimeField(null=True, help_text="Somebody asked for it since it was counted.")
    days = models.JSONField(
        default=dict, help_text="Day → customers touched, shared by several campaigns, and by which: [[1, 2, heads]]."
    )
    failed = models.JSONField(default=list, help_text="Campaigns that could not be counted.")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_board")]

    def __str__(self):
        return "Board"


class BoardLine(models.Model):
    """One thing on one day of the shop's; all lines of days to come are replaced with each count."""

    class Kind(models.TextChoices):
        SENDS = "sends"
        STEPS = "steps", "later steps"
        STARTS = "starts"
        ENDS = "ends"
        OUTBOX = "outbox", "other messages"
        COUPONS = "coupons", "coupons expire"
        VALUE = "value", "value expires"
        HOLDS = "holds", "holds end"

    on = models.DateField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    campaign = models.ForeignKey(
        "campaigns.Campaign", null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    incentive_id = models.BigIntegerField(null=True, help_text="Whose coupons expire.")
    label = models.CharField(max_length=160, blank=True, help_text="What it is about, where it is no campaign.")
    heads = models.BigIntegerField(null=True, help_text="Customers, coupons or accounts; null: nobody can say.")
    shared = models.BigIntegerField(default=0, help_text="Of them, touched by another campaign on the same day too.")
    amount = models.BigIntegerField(null=True, help_text="What expires, in the unit's smallest part.")
    cost_minor = models.BigIntegerField(null=True, help_text="At most, in the shop's currency; null: not known.")
    is_estimate = models.BooleanField(default=False, help_text="As on the days before: nobody knows who will sign up.")

    class Meta:
        ordering = ["on", "kind", "campaign", "label"]
        indexes = [models.Index(fields=["on"], name="board_by_day")]

    def __str__(self):
        return f"{self.on} {self.kind}"
