"""Each use of what was given, what of it was undone, and the counters that limit both."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q

from retention.audit.models import Version
from retention.customers.models import Customer
from retention.documents import DocumentField
from retention.incentives.models.offers import Code
from retention.marks import MarkField
from retention.public_ids import PublicIdField
from retention.shop.models import check_currency


class Counter(models.Model):
    """One kept count, in a row of its own: a foreign key to a row that all update would slow every checkout.

    Counts lie in rows without a currency (`redeemed`), money in a row for each currency (`spent_minor`). A person is
    counted by number and by keyed hashes, so that a guest who becomes a customer does not begin again. Grants have a
    row of their own, so that a long campaign never keeps a checkout waiting. What counts over all incentives, such as
    a budget, has the incentive 0.

    Where a rush is expected, checkouts count on sixteen stripes. Each holds a lease (`most`) that is taken from the
    incentive's own row and counted there as if it were used, until it is given back.
    """

    class Scope(models.TextChoices):
        INCENTIVE = "incentive"
        STRIPE = "stripe", "a part of an incentive's count in a rush"
        ISSUE = "issue", "what was given of an incentive"
        CODE = "code"
        CUSTOMER = "customer"
        PERSON = "person", "keyed hash of an email, phone, address or payment"
        BUDGET = "budget", "what was used of a budget"
        BUDGET_ISSUE = "issue_budget", "what was given of a budget"

    incentive_id = models.BigIntegerField()
    scope = models.CharField(max_length=12, choices=Scope.choices)
    subject_id = models.BigIntegerField(
        default=0, help_text="The code, customer, hash, budget or stripe; 0 for the incentive itself."
    )
    period = models.CharField(
        max_length=12,
        blank=True,
        default="",
        db_default="",
        help_text="Of the shop's days: D2026-11-22, W2026-11-16, M2026-11; empty for all time.",
    )
    currency = models.CharField(max_length=3, blank=True, default="", help_text="Of the money; empty for counts.")
    issued = models.BigIntegerField(default=0)
    redeemed = models.BigIntegerField(default=0)
    spent_minor = models.BigIntegerField(default=0)
    most = models.BigIntegerField(null=True, help_text="The limit that was last asked for; of a stripe its lease.")
    is_stopped = models.BooleanField(
        default=False, help_text="Of an incentive's own rows and stripes: stop meets redeem and grant on them."
    )
    is_striped = models.BooleanField(
        default=False, db_default=False, help_text="Of an incentive's own rows: stripes count too."
    )
    version_id = models.BigIntegerField(null=True, help_text="Of the issue row: what is given now.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["incentive_id", "scope", "subject_id", "period", "currency"], name="one_counter_a_limit"
            ),
            models.CheckConstraint(
                condition=Q(issued__gte=0, redeemed__gte=0, spent_minor__gte=0), name="counters_are_not_negative"
            ),
            models.CheckConstraint(
                condition=~Q(scope="stripe") | Q(most=None) | Q(most__gte=F("redeemed") + F("spent_minor")),
                name="stripes_keep_to_their_lease",
            ),
        ]

    def __str__(self):
        return f"{self.scope} {self.subject_id} of {self.incentive_id}"


class Redemption(models.Model):
    """One order's use of offers at the checkout. `source` is its idempotency record; its answer is in the row.

    A hold is one that is not redeemed yet: it counts at once, until it is redeemed or released.
    """

    class State(models.TextChoices):
        HELD = "held"
        REDEEMED = "redeemed"
        ROLLED_BACK = "rolled_back", "rolled back whole"
        RELEASED = "released", "held and released"

    public_id = PublicIdField()
    source = models.CharField(max_length=300, db_collation="C")
    request_hash = models.BinaryField(max_length=32)
    hold_source = models.CharField(
        max_length=300, null=True, db_collation="C", help_text="Of what was held before it was redeemed."
    )
    state = models.CharField(max_length=12, choices=State.choices)
    customer = models.ForeignKey(
        Customer, null=True, on_delete=models.PROTECT, related_name="redemptions", db_index=False
    )
    persons = ArrayField(
        models.BigIntegerField(),
        default=list,
        help_text="Keyed hashes that she was counted under: of her email, phone, address, payment.",
    )
    policy_id = models.BigIntegerField(null=True, help_text="The version of the checkout's policy it was decided by.")
    order_reference = models.CharField(max_length=100, blank=True)
    currency = models.CharField(max_length=3, validators=[check_currency])
    discount_minor = models.BigIntegerField()
    given_back_minor = models.BigIntegerField(default=0, db_default=0)
    base_minor = models.BigIntegerField(help_text="The discount in the base currency.")
    effects = DocumentField(help_text="What was applied, per line and to shipping, and by which offer.")
    held_until = models.DateTimeField(null=True)
    redeemed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, help_text="Rolled back whole, or released.")
    xid = MarkField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["source"], name="one_redemption_a_source"),
            models.UniqueConstraint(
                fields=["hold_source"], condition=Q(hold_source__isnull=False), name="one_redemption_a_hold"
            ),
            models.CheckConstraint(
                condition=Q(
                    discount_minor__gte=0,
                    base_minor__gte=0,
                    given_back_minor__gte=0,
                    given_back_minor__lte=F("discount_minor"),
                ),
                name="no_more_is_given_back_than_was_taken",
            ),
            models.CheckConstraint(
                condition=Q(state="held", held_until__isnull=False, redeemed_at=None, ended_at=None)
                | Q(state="released", held_until__isnull=False, redeemed_at=None, ended_at__isnull=False)
                | Q(state="redeemed", redeemed_at__isnull=False, ended_at=None)
                | Q(state="rolled_back", redeemed_at__isnull=False, ended_at__isnull=False),
                name="redemption_states_have_their_times",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-id"], name="redemption_by_customer"),
            models.Index(fields=["order_reference"], name="redemption_by_order"),
            models.Index(fields=["redeemed_at"], name="redemption_by_day"),
            models.Index(fields=["held_until"], name="redemption_held", condition=Q(state="held")),
            models.Index(fields=["xid"], name="redemption_mark"),
        ]

    def __str__(self):
        return f"Redemption {self.public_id}"


class Use(models.Model):
    """One offer's part in a redemption: what the counters count."""

    redemption = models.ForeignKey(Redemption, on_delete=models.PROTECT, related_name="uses")
    place = models.PositiveSmallIntegerField(help_text="Among the offers of the redemption's effects.")
    code = models.ForeignKey(
        Code, null=True, on_delete=models.PROTECT, related_name="uses", db_index=False, help_text="None: by itself."
    )
    incentive_id = models.BigIntegerField()
    #: Versions are append-only. A foreign key would lock the one of a hot campaign for every checkout.
    version = models.ForeignKey(
        Version, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    budget_id = models.BigIntegerField(null=True)
    budget_version_id = models.BigIntegerField(null=True, help_text="The limits it was counted by.")
    counted_by = ArrayField(
        models.BigIntegerField(),
        null=True,
        help_text="Versions whose limits began later and count it too: of the incentive, its budget, the policy.",
    )
    stripe = models.PositiveSmallIntegerField(null=True, help_text="Where it was counted, in a rush.")
    discount_minor = models.BigIntegerField()
    given_back_minor = models.BigIntegerField(default=0, db_default=0)
    is_counted = models.BooleanField(
        default=True, db_default=True, help_text="Still a use; otherwise undone and usable again."
    )
    used_at = models.DateTimeField()
    used_on = models.DateField(help_text="The shop's day.")
    rolling_for = ArrayField(
        models.BigIntegerField(),
        null=True,
        help_text="Where a rolling limit may ask: keyed hashes of who used it.",
    )

    class Meta:
        ordering = ["redemption_id", "place"]
        constraints = [
            models.CheckConstraint(
                condition=Q(given_back_minor__gte=0, given_back_minor__lte=F("discount_minor")),
                name="use_gives_no_more_back_than_it_took",
            ),
        ]
        indexes = [
            models.Index(fields=["incentive_id", "-id"], name="use_by_incentive"),
            models.Index(fields=["code", "-id"], name="use_by_code", condition=Q(code__isnull=False)),
            models.Index(fields=["budget_id", "-id"], name="use_by_budget", condition=Q(budget_id__isnull=False)),
            GinIndex(fields=["rolling_for"], name="use_rolling", condition=Q(rolling_for__isnull=False)),
        ]

    def __str__(self):
        return f"Use {self.pk}"


class Rollback(models.Model):
    """One undoing of a redemption, whole or of some lines; never changed."""

    redemption = models.ForeignKey(Redemption, on_delete=models.PROTECT, related_name="rollbacks")
    source = models.CharField(max_length=300, db_collation="C")
    reason = models.CharField(max_length=120)
    lines = models.JSONField(null=True, help_text="The lines and quantities asked for; empty for the whole.")
    discount_minor = models.BigIntegerField(help_text="Of the discount, given back.")
    effects = models.JSONField(help_text="What came back, per line and for shipping, and by which offer.")
    is_last = models.BooleanField(help_text="It left nothing of the redemption.")
    rolled_back_at = models.DateTimeField()
    xid = MarkField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["source"], name="one_rollback_a_source")]
        indexes = [models.Index(fields=["xid"], name="rollback_mark")]

    def __str__(self):
        return f"Rollback {self.pk}"
