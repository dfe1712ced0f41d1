"""Schemes, the advocates who take part in them, and the visits that their links bring."""

from django.db import models
from django.db.models import F, Q

from referrals.models.partners import Partner
from retention.audit.models import Version
from retention.customers.models import Customer
from retention.marks import MarkField
from retention.public_ids import PublicIdField


class Scheme(models.Model):
    """What is given for bringing a friend, to whom, and after what. Its whole rule is the data of its version."""

    class State(models.TextChoices):
        DRAFT = "draft"
        LIVE = "live"
        PAUSED = "paused", "paused: nobody is referred, what was promised is kept"
        ENDED = "ended"

    class Kind(models.TextChoices):
        CUSTOMERS = "customers", "customers bring friends"
        PARTNERS = "partners", "affiliates are paid in cash"

    public_id = PublicIdField()
    key = models.CharField(max_length=40, db_collation="C", unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.CUSTOMERS)
    state = models.CharField(max_length=6, choices=State.choices, default=State.DRAFT)
    version = models.ForeignKey(Version, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    launched_at = models.DateTimeField(null=True, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(key__regex=r"^[a-z][a-z0-9_]*$"), name="scheme_key_is_a_word"),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(version__isnull=False, launched_at__isnull=False),
                name="scheme_is_written_before_live",
            ),
        ]
        permissions = [("launch_scheme", "Can launch, pause and end referral schemes")]

    def __str__(self):
        return self.name


class Advocate(models.Model):
    """One customer, or one partner, who recommends the shop in one scheme by a link and code of her own."""

    public_id = PublicIdField()
    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="advocates", db_index=False)
    customer = models.ForeignKey(
        Customer, null=True, on_delete=models.PROTECT, related_name="advocacies", db_index=False
    )
    partner = models.ForeignKey(Partner, null=True, on_delete=models.PROTECT, related_name="advocacies")
    code = models.CharField(max_length=60, db_collation="C", unique=True, help_text="In its link, and to be typed.")
    joined_at = models.DateTimeField()
    blocked_at = models.DateTimeField(null=True, blank=True, help_text="Her link and code bring nothing from then on.")
    #: Keyed hashes of where she asked for her link, as far as that was told.
    device = models.BigIntegerField(null=True, editable=False)
    network = models.BigIntegerField(null=True, editable=False)
    xid = MarkField(help_text="Also of what last became of her referrals.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "scheme"], condition=Q(customer__isnull=False), name="one_advocate_a_customer"
            ),
            models.UniqueConstraint(
                fields=["partner", "scheme"], condition=Q(partner__isnull=False), name="one_advocate_a_partner"
            ),
            models.CheckConstraint(
                condition=Q(customer__isnull=False, partner=None) | Q(customer=None, partner__isnull=False),
                name="advocate_is_somebody",
            ),
            models.CheckConstraint(condition=Q(code__regex=r"^[A-Z0-9]{4,60}$"), name="advocate_code_is_normal"),
        ]
        indexes = [
            models.Index(fields=["scheme", "-id"], name="advocate_by_scheme"),
            models.Index(fields=["xid"], name="advocate_mark"),
        ]

    def __str__(self):
        return self.code


class AdvocateCount(models.Model):
    """How many referrals of an advocate were rewarded, in all and in each period: moved by guarded updates."""

    advocate = models.ForeignKey(Advocate, on_delete=models.CASCADE, related_name="counts")
    period = models.CharField(max_length=10, blank=True, help_text="Empty: in all; else 2026-05 or 2026.")
    rewarded = models.PositiveIntegerField(default=0)
    most = models.PositiveIntegerField(null=True, help_text="Empty: no limit.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["advocate", "period"], name="one_count_a_period"),
            models.CheckConstraint(
                condition=Q(most=None) | Q(rewarded__lte=F("most")), name="not_more_rewarded_than_may_be"
            ),
        ]

    def __str__(self):
        return f"{self.rewarded} of advocate {self.advocate_id}"


class Visit(models.Model):
    """Somebody came by an advocate's link. Who she is shows when she signs up or orders with the same visitor's key."""

    advocate = models.ForeignKey(Advocate, on_delete=models.PROTECT, related_name="visits", db_index=False)
    visitor_key = models.CharField(max_length=64, null=True, help_text="NULL once it was forgotten.")
    channel = models.CharField(max_length=20, blank=True, help_text="How it was shared: email, sms, chat, social…")
    #: Keyed hashes: they tell who is the same, and nothing else.
    device = models.BigIntegerField(null=True)
    network = models.BigIntegerField(null=True)
    visited_at = models.DateTimeField()
    xid = MarkField()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["visitor_key", "visited_at"], name="visit_by_visitor"),
            models.Index(fields=["advocate", "visited_at"], name="visit_by_advocate"),
            models.Index(fields=["xid"], name="visit_mark"),
        ]

    def __str__(self):
        return f"Visit {self.pk}"
