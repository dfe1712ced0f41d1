"""What can be given, to whom it was given, and what is typed at a checkout."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from retention.audit.models import Version
from retention.customers.models import Customer
from retention.marks import MarkField
from retention.public_ids import PublicIdField


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
        AUTOMATIC = "automatic", "no code: it applies by itself"

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
        indexes = [
            # Every checkout asks for these.
            models.Index(fields=["id"], name="incentive_automatic", condition=Q(code_kind="automatic", state="live")),
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
    budget_id = models.BigIntegerField(null=True, help_text="The Budget that its issue and its use count in.")
    granted_on = models.DateField(null=True, help_text="The shop's day, where a budget counts it.")
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
            models.Index(fields=["xid"], name="grant_mark"),
            models.Index(fields=["origin_id"], name="grant_of_guest", condition=Q(customer=None, state="active")),
            models.Index(
                fields=["budget_id", "granted_at"], name="grant_by_budget", condition=Q(budget_id__isnull=False)
            ),
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
    incentive = models.ForeignKey(
        Incentive,
        null=True,
        on_delete=models.PROTECT,
        related_name="codes",
        db_index=False,
        help_text="None: of a gift card that was sold.",
    )
    version = models.ForeignKey(Version, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
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
    is_card = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="Of a gift card: it pays, and takes nothing off."
    )
    applies_by_itself = models.BooleanField(
        default=False, db_default=False, help_text="At its customer's next order, typed or not."
    )
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
                condition=Q(is_card=True) | Q(incentive__isnull=False, version__isnull=False),
                name="code_is_of_an_offer_or_a_card",
            ),
            models.CheckConstraint(
                condition=~Q(state="free") | Q(grant=None, customer=None), name="free_code_is_nobodys"
            ),
        ]
        indexes = [
            models.Index(fields=["incentive", "-id"], name="code_by_incentive"),
            models.Index(fields=["incentive", "id"], name="code_free", condition=Q(state="free")),
            models.Index(fields=["customer", "-id"], name="code_by_customer", condition=Q(customer__isnull=False)),
            # Every checkout of a known customer asks for these.
            models.Index(fields=["customer"], name="code_own", condition=Q(applies_by_itself=True, state="given")),
            models.Index(
                fields=["expires_at"], name="code_expiring", condition=Q(state="given", expires_at__isnull=False)
            ),
        ]

    def __str__(self):
        return self.code
