"""Orders with their lines and returns, in their own currency and in the shop's base currency."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from retention.customers.models.people import Customer
from retention.customers.models.products import Product
from retention.marks import MarkField
from retention.public_ids import PublicIdField
from retention.shop.models import check_currency


class Order(models.Model):
    """One checkout, by the shop's reference."""

    class State(models.TextChoices):
        PLACED = "placed"
        PAID = "paid"
        FULFILLED = "fulfilled"
        PARTIALLY_RETURNED = "partially_returned"
        RETURNED = "returned"
        CANCELLED = "cancelled"

    #: Orders in these states count as bought.
    BOUGHT = ("paid", "fulfilled", "partially_returned", "returned")

    public_id = PublicIdField()
    reference = models.CharField(max_length=100, unique=True)
    customer = models.ForeignKey(Customer, null=True, on_delete=models.PROTECT, related_name="orders", db_index=False)
    email = models.EmailField(null=True, blank=True, help_text="As given at the checkout; a guest is joined by it.")
    state = models.CharField(max_length=20, choices=State.choices)
    currency = models.CharField(max_length=3, validators=[check_currency])
    total_minor = models.BigIntegerField(help_text="What was paid: lines, less discounts, plus shipping; tax included.")
    base_minor = models.BigIntegerField(help_text="The total in the base currency at the day's rate.")
    shipping_minor = models.BigIntegerField(default=0)
    discount_minor = models.BigIntegerField(default=0, help_text="Off the whole order; lines carry their own.")
    tax_minor = models.BigIntegerField(default=0, help_text="Carried, never computed.")
    channel = models.CharField(max_length=40, blank=True)
    store = models.CharField(max_length=60, blank=True)
    payment_method = models.CharField(max_length=40, blank=True)
    address = models.CharField("delivery address", max_length=300, blank=True)
    city = models.CharField(max_length=100, blank=True)
    region = models.CharField(max_length=100, blank=True)
    postcode = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2, blank=True)
    codes = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    placed_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)
    fulfilled_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField()
    xid = MarkField()

    class Meta:
        ordering = ["-placed_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(total_minor__gte=0, shipping_minor__gte=0, discount_minor__gte=0, tax_minor__gte=0),
                name="order_amounts_are_not_negative",
            ),
            models.CheckConstraint(condition=~Q(email=""), name="order_email_is_null_not_empty"),
            models.CheckConstraint(
                condition=Q(country="") | Q(country__regex=r"^[A-Z]{2}$"), name="order_country_is_iso"
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "placed_at"], name="order_by_customer"),
            models.Index(fields=["placed_at"], name="order_by_day"),
            models.Index(fields=["xid"], name="order_mark"),
        ]
        permissions = [("import_order", "Can import orders"), ("export_order", "Can export orders")]

    def __str__(self):
        return self.reference


class OrderLine(models.Model):
    """One product on an order; `total = quantity × unit price − discount`."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines", db_index=False)
    position = models.PositiveSmallIntegerField()
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="order_lines")
    quantity = models.PositiveIntegerField()
    unit_price_minor = models.BigIntegerField()
    discount_minor = models.BigIntegerField(default=0)
    total_minor = models.BigIntegerField()
    returned_quantity = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["order", "position"]
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="one_line_a_position"),
            models.CheckConstraint(
                condition=Q(quantity__gte=1, unit_price_minor__gte=0, discount_minor__gte=0, total_minor__gte=0),
                name="line_amounts_are_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(total_minor=F("quantity") * F("unit_price_minor") - F("discount_minor")),
                name="line_total_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(returned_quantity__lte=F("quantity")), name="not_more_returned_than_bought"
            ),
        ]

    def __str__(self):
        return f"{self.order_id}/{self.position}"


class Return(models.Model):
    """What came back of an order, when and why."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="returns")
    reference = models.CharField(max_length=100, unique=True)
    reason = models.CharField(max_length=60, blank=True)
    amount_minor = models.BigIntegerField(help_text="Refunded, in the order's currency.")
    base_minor = models.BigIntegerField()
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    xid = MarkField()

    class Meta:
        ordering = ["-occurred_at"]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gte=0), name="refund_is_not_negative"),
        ]
        indexes = [models.Index(fields=["xid"], name="return_mark")]

    def __str__(self):
        return self.reference


class ReturnLine(models.Model):
    """How many of one line came back."""

    of = models.ForeignKey(Return, on_delete=models.PROTECT, related_name="lines")
    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="returns")
    quantity = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["of", "line"], name="a_line_once_a_return"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="something_came_back"),
        ]

    def __str__(self):
        return f"{self.quantity} of line {self.line_id}"
