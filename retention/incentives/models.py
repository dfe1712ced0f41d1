"""What can be given and to whom it was, what is typed at a checkout, each use of it, and the counters that limit it."""

from django.db import models
from django.db.models import Q

from retention.audit.models import Version
from retention.customers.models import Customer
from retention.customers.models.people import UUID7
from retention.marks import MarkField
from retention.shop.models import check_currency


class Incentive(models.Model):
    """What can be given. Its whole rule is the data of its version; the columns here are what queries need of it."""

    class Kind(models.TextChoices):
        PERCENT = "percent"
        AMOUNT = "amount"
        FREE_SHIPPING = "free_shipping", "free shipping"

    class State(models.TextChoices):
        DRAFT = "draft"
        LIVE = "live"
        STOPPED = "stopped"

    class CodeKind(models.TextChoices):
        UNIQUE = "unique", "one code for each customer"
        PUBLIC = "public", "one public code"

    public_id = models.UUIDField(db_default=UUID7(), unique=True, editable=False)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    code_kind = models.CharField(max_length=10, choices=CodeKind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    version = models.ForeignKey(Version, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
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

    incentive = models.ForeignKey(Incentive, on_delete=models.PROTECT, related_name="grants")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, null=True, on_delete=models.PROTECT, related_name="grants")
    source = models.CharField(max_length=120, unique=True, help_text="Idempotency key: one reason, one grant.")
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
        indexes = [
            models.Index(fields=["customer", "-id"], name="grant_by_customer"),
            models.Index(fields=["origin", "origin_id"], name="grant_by_origin"),
            models.Index(fields=["incentive", "-id"], name="grant_by_incentive"),
        ]

    def __str__(self):
        return f"Grant {self.pk}"


class Code(models.Model):
    """What a customer types. Kept in its normal form: upper case, without spaces or dashes."""

    class State(models.TextChoices):
        FREE = "free"
        RESERVED = "reserved", "reserved until its message is accepted"
        GIVEN = "given"
        REDEEMED = "redeemed"
        VOID = "void"

    code = models.CharField(max_length=60, unique=True)
    incentive = models.ForeignKey(Incentive, on_delete=models.PROTECT, related_name="codes")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    grant = models.OneToOneField(Grant, null=True, on_delete=models.PROTECT, related_name="code")
    customer = models.ForeignKey(Customer, null=True, on_delete=models.PROTECT, related_name="codes")
    is_public = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.FREE)
    starts_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    given_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=r"^[A-Z0-9_]{3,60}$"), name="code_is_in_normal_form"),
        ]
        indexes = [
            models.Index(fields=["incentive", "-id"], name="code_by_incentive"),
            models.Index(fields=["incentive", "id"], name="code_free", condition=Q(state="free")),
            models.Index(fields=["customer", "-id"], name="code_by_customer"),
            models.Index(
                fields=["expires_at"], name="code_expiring", condition=Q(state="given", expires_at__isnull=False)
            ),
        ]

    def __str__(self):
        return self.code


class Counter(models.Model):
    """One limit's kept count, in a row of its own: a foreign key to a row that all update would slow every checkout."""

    class Scope(models.TextChoices):
        INCENTIVE = "incentive"
        CODE = "code"
        CUSTOMER = "customer"

    incentive_id = models.BigIntegerField()
    scope = models.CharField(max_length=10, choices=Scope.choices)
    subject_id = models.BigIntegerField(default=0, help_text="The code or customer; 0 for the incentive itself.")
    issued = models.BigIntegerField(default=0)
    redeemed = models.BigIntegerField(default=0)
    spent_minor = models.BigIntegerField(default=0)
    is_stopped = models.BooleanField(default=False, help_text="Of the incentive's own row: redeem and stop meet here.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["incentive_id", "scope", "subject_id"], name="one_counter_a_limit"),
            models.CheckConstraint(
                condition=Q(issued__gte=0, redeemed__gte=0, spent_minor__gte=0), name="counters_are_not_negative"
            ),
        ]

    def __str__(self):
        return f"{self.scope} {self.subject_id} of {self.incentive_id}"


class Redemption(models.Model):
    """One use at a checkout. `source` is its idempotency record; the answer can be given again from the row."""

    public_id = models.UUIDField(db_default=UUID7(), unique=True, editable=False)
    source = models.CharField(max_length=300, unique=True)
    request_hash = models.BinaryField(max_length=32)
    code = models.ForeignKey(Code, on_delete=models.PROTECT, related_name="redemptions")
    incentive_id = models.BigIntegerField()
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, null=True, on_delete=models.PROTECT, related_name="redemptions")
    order_reference = models.CharField(max_length=100)
    currency = models.CharField(max_length=3, validators=[check_currency])
    discount_minor = models.BigIntegerField()
    base_minor = models.BigIntegerField(help_text="The discount in the base currency.")
    effects = models.JSONField(help_text="What was applied, per line and to shipping.")
    redeemed_at = models.DateTimeField()
    rolled_back_at = models.DateTimeField(null=True)
    rollback_source = models.CharField(max_length=300, null=True, unique=True)
    rollback_reason = models.CharField(max_length=120, blank=True)
    xid = MarkField()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["incentive_id", "-id"], name="redemption_by_incentive"),
            models.Index(fields=["customer", "-id"], name="redemption_by_customer"),
            models.Index(fields=["order_reference"], name="redemption_by_order"),
            models.Index(fields=["redeemed_at"], name="redemption_by_day"),
        ]

    def __str__(self):
        return f"Redemption {self.public_id}"
