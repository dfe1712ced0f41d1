"""One row of statistics per customer who has facts, kept by the operations that add them."""

from django.db import models

from retention.customers.models.people import Customer
from retention.customers.models.products import Product
from retention.marks import MarkField


class CustomerStats(models.Model):
    """What a customer's orders and activities amount to; money in the base currency. Cancelled orders do not count.

    Whoever has done nothing yet has no row, which says the same as one of noughts.
    """

    customer = models.OneToOneField(Customer, primary_key=True, on_delete=models.CASCADE, related_name="stats")
    orders = models.PositiveIntegerField(default=0)
    items = models.PositiveIntegerField(default=0)
    first_order_at = models.DateTimeField(null=True)
    last_order_at = models.DateTimeField(null=True)
    spend_minor = models.BigIntegerField(default=0, help_text="Paid less refunded.")
    refunds_minor = models.BigIntegerField(default=0)
    discounts_minor = models.BigIntegerField(default=0)
    average_order_minor = models.BigIntegerField(null=True)
    days_between_orders = models.FloatField(null=True, help_text="Mean; known from the second order on.")
    discount_share = models.FloatField(null=True, help_text="Discounts over what the orders would have cost without.")
    favourite_product = models.ForeignKey(Product, null=True, on_delete=models.PROTECT, related_name="+")
    favourite_category = models.CharField(max_length=200, blank=True)
    last_seen_at = models.DateTimeField(null=True)
    last_opened_at = models.DateTimeField(null=True, help_text="A message, by a human.")
    xid = MarkField()

    class Meta:
        verbose_name_plural = "customer statistics"
        indexes = [
            models.Index(fields=["last_order_at"], name="stats_last_order"),
            models.Index(fields=["spend_minor"], name="stats_spend"),
            models.Index(fields=["xid"], name="stats_mark"),
        ]

    @classmethod
    def of(cls, customer: Customer) -> "CustomerStats":
        """Her row, or one of noughts that is not in the database."""
        return getattr(customer, "stats", None) or cls(customer=customer)

    def __str__(self):
        return f"Statistics of customer {self.customer_id}"
