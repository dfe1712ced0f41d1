"""Moments that other systems name."""

from django.db import models

from retention.customers.models import Customer
from retention.marks import MarkField


class Call(models.Model):
    """Another system says: now, for this customer. Campaigns that listen to its name touch her; never changed."""

    name = models.SlugField(max_length=60, db_index=False, help_text="What campaigns listen to.")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="calls", db_index=False)
    source = models.CharField(max_length=100, help_text="The caller's own key: the same one calls once.")
    about = models.JSONField(default=dict, help_text="What messages may say of it.")
    at = models.DateTimeField()
    xid = MarkField()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["name", "customer", "source"], name="a_call_once")]
        indexes = [
            models.Index(fields=["name", "at"], name="call_by_name"),
            models.Index(fields=["customer", "-id"], name="call_by_customer"),
            models.Index(fields=["xid"], name="call_mark"),
        ]

    def __str__(self):
        return f"{self.name} {self.source}"
