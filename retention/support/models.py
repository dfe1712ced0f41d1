"""Complaints, what was given for them, and how much an agent may give."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from retention.customers.models import Customer, Order, OrderLine, Product
from retention.incentives.models import Grant, Incentive
from retention.messaging.models import Template


class Desk(models.Model):
    """What the sorry desk gives and says: one row, made by the seeds and edited by leads."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    incentive = models.ForeignKey(
        Incentive, on_delete=models.PROTECT, related_name="+", help_text="Its amount is decided grant by grant."
    )
    template = models.ForeignKey(Template, on_delete=models.PROTECT, related_name="+")
    valid_days = models.PositiveSmallIntegerField(default=60, help_text="How long a coupon given here is good for.")
    repeat_days = models.PositiveSmallIntegerField(
        default=60, help_text="A customer made whole within so many days brings up a warning."
    )

    class Meta:
        verbose_name = verbose_name_plural = "sorry desk"
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="desk_is_single"),
            models.CheckConstraint(condition=Q(valid_days__gte=1), name="a_coupon_lives_a_day"),
        ]

    def __str__(self):
        return "Sorry desk"


class Reason(models.Model):
    """Why customers complain, and what makes them whole."""

    key = models.SlugField(max_length=40, unique=True)
    label = models.CharField(max_length=80)
    percent = models.PositiveSmallIntegerField(
        "suggested share in %", default=20, help_text="Of what the line or the order cost; only a suggestion."
    )
    is_active = models.BooleanField("offered to agents", default=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "label"]
        constraints = [models.CheckConstraint(condition=Q(percent__lte=100), name="share_is_a_share")]

    def __str__(self):
        return self.label


class Case(models.Model):
    """One complaint of one customer."""

    source = models.CharField(
        max_length=80, unique=True, editable=False, help_text="Idempotency key: one form, one case."
    )
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="cases")
    reason = models.ForeignKey(Reason, on_delete=models.PROTECT, related_name="cases")
    order = models.ForeignKey(Order, null=True, blank=True, on_delete=models.PROTECT, related_name="cases")
    line = models.ForeignKey(OrderLine, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=20, blank=True)
    words = models.TextField("own words", blank=True, help_text="Added to the message; scrubbed on erasure.")
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["customer", "-opened_at"], name="case_by_customer")]

    def __str__(self):
        return f"Case {self.pk}"


class Compensation(models.Model):
    """What an agent gave for a case; counts against her allowance of the day until undone."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="compensations")
    grant = models.OneToOneField(Grant, on_delete=models.PROTECT, related_name="compensation")
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    base_minor = models.BigIntegerField()
    day = models.DateField(help_text="Of the allowance it came from, in the shop's zone.")
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    given_at = models.DateTimeField()
    is_sent = models.BooleanField(help_text="By mail; otherwise shown to be pasted.")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    undone_why = models.CharField(max_length=60, blank=True, help_text="`undone`, or why its mail ended unsent.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0, base_minor__gt=0), name="something_was_given"),
            models.CheckConstraint(
                condition=Q(undone_at=None, undone_why="") | Q(undone_at__isnull=False) & ~Q(undone_why=""),
                name="undone_for_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["given_by", "day"], name="compensation_by_agent")]
        permissions = [("undo_any_compensation", "Can undo what colleagues gave")]

    def __str__(self):
        return f"Compensation {self.pk}"


class AgentLimit(models.Model):
    """How much one member of staff may give, in the base currency; without a row, nothing."""

    staff = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="agent_limit")
    per_case_minor = models.BigIntegerField()
    per_day_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(per_case_minor__gte=0, per_day_minor__gte=0), name="limits_not_negative"
            ),
        ]
        verbose_name = "limit of an agent"
        verbose_name_plural = "limits of agents"

    def __str__(self):
        return f"Limit of {self.staff}"


class Allowance(models.Model):
    """What a member of staff has given on one day of the shop: a guarded counter."""

    staff = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    spent_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["staff", "day"], name="one_allowance_a_day"),
            models.CheckConstraint(condition=Q(spent_minor__gte=0), name="allowance_not_negative"),
        ]

    def __str__(self):
        return f"{self.staff_id} {self.day}"
