"""Programmes, and the customers who are in them."""

from django.contrib.postgres.fields import ArrayField, DateTimeRangeField
from django.db import models
from django.db.models import Q

from retention.audit.models import Version
from retention.customers.models import Customer
from retention.incentives.models import Incentive
from retention.ledger.models import Unit
from retention.marks import MarkField
from retention.public_ids import PublicIdField


class Programme(models.Model):
    """What customers earn in one unit for what they do. Its whole rule is the data of its version.

    Points, stars and store cash are all one thing here: the unit says what is earned, the rule for what and when.
    """

    class State(models.TextChoices):
        DRAFT = "draft"
        LIVE = "live"
        PAUSED = "paused", "paused: nothing is earned, what is there can be spent"
        ENDED = "ended"

    class Joining(models.TextChoices):
        EVERYONE = "everyone", "every customer is in it"
        REQUEST = "request", "who joins is in it"

    public_id = PublicIdField()
    key = models.CharField(max_length=40, db_collation="C", unique=True)
    name = models.CharField(max_length=120)
    state = models.CharField(max_length=6, choices=State.choices, default=State.DRAFT)
    joining = models.CharField(max_length=8, choices=Joining.choices, default=Joining.EVERYONE)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    incentive = models.ForeignKey(
        Incentive,
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="What is earned is granted under it, so that budgets, limits and the stop button hold for it.",
    )
    version = models.ForeignKey(Version, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    launched_at = models.DateTimeField(null=True, editable=False, help_text="What happened before earns nothing.")
    rests = ArrayField(
        DateTimeRangeField(), default=list, editable=False, help_text="When it was paused: nothing of then is earned."
    )
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(key__regex=r"^[a-z][a-z0-9_]*$"), name="programme_key_is_a_word"),
            models.CheckConstraint(
                condition=Q(state="draft")
                | Q(version__isnull=False, incentive__isnull=False, launched_at__isnull=False),
                name="programme_is_written_before_live",
            ),
        ]
        permissions = [("launch_programme", "Can launch, pause and end programmes")]

    def __str__(self):
        return self.name


class Member(models.Model):
    """One customer in one programme, and where she stands in it.

    Its row is locked by whatever counts something of hers in order: caps of earning, tiers, milestones.
    """

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="members", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="loyalty_memberships", db_index=False)
    joined_at = models.DateTimeField()
    joined_by = models.CharField(max_length=80, help_text="The actor's name.")
    left_at = models.DateTimeField(null=True, help_text="She earns nothing from then on; what she has stays hers.")
    tier = models.ForeignKey("Tier", null=True, on_delete=models.PROTECT, related_name="members", db_index=False)
    tier_since = models.DateTimeField(null=True)
    tier_until = models.DateTimeField(null=True, help_text="When it is looked at again, grace included; empty: never.")
    qualifying = models.BigIntegerField(default=0, help_text="What counted for tiers when it was last looked at.")
    earned = models.BigIntegerField(default=0, help_text="All that she ever earned, less what was taken back.")
    active_at = models.DateTimeField(null=True, help_text="When she last earned or spent: inactivity counts from it.")
    prefers = models.CharField(max_length=20, blank=True, help_text="The kind of reward that she likes best.")
    xid = MarkField()

    class Meta:
        ordering = ["-id"]
        permissions = [("set_tier", "Can set the tiers of members"), ("adjust_points", "Can correct points of members")]
        constraints = [
            models.UniqueConstraint(fields=["customer", "programme"], name="one_member_a_customer_and_programme"),
            models.CheckConstraint(
                condition=Q(tier=None, tier_since=None, tier_until=None)
                | Q(tier__isnull=False, tier_since__isnull=False),
                name="tier_has_a_beginning",
            ),
        ]
        indexes = [
            models.Index(fields=["programme", "tier"], name="member_by_tier"),
            models.Index(
                fields=["programme", "tier_until"], name="member_tier_ending", condition=Q(tier_until__isnull=False)
            ),
            models.Index(fields=["xid"], name="member_mark"),
        ]

    def __str__(self):
        return str(self.customer)
