"""Everything else that customers and visitors do."""

from django.db import models
from django.db.models import Q

from retention.customers.models.orders import Order
from retention.customers.models.people import Customer
from retention.customers.models.products import Product
from retention.marks import MarkField


class ActivityKind(models.Model):
    """A kind of activity and the properties it may carry; the built-in ones are seeded, shops declare more."""

    key = models.CharField(max_length=60, unique=True)
    label = models.CharField(max_length=100)
    schema = models.JSONField(default=dict, blank=True, help_text="JSON Schema of its properties.")
    is_built_in = models.BooleanField(default=False, editable=False)

    class Meta:
        ordering = ["key"]

    def __str__(self):
        return self.label


class KnownVisitor(models.Model):
    """A visitor's key that turned out to be a customer's, with the visitor's agreement; the first customer keeps it."""

    visitor_key = models.CharField(max_length=64, null=True, unique=True, help_text="NULL once it was forgotten.")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="visitors")
    joined_at = models.DateTimeField()
    xid = MarkField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(visitor_key=""), name="visitor_key_is_null_not_empty")]

    def __str__(self):
        return f"Visitor of customer {self.customer_id}"


class Activity(models.Model):
    """One thing that happened: `occurred_at` is when, `recorded_at` when we learned it. Logic reads the first."""

    kind = models.CharField(max_length=60)
    reference = models.CharField(max_length=100, null=True, unique=True)
    customer = models.ForeignKey(
        Customer, null=True, on_delete=models.PROTECT, related_name="activities", db_index=False
    )
    visitor_key = models.CharField(max_length=64, blank=True, help_text="Of a visitor not known yet.")
    product = models.ForeignKey(Product, null=True, on_delete=models.PROTECT, related_name="+")
    order = models.ForeignKey(Order, null=True, on_delete=models.PROTECT, related_name="+")
    properties = models.JSONField(default=dict, blank=True)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    xid = MarkField()

    class Meta:
        verbose_name_plural = "activities"
        ordering = ["-occurred_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(customer__isnull=False) | ~Q(visitor_key=""), name="activity_is_someones"
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "kind", "occurred_at"], name="activity_by_customer"),
            models.Index(fields=["kind", "occurred_at"], name="activity_by_kind"),
            models.Index(fields=["visitor_key"], name="activity_by_visitor", condition=~Q(visitor_key="")),
            models.Index(fields=["xid"], name="activity_mark"),
        ]

    def __str__(self):
        return f"{self.kind} {self.occurred_at:%Y-%m-%d}"
