"""Gift cards, and what an order was paid with."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from retention.incentives.models.offers import Code
from retention.incentives.models.uses import Redemption
from retention.ledger.models import Account, Entry, Hold
from retention.marks import MarkField
from retention.public_ids import PublicIdField
from retention.shop.models import check_currency


class GiftCard(models.Model):
    """A code with a balance. The balance is its account's; only what people decide about the card is here."""

    class State(models.TextChoices):
        INACTIVE = "inactive", "not activated yet"
        ACTIVE = "active"
        BLOCKED = "blocked"

    public_id = PublicIdField()
    code = models.OneToOneField(Code, on_delete=models.PROTECT, related_name="card")
    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="card")
    currency = models.CharField(max_length=3, validators=[check_currency])
    initial_minor = models.BigIntegerField(help_text="What it was made with.")
    products = ArrayField(models.CharField(max_length=100), default=list, blank=True, help_text="It pays for these")
    categories = ArrayField(
        models.CharField(max_length=200), default=list, blank=True, help_text="and these; both empty: for everything."
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    source = models.CharField(max_length=300, db_collation="C", help_text="Idempotency key.")
    expires_at = models.DateTimeField(null=True, help_text="Of what is put on it; what comes back may live longer.")
    made_at = models.DateTimeField()
    xid = MarkField()

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("make_giftcard", "Can make and top up gift cards"),
            ("block_giftcard", "Can block gift cards and free them"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["source"], name="one_card_a_source"),
            models.CheckConstraint(condition=Q(initial_minor__gt=0), name="card_is_worth_something"),
        ]

    def __str__(self):
        return f"…{self.code.code[-4:]}"


class Tender(models.Model):
    """What one gift card, or one unit of the customer's, paid of a redemption: held first, or spent at once."""

    redemption = models.ForeignKey(Redemption, on_delete=models.PROTECT, related_name="tenders")
    place = models.PositiveSmallIntegerField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    code = models.ForeignKey(Code, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    hold = models.ForeignKey(Hold, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    entry = models.ForeignKey(Entry, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    amount = models.BigIntegerField(help_text="In the smallest part of the account's unit.")
    amount_minor = models.BigIntegerField(help_text="What that was worth, in the order's currency.")
    lines = ArrayField(models.BigIntegerField(), help_text="Of each line, in minor units.")
    shipping_minor = models.BigIntegerField()
    given_back = models.BigIntegerField(default=0)
    given_back_minor = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["redemption_id", "place"]
        constraints = [
            models.UniqueConstraint(fields=["redemption", "place"], name="one_tender_a_place"),
            models.CheckConstraint(
                condition=Q(
                    amount__gt=0,
                    given_back__gte=0,
                    given_back__lte=F("amount"),
                    given_back_minor__gte=0,
                    given_back_minor__lte=F("amount_minor"),
                ),
                name="tender_gives_no_more_back_than_it_paid",
            ),
            models.CheckConstraint(
                condition=Q(entry__isnull=False) | Q(hold__isnull=False), name="tender_is_held_or_spent"
            ),
        ]
        indexes = [models.Index(fields=["account", "-id"], name="tender_by_account")]

    def __str__(self):
        return f"Tender {self.pk}"
