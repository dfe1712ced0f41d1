"""Who passed which milestone, what she may choose for it, and what she got."""

from django.db import models
from django.db.models import Q

from loyalty.models.programmes import Member
from loyalty.models.rewards import Claim
from retention.audit.models import Version
from retention.marks import MarkField
from retention.public_ids import PublicIdField


class Passing(models.Model):
    """One member passed one milestone, once for each time; what it brings is given from this row.

    With a milestone of several rewards it is her open choice, until the day by which she must have chosen.
    """

    class State(models.TextChoices):
        DUE = "due", "to be given"
        OPEN = "open", "hers to choose"
        GIVEN = "given"
        LAPSED = "lapsed", "not chosen in time"
        REFUSED = "refused", "could not be given"
        BEFORE = "before", "passed before the milestone was there"

    public_id = PublicIdField()
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="passings", db_index=False)
    milestone = models.CharField(max_length=40, db_collation="C", help_text="Its key in the version.")
    times = models.PositiveIntegerField(help_text="1 is the first time.")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=7, choices=State.choices)
    choose_until = models.DateTimeField(null=True, help_text="Where she may choose: the end of that.")
    claim = models.OneToOneField(Claim, null=True, on_delete=models.PROTECT, related_name="+")
    refusal = models.CharField(max_length=60, blank=True, help_text="Code of why it could not be given.")
    passed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    xid = MarkField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["member", "milestone", "times"], name="a_milestone_is_passed_once"),
            models.CheckConstraint(
                condition=~Q(state="open") | Q(choose_until__isnull=False), name="open_choice_has_an_end"
            ),
            models.CheckConstraint(
                condition=Q(state="given", claim__isnull=False) | ~Q(state="given") & Q(claim=None),
                name="given_passing_has_its_claim",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], name="passing_due", condition=Q(state="due")),
            models.Index(fields=["choose_until"], name="passing_open", condition=Q(state="open")),
        ]

    def __str__(self):
        return f"Passing {self.pk}"
