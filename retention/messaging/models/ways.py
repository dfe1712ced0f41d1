"""What channels beside mail and text messages write to: devices, and the inbox on the shop's own pages."""

from django.db import models

from retention.customers.models import Customer
from retention.messaging.models.deliveries import Delivery
from retention.public_ids import PublicIdField


class PushSubscription(models.Model):
    """A browser or device that agreed to push notices; the shop's page hands it on."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="push_subscriptions")
    endpoint = models.URLField(max_length=500, unique=True)
    p256dh = models.CharField(max_length=120)
    auth = models.CharField(max_length=60)
    since = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, help_text="The push service knows it no more.")

    def __str__(self):
        return f"Device {self.pk}"


class InboxMessage(models.Model):
    """A message that customers read on the shop's own pages; it keeps its words, since nobody else does."""

    public_id = PublicIdField()
    delivery = models.OneToOneField(
        Delivery, to_field="public_id", on_delete=models.PROTECT, related_name="inbox_message"
    )
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="inbox", db_index=False)
    subject = models.TextField(blank=True)
    text = models.TextField(blank=True)
    url = models.TextField(blank=True)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["customer", "-id"], name="inbox_by_customer")]

    def __str__(self):
        return f"Inbox message {self.pk}"
