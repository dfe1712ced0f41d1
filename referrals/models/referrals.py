"""Friends who were brought, and what became of each of them step by step."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from referrals.models.schemes import Advocate, Scheme, Visit
from retention.audit.models import Version
from retention.customers.models import Customer, Order
from retention.incentives.models import Grant
from retention.marks import MarkField
from retention.public_ids import PublicIdField


class Referral(models.Model):
    """One friend brought by one advocate in one scheme: a friend counts once, whoever else sends her a link."""

    class State(models.TextChoices):
        CLAIMED = "claimed", "claimed: the checks are to come"
        PENDING = "pending", "pending: what must happen has not happened yet"
        HOLD = "hold", "it happened; it can still be returned"
        REVIEW = "review", "to be looked at by a person"
        APPROVED = "approved", "approved: the reward is to be given"
        REWARDED = "rewarded"
        REJECTED = "rejected"
        LAPSED = "lapsed", "it did not happen in time"
        REVERSED = "reversed", "taken back with the return"

    #: In these states something is still to come.
    OPEN = ("claimed", "pending", "hold", "review", "approved")

    public_id = PublicIdField()
    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="referrals", db_index=False)
    advocate = models.ForeignKey(Advocate, on_delete=models.PROTECT, related_name="referrals", db_index=False)
    friend = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="referrals", db_index=False)
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+", db_index=False)
    visit = models.ForeignKey(Visit, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    source = models.CharField(max_length=120, db_collation="C", unique=True, help_text="Idempotency key.")
    state = models.CharField(max_length=8, choices=State.choices, default=State.CLAIMED)
    score = models.PositiveSmallIntegerField(default=0, help_text="Suspicion: the points of the checks that struck.")
    reasons = ArrayField(models.CharField(max_length=60), default=list, help_text="Codes of why it is where it is.")
    order = models.ForeignKey(
        Order, null=True, on_delete=models.PROTECT, related_name="+", db_index=False, help_text="What qualified it."
    )
    cleared_score = models.PositiveSmallIntegerField(default=0, help_text="So much suspicion a person found harmless.")
    claimed_at = models.DateTimeField()
    since_at = models.DateTimeField(
        help_text="When the friend followed the link, or else came: what she did from then counts."
    )
    qualified_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True, help_text="When it is looked at again: the end of what it waits for.")
    ended_at = models.DateTimeField(null=True)
    level = models.PositiveIntegerField(null=True, help_text="The how many-th rewarded one of its advocate it is.")
    friend_grant = models.ForeignKey(Grant, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    advocate_grant = models.ForeignKey(Grant, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    xid = MarkField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["friend", "scheme"], name="a_friend_once_a_scheme"),
            models.UniqueConstraint(
                fields=["order", "scheme"], condition=Q(order__isnull=False), name="an_order_qualifies_once"
            ),
        ]
        indexes = [
            models.Index(fields=["advocate", "-id"], name="referral_by_advocate"),
            models.Index(fields=["scheme", "state", "due_at"], name="referral_by_state"),
            models.Index(
                fields=["due_at"],
                name="referral_due",
                condition=Q(state__in=["claimed", "pending", "hold", "review", "approved"]),
            ),
            models.Index(fields=["visit"], name="referral_by_visit", condition=Q(visit__isnull=False)),
            models.Index(fields=["xid"], name="referral_mark"),
        ]
        permissions = [("review_referral", "Can approve and reject referrals")]

    def __str__(self):
        return f"Referral {self.pk}"


class ReferralStep(models.Model):
    """One change of one referral's state, with its reasons; never changed."""

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="steps")
    state = models.CharField(max_length=8, choices=Referral.State.choices)
    reasons = ArrayField(models.CharField(max_length=60), default=list)
    params = models.JSONField(default=dict, help_text="Of the reasons' sentences; no personal text.")
    at = models.DateTimeField()
    by = models.CharField(max_length=80, help_text="The actor's name.")
    xid = MarkField()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["xid"], name="referral_step_mark")]

    def __str__(self):
        return f"{self.referral_id}: {self.state}"
