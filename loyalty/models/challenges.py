"""Challenges of a programme, and which members did them."""

from django.db import models
from django.db.models import F, Q

from loyalty.models.programmes import Member, Programme
from loyalty.models.rewards import Claim
from retention.audit.models import Version
from retention.incentives.models import Grant
from retention.marks import MarkField
from retention.public_ids import PublicIdField


class Challenge(models.Model):
    """So many of something within a time, for a badge, a reward or points. Its rule is the data of its version."""

    class State(models.TextChoices):
        DRAFT = "draft"
        LIVE = "live"
        STOPPED = "stopped"

    public_id = PublicIdField()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="challenges")
    name = models.CharField(max_length=120)
    state = models.CharField(max_length=7, choices=State.choices, default=State.DRAFT)
    version = models.ForeignKey(Version, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField(null=True, editable=False)
    ends_at = models.DateTimeField(null=True, editable=False)
    launched_at = models.DateTimeField(null=True, editable=False, help_text="What happened before does not count.")
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(starts_at__lt=F("ends_at")),
                name="challenge_is_half_open",
            ),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(version__isnull=False, launched_at__isnull=False),
                name="challenge_is_written_before_live",
            ),
        ]

    def __str__(self):
        return self.name


class Completion(models.Model):
    """One member did one challenge: her badge, and what else it brought. Once, whatever is looked at how often."""

    class State(models.TextChoices):
        DUE = "due", "to be given"
        DONE = "done"
        REFUSED = "refused", "could not be given"

    challenge = models.ForeignKey(Challenge, on_delete=models.PROTECT, related_name="completions", db_index=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="completions", db_index=False)
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+", db_index=False)
    has_badge = models.BooleanField()
    state = models.CharField(max_length=7, choices=State.choices)
    claim = models.OneToOneField(Claim, null=True, on_delete=models.PROTECT, related_name="+")
    grant = models.OneToOneField(Grant, null=True, on_delete=models.PROTECT, related_name="+", help_text="Of points.")
    refusal = models.CharField(max_length=60, blank=True, help_text="Code of why something could not be given.")
    completed_at = models.DateTimeField()
    xid = MarkField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["challenge", "member"], name="a_challenge_is_done_once"),
        ]
        indexes = [
            models.Index(fields=["member", "-id"], name="completion_by_member"),
            models.Index(fields=["id"], name="completion_due", condition=Q(state="due")),
        ]

    def __str__(self):
        return f"Completion {self.pk}"
