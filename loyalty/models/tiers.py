"""The tiers of programmes, and who moved between them when and why."""

from django.db import models
from django.db.models import Q

from loyalty.models.programmes import Member, Programme
from retention.audit.models import Version
from retention.marks import MarkField


class Tier(models.Model):
    """A step of a programme, as its newest version has it; columns are what statements over all members need."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="tiers", db_index=False)
    key = models.CharField(max_length=40, db_collation="C")
    name = models.CharField(max_length=80)
    rank = models.PositiveSmallIntegerField(help_text="1 is the lowest.")
    threshold = models.BigIntegerField(null=True, help_text="Of what counts; empty: by invitation alone.")
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["programme", "rank"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "key"], name="one_tier_a_key"),
            models.UniqueConstraint(
                fields=["programme", "rank"], condition=Q(archived_at=None), name="one_tier_a_rank"
            ),
            models.CheckConstraint(condition=Q(threshold=None) | Q(threshold__gte=0), name="tier_begins_at_nought"),
        ]

    def __str__(self):
        return self.name


class TierChange(models.Model):
    """One move of one member; never changed."""

    class Why(models.TextChoices):
        REACHED = "reached", "reached what it takes"
        INVITED = "invited", "invited"
        EXPIRED = "expired", "did not keep it up"
        RETURNED = "returned", "what it took was taken back"
        RULES = "rules", "the rules were changed"
        STAFF = "staff", "set by hand"
        MERGED = "merged", "moved with its customer"
        LEFT = "left", "left the programme"

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="tier_changes", db_index=False)
    before = models.ForeignKey(Tier, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    after = models.ForeignKey(Tier, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    why = models.CharField(max_length=10, choices=Why.choices)
    is_up = models.BooleanField()
    qualifying = models.BigIntegerField(help_text="What counted at that moment.")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(max_length=120, blank=True, help_text="Of a move by hand, without names.")
    changed_at = models.DateTimeField()
    by = models.CharField(max_length=80, help_text="The actor's name.")
    xid = MarkField()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["member", "-id"], name="tier_change_by_member"),
            models.Index(fields=["changed_at"], name="tier_change_by_day"),
            models.Index(fields=["xid"], name="tier_change_mark"),
        ]

    def __str__(self):
        return f"Tier change {self.pk}"
