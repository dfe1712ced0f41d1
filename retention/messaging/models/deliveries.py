"""Messages and their life, a channel's rest after failures, and addresses never written to."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from retention.audit.models import Version
from retention.customers.models import Customer
from retention.incentives.models import Grant
from retention.marks import MarkField
from retention.messaging.models.templates import Template, Way
from retention.public_ids import PublicIdField


class Delivery(models.Model):
    """One message to one customer on one channel for one step of its origin; keeps version and context, no body."""

    class State(models.TextChoices):
        QUEUED = "queued"
        HELD = "held"
        CLAIMED = "claimed"
        SENDING = "sending"
        SENT = "sent"
        WITHHELD = "withheld"
        BOUNCED = "bounced"
        FAILED = "failed"
        SUPPRESSED = "suppressed"
        UNKNOWN = "unknown"

    public_id = PublicIdField()
    origin = models.CharField(max_length=40, help_text="On whose behalf, such as `campaigns.touch`.")
    origin_id = models.BigIntegerField()
    group_id = models.BigIntegerField(
        null=True, help_text="What the origin's rows have in common, such as their campaign: figures go by it."
    )
    step = models.PositiveSmallIntegerField(default=0)
    channel = models.CharField(max_length=10, choices=Way.choices)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    template = models.ForeignKey(Template, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+", db_index=False)
    grant = models.ForeignKey(Grant, null=True, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    context = models.JSONField(default=dict, help_text="Primitive values the origin adds to the placeholders.")
    is_transactional = models.BooleanField(default=False)
    is_ghost = models.BooleanField(
        db_default=False, help_text="Of a customer held out for the sake of proof: it lives the same life, unsent."
    )
    priority = models.SmallIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    reason = models.CharField(max_length=60, blank=True, help_text="Stable code of why it was held, skipped or failed.")
    params = models.JSONField(default=dict, help_text="Of the reason; no personal text.")
    language = models.CharField(max_length=12, blank=True, help_text="It was written in, once handed over.")
    queued_at = models.DateTimeField()
    not_before = models.DateTimeField(help_text="Due to leave, or to be tried again, from then on.")
    held_at = models.DateTimeField(null=True, help_text="First held back; given up a week later.")
    left_at = models.DateTimeField(null=True, help_text="Its hand-over began; caps on frequency count from it.")
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    claimed_by = models.CharField(max_length=60, blank=True)
    ended_at = models.DateTimeField(null=True, help_text="Sent, withheld, or ended unsent.")
    provider_id = models.CharField(max_length=200, blank=True)
    xid = MarkField()

    class Meta:
        verbose_name_plural = "deliveries"
        permissions = [("settle_delivery", "Can decide about messages whose end is unknown")]
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["origin", "origin_id", "step", "channel"], name="delivered_once"),
            models.CheckConstraint(
                condition=Q(state__in=["claimed", "sending"], lease_until__isnull=False)
                | Q(lease_until=None) & ~Q(state__in=["claimed", "sending"]),
                name="leased_while_in_hand",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "held", "claimed", "sending"], ended_at=None)
                | Q(
                    state__in=["sent", "withheld", "bounced", "failed", "suppressed", "unknown"],
                    ended_at__isnull=False,
                ),
                name="ended_when_over",
            ),
            models.CheckConstraint(
                condition=Q(left_at=None) | Q(state__in=["sending", "sent", "withheld", "bounced", "unknown"]),
                name="left_when_under_way",
            ),
            models.CheckConstraint(
                condition=Q(is_ghost=True) | ~Q(state="withheld"),
                name="withheld_from_ghosts",
            ),
            models.CheckConstraint(
                condition=Q(is_ghost=False) | ~Q(state__in=["sent", "bounced"]),
                name="ghosts_never_leave",
            ),
        ]
        indexes = [
            # The claim reads its head in this order.
            models.Index(
                F("is_transactional"),
                F("channel"),
                F("priority").desc(),
                F("not_before"),
                F("id"),
                name="delivery_due_by_priority",
                condition=Q(state__in=["queued", "held"]),
            ),
            models.Index(fields=["lease_until"], name="delivery_leased", condition=Q(state__in=["claimed", "sending"])),
            models.Index(fields=["customer", "-id"], name="delivery_by_customer"),
            # Caps on frequency read what left within their windows, and what still waits.
            models.Index(
                fields=["customer", "left_at"],
                name="delivery_that_counts",
                condition=Q(is_transactional=False)
                & (Q(left_at__isnull=False) | Q(state__in=["queued", "held", "claimed"])),
            ),
            models.Index(fields=["grant"], name="delivery_by_grant", condition=Q(grant__isnull=False)),
            # People look at these; the states that every message passes through stay out, or each step would pay.
            models.Index(
                fields=["state", "-id"],
                name="delivery_to_look_at",
                condition=Q(state__in=["held", "withheld", "bounced", "failed", "suppressed", "unknown"]),
            ),
        ]

    def __str__(self):
        return f"Delivery {self.pk}"


class Outage(models.Model):
    """One channel's trouble with its provider: after several failures in a row nothing is handed over for a while."""

    channel = models.CharField(max_length=10, primary_key=True, choices=Way.choices)
    failures = models.PositiveIntegerField(default=0, help_text="In a row.")
    since = models.DateTimeField(null=True, help_text="The first of these failures.")
    until = models.DateTimeField(null=True, help_text="Nothing is handed over before.")
    reason = models.CharField(max_length=60, blank=True)

    def __str__(self):
        return f"{self.channel}: {self.failures} failures"


class Pace(models.Model):
    """When a channel's provider may be handed the next message; by the database's clock, for all senders together."""

    channel = models.CharField(max_length=10, primary_key=True, choices=Way.choices)
    next_at = models.DateTimeField()

    def __str__(self):
        return self.channel


class Suppression(models.Model):
    """An address that is never written to again, known only by its keyed hash, so that it outlives erasure."""

    class Why(models.TextChoices):
        BOUNCE = "bounce", _("mail came back")
        COMPLAINT = "complaint", _("complained about spam")
        UNSUBSCRIBED = "unsubscribed", _("unsubscribed")
        ERASED = "erased", _("was forgotten")
        BY_HAND = "by hand", _("by hand")

    channel = models.CharField(max_length=10, choices=Way.choices)
    address_hash = models.BinaryField(max_length=32)
    why = models.CharField(max_length=12, choices=Why.choices)
    marketing_only = models.BooleanField(default=False)
    since = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["channel", "address_hash"], name="suppressed_once")]
        permissions = [("lift_suppression", "Can let an address be written to again")]

    def __str__(self):
        return f"{self.get_channel_display()}: {self.get_why_display()}"
