"""Who is held out of all campaigns for the sake of proof."""

from django.db import models
from django.db.models import Q


class GlobalHoldout(models.Model):
    """The share of customers whom campaigns pass over: their messages are written and never leave. One row."""

    MOST = 20

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    percent = models.PositiveSmallIntegerField(default=0, help_text="Of all customers; nought holds nobody out.")
    seed = models.CharField(max_length=40, editable=False, help_text="Decides who they are; another one draws anew.")
    since = models.DateTimeField(editable=False, help_text="When those held out last changed.")

    class Meta:
        verbose_name_plural = "global holdout"
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="global_holdout_is_single"),
            models.CheckConstraint(condition=Q(percent__lte=20), name="global_holdout_is_small"),
            models.CheckConstraint(condition=~Q(seed=""), name="global_holdout_has_a_seed"),
        ]

    def __str__(self):
        return "Global holdout"
