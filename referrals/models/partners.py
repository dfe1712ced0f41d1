"""Partners who are paid in cash: what they earned, and what was paid to them, never mixed with customers' credit."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from retention.ledger.models import Entry
from retention.public_ids import PublicIdField
from retention.shop.models import check_currency


class Partner(models.Model):
    """An affiliate. Her cash is in an account of the ledger of her own kind (`partner`), apart from all customers."""

    public_id = PublicIdField()
    reference = models.CharField(max_length=100, unique=True, help_text="The shop's own id of her.")
    name = models.CharField(max_length=120)
    email = models.EmailField(null=True, blank=True)
    payee = models.CharField(max_length=120, blank=True, help_text="Holder of the bank account.")
    iban = models.CharField(max_length=34, blank=True)
    tax_number = models.CharField(max_length=40, blank=True)
    basis_points = models.PositiveIntegerField(help_text="Her share of what is paid, in hundredths of a percent.")
    currency = models.CharField(max_length=3, validators=[check_currency])
    least_minor = models.BigIntegerField(default=0, help_text="Less than this is not paid out; it waits.")
    is_active = models.BooleanField(default=True)
    has_link = models.BooleanField(default=True, editable=False, help_text="To her statement.")
    link_number = models.PositiveIntegerField(
        default=1, editable=False, help_text="Signed into the link to her statement; another one ends the link."
    )
    created_at = models.DateTimeField(editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(basis_points__lte=10_000), name="partner_share_is_a_share"),
            models.CheckConstraint(condition=Q(least_minor__gte=0), name="partner_least_is_not_negative"),
        ]

    def __str__(self):
        return self.name or f"Partner {self.pk}"


class Commission(models.Model):
    """What one referral's order earned a partner: hers once its hold has passed, taken back with a return."""

    referral = models.OneToOneField("Referral", on_delete=models.PROTECT, related_name="commission")
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="commissions")
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="+")
    paid_minor = models.BigIntegerField(help_text="What the friend had paid for then, in the order's currency.")
    of_minor = models.BigIntegerField(help_text="The same in the partner's currency, at the rate of the order's day.")
    amount_minor = models.BigIntegerField(help_text="As it was earned, in the partner's currency.")
    taken_back_minor = models.BigIntegerField(default=0)
    basis_points = models.PositiveIntegerField(help_text="Her share as it was then.")
    earned_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, taken_back_minor__gte=0, taken_back_minor__lte=F("amount_minor")),
                name="commission_only_shrinks",
            ),
        ]

    def __str__(self):
        return f"Commission {self.pk}"


class PayoutBatch(models.Model):
    """Payouts of one day: drawn up by one person, approved by another, then paid."""

    class State(models.TextChoices):
        DRAFT = "draft", "to be approved"
        APPROVED = "approved", "approved, to be paid"
        PAID = "paid"
        CANCELLED = "cancelled"

    public_id = PublicIdField()
    currency = models.CharField(max_length=3, validators=[check_currency])
    state = models.CharField(max_length=9, choices=State.choices, default=State.DRAFT)
    drawn_up_at = models.DateTimeField()
    drawn_up_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Empty: over the API.",
    )
    approved_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    paid_at = models.DateTimeField(null=True)
    reference = models.CharField(max_length=60, blank=True, help_text="The bank's.")

    class Meta:
        verbose_name_plural = "payout batches"
        ordering = ["-id"]
        permissions = [("approve_payoutbatch", "Can approve payouts that somebody else drew up")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "paid"]) | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="payouts_are_approved_before_paid",
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=F("drawn_up_by")), name="payouts_need_two_people"
            ),
        ]

    def __str__(self):
        return f"Payouts {self.pk}"


class Payout(models.Model):
    """What one partner is paid in one batch; set aside when it is drawn up, so that it cannot be paid twice."""

    batch = models.ForeignKey(PayoutBatch, on_delete=models.PROTECT, related_name="payouts", db_index=False)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="payouts")
    amount_minor = models.BigIntegerField()
    hold_id = models.BigIntegerField(help_text="The ledger's hold that set it aside.")
    entry = models.OneToOneField(Entry, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "partner"], name="a_partner_once_a_batch"),
            models.UniqueConstraint(fields=["hold_id"], name="a_hold_once_a_payout"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payout_pays_something"),
        ]

    def __str__(self):
        return f"Payout {self.pk}"
