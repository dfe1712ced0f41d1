"""What can be given and to whom it was, what is typed at a checkout, each use of it, and the counters that limit it."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from retention.audit.models import Version
from retention.customers.models import Customer
from retention.marks import MarkField
from retention.public_ids import PublicIdField
from retention.shop.models import check_currency


class Incentive(models.Model):
    """What can be given. Its whole rule is the data of its version; the columns here are what queries need of it."""

    class Kind(models.TextChoices):
        PERCENT = "percent"
        AMOUNT = "amount"
        FIXED_PRICE = "fixed_price", "fixed price"
        FREE_SHIPPING = "free_shipping", "free shipping"
        FREE_PRODUCT = "free_product", "free product"
        BUY_GET = "buy_get", "buy some, get some"
        BUNDLE_PRICE = "bundle_price", "bundle price"
        TIERS = "tiers", "spend more, save more"
        CASH_BACK = "cash_back", "cash back"
        FREE_TRIAL = "free_trial", "free trial"
        GIFT_CARD = "gift_card", "gift card"
        STORE_CREDIT = "store_credit", "store credit"
        POINTS = "points"
        CASH = "cash"
        ACCESS = "access"
        EXPERIENCE = "experience"

    class State(models.TextChoices):
        DRAFT = "draft"
        LIVE = "live"
        STOPPED = "stopped"

    class CodeKind(models.TextChoices):
        UNIQUE = "unique", "one code for each customer"
        PUBLIC = "public", "one public code"

    public_id = PublicIdField()
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20, choices=Kind.choices, help_text="Of its first effect.")
    code_kind = models.CharField(max_length=10, choices=CodeKind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    version = models.ForeignKey(Version, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(starts_at__lt=F("ends_at")),
                name="incentive_is_half_open",
            ),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(version__isnull=False), name="incentive_is_written_before_live"
            ),
        ]
        permissions = [
            ("stop_incentive", "Can stop an offer everywhere"),
            ("import_code", "Can import codes"),
            ("export_code", "Can export codes"),
        ]

    def __str__(self):
        return self.name


class Grant(models.Model):
    """One incentive given to one customer for one reason; whatever its kind, value leaves only as one of these."""

    class State(models.TextChoices):
        ACTIVE = "active"
        RETURNED = "returned", "returned unsent"
        VOID = "void"

    incentive = models.ForeignKey(Incentive, on_delete=models.PROTECT, related_name="grants", db_index=False)
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+", db_index=False)
    customer = models.ForeignKey(Customer, null=True, on_delete=models.PROTECT, related_name="grants", db_index=False)
    source = models.CharField(max_length=120, db_collation="C", help_text="Idempotency key: one reason, one grant.")
    origin = models.CharField(max_length=40, help_text="On whose behalf, such as `campaigns.touch`.")
    origin_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    #: What was decided for this customer alone and frozen here, such as {"amount_minor": 1200, "products": ["SKU"]}.
    terms = models.JSONField(default=dict)
    granted_at = models.DateTimeField()
    granted_by = models.CharField(max_length=80, help_text="The actor's name.")
    expires_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    xid = MarkField()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["source"], name="one_grant_a_source")]
        indexes = [
            models.Index(fields=["customer", "-id"], name="grant_by_customer"),
            models.Index(fields=["origin", "origin_id"], name="grant_by_origin"),
            models.Index(fields=["incentive", "-id"], name="grant_by_incentive"),
        ]

    def __str__(self):
        return f"Grant {self.pk}"


class CodeBatch(models.Model):
    """Codes made or imported together: how many were asked for and are there; the record that resumes the work."""

    class Purpose(models.TextChoices):
        HANDOUT = "handout", "to be handed out elsewhere: they work at once"
        POOL = "pool", "to be granted one by one: each works once it is given"

    class State(models.TextChoices):
        WAITING = "waiting", "being made"
        DONE = "done"

    public_id = PublicIdField()
    incentive = models.ForeignKey(Incentive, on_delete=models.PROTECT, related_name="batches")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+", db_index=False)
    source = models.CharField(max_length=120, db_collation="C", help_text="Idempotency key.")
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    wanted = models.PositiveIntegerField()
    made = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Of its codes.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "code batches"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["source"], name="one_batch_a_source"),
            models.CheckConstraint(condition=Q(made__lte=F("wanted")), name="not_more_made_than_wanted"),
        ]

    def __str__(self):
        return f"{self.wanted} codes"


class Code(models.Model):
    """What a customer types. Kept in its normal form: upper case, without spaces or dashes."""

    class State(models.TextChoices):
        FREE = "free"
        RESERVED = "reserved", "reserved until its message is accepted"
        GIVEN = "given"
        REDEEMED = "redeemed"
        VOID = "void"

    #: In these states a code is out, or on its way out.
    OUT = ("reserved", "given")

    code = models.CharField(max_length=60, db_collation="C")
    incentive = models.ForeignKey(Incentive, on_delete=models.PROTECT, related_name="codes", db_index=False)
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+", db_index=False)
    batch = models.ForeignKey(
        CodeBatch, null=True, on_delete=models.PROTECT, related_name="codes", db_index=False, editable=False
    )
    grant = models.OneToOneField(Grant, null=True, on_delete=models.PROTECT, related_name="code")
    customer = models.ForeignKey(
        Customer,
        null=True,
        on_delete=models.PROTECT,
        related_name="codes",
        db_index=False,
        help_text="Whose it is; whether only she may use it, the rule says.",
    )
    is_public = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.FREE)
    starts_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    given_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["code"], name="one_code_a_text"),
            models.UniqueConstraint(
                fields=["incentive"], condition=Q(is_public=True) & ~Q(state="void"), name="one_public_code"
            ),
            models.CheckConstraint(condition=Q(code__regex=r"^[A-Z0-9_]{3,60}$"), name="code_is_in_normal_form"),
            models.CheckConstraint(
                condition=~Q(state="free") | Q(grant=None, customer=None), name="free_code_is_nobodys"
            ),
        ]
        indexes = [
            models.Index(fields=["incentive", "-id"], name="code_by_incentive"),
            models.Index(fields=["incentive", "id"], name="code_free", condition=Q(state="free")),
            models.Index(fields=["customer", "-id"], name="code_by_customer", condition=Q(customer__isnull=False)),
            models.Index(
                fields=["expires_at"], name="code_expiring", condition=Q(state="given", expires_at__isnull=False)
            ),
        ]

    def __str__(self):
        return self.code


class Counter(models.Model):
    """One limit's kept count, in a row of its own: a foreign key to a row that all update would slow every checkout.

    Counts lie in rows without a currency, money in a row for each currency. A person is counted by number and by
    the keyed hash of her email, so that a guest who becomes a customer does not begin again. Grants have a row of
    their own, so that a long campaign never keeps a checkout waiting.
    """

    class Scope(models.TextChoices):
        INCENTIVE = "incentive"
        ISSUE = "issue", "what was given of an incentive"
        CODE = "code"
        CUSTOMER = "customer"
        EMAIL = "email", "keyed hash of an email"

    incentive_id = models.BigIntegerField()
    scope = models.CharField(max_length=10, choices=Scope.choices)
    subject_id = models.BigIntegerField(default=0, help_text="The code, customer or hash; 0 for the incentive itself.")
    currency = models.CharField(max_length=3, blank=True, default="", help_text="Of the money; empty for counts.")
    issued = models.BigIntegerField(default=0)
    redeemed = models.BigIntegerField(default=0)
    spent_minor = models.BigIntegerField(default=0)
    is_stopped = models.BooleanField(
        default=False, help_text="Of an incentive's two own rows: stop meets redeem on one and grant on the other."
    )
    version_id = models.BigIntegerField(null=True, help_text="Of the issue row: what is given now.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["incentive_id", "scope", "subject_id", "currency"], name="one_counter_a_limit"
            ),
            models.CheckConstraint(
                condition=Q(issued__gte=0, redeemed__gte=0, spent_minor__gte=0), name="counters_are_not_negative"
            ),
        ]

    def __str__(self):
        return f"{self.scope} {self.subject_id} of {self.incentive_id}"


class Redemption(models.Model):
    """One use at a checkout. `source` is its idempotency record; the answer can be given again from the row."""

    public_id = PublicIdField()
    source = models.CharField(max_length=300, db_collation="C")
    request_hash = models.BinaryField(max_length=32)
    code = models.ForeignKey(Code, on_delete=models.PROTECT, related_name="redemptions")
    incentive_id = models.BigIntegerField()
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+", db_index=False)
    customer = models.ForeignKey(
        Customer, null=True, on_delete=models.PROTECT, related_name="redemptions", db_index=False
    )
    email_key = models.BigIntegerField(null=True, help_text="Keyed hash of the email it was counted under.")
    order_reference = models.CharField(max_length=100)
    currency = models.CharField(max_length=3, validators=[check_currency])
    discount_minor = models.BigIntegerField()
    base_minor = models.BigIntegerField(help_text="The discount in the base currency.")
    effects = models.JSONField(help_text="What was applied, per line and to shipping.")
    redeemed_at = models.DateTimeField()
    rolled_back_at = models.DateTimeField(null=True)
    rollback_source = models.CharField(max_length=300, null=True, db_collation="C")
    rollback_reason = models.CharField(max_length=120, blank=True)
    is_use_given_back = models.BooleanField(
        default=False, help_text="Rolled back and may be used again; otherwise only its money came back."
    )
    xid = MarkField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["source"], name="one_redemption_a_source"),
            models.UniqueConstraint(
                fields=["rollback_source"], condition=Q(rollback_source__isnull=False), name="one_rollback_a_source"
            ),
            models.CheckConstraint(
                condition=Q(discount_minor__gt=0, base_minor__gte=0), name="redemption_brings_something"
            ),
            models.CheckConstraint(
                condition=Q(rolled_back_at=None, rollback_source=None)
                | Q(rolled_back_at__isnull=False, rollback_source__isnull=False),
                name="rolled_back_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["incentive_id", "-id"], name="redemption_by_incentive"),
            models.Index(fields=["customer", "-id"], name="redemption_by_customer"),
            models.Index(fields=["order_reference"], name="redemption_by_order"),
            models.Index(fields=["redeemed_at"], name="redemption_by_day"),
        ]

    def __str__(self):
        return f"Redemption {self.public_id}"
