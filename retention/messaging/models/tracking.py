"""What became of messages after they left: events, kept for ever, counts over them, and pauses on bad rates."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from retention.audit.models import Version
from retention.marks import MarkField
from retention.messaging.models.deliveries import Delivery
from retention.messaging.models.templates import Way
from retention.shop.models import Staff


class Event(models.Model):
    """Something that happened to a message that left; append-only. No address and no words of anybody."""

    class Kind(models.TextChoices):
        DELIVERED = "delivered", _("delivered")
        OPENED = "opened", _("opened")
        CLICKED = "clicked", _("clicked")
        SOFT_BOUNCED = "soft_bounced", _("bounced for now")
        BOUNCED = "bounced", _("bounced for good")
        COMPLAINED = "complained", _("complained about as spam")
        UNSUBSCRIBED = "unsubscribed", _("unsubscribed")

    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    is_machine = models.BooleanField(default=False, help_text="A scanner or a prefetching mail program, not a person.")
    link = models.SmallIntegerField(null=True, help_text="Which of the message's links, from 0.")
    source = models.CharField(max_length=120, unique=True, help_text="Whoever tells it twice is heard once.")
    detail = models.CharField(max_length=60, blank=True, help_text="The provider's status or reason code.")
    xid = MarkField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["xid"], name="event_by_mark")]

    def __str__(self):
        return f"{self.kind} {self.delivery_id}"


class Tally(models.Model):
    """Counts of what became of messages; a count is the sum over its rows, which a job folds together."""

    origin = models.CharField(max_length=40)
    group_id = models.BigIntegerField(null=True, help_text="Such as the campaign.")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=10, choices=Way.choices)
    day = models.DateField(help_text="In UTC.")
    kind = models.CharField(
        max_length=12, help_text="sent, withheld, unknown, unsent, or the kind of an event: the first of its message."
    )
    is_machine = models.BooleanField(default=False)
    count = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "tallies"
        indexes = [
            models.Index(fields=["version", "kind"], name="tally_by_version"),
            models.Index(fields=["origin", "group_id", "kind"], name="tally_by_group"),
            models.Index(fields=["day", "channel", "kind"], name="tally_by_day"),
        ]

    def __str__(self):
        return f"{self.kind} {self.count}"


class Pause(models.Model):
    """A campaign's, or a whole channel's, marketing rests because too much of it went wrong, until somebody looks."""

    channel = models.CharField(max_length=10, choices=Way.choices, blank=True, help_text="A whole channel, or empty.")
    origin = models.CharField(max_length=40, blank=True)
    group_id = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=60)
    params = models.JSONField(default=dict)
    counted = models.JSONField(default=dict, help_text="What had been counted when it was lifted; only more counts.")
    since = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(Staff, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        permissions = [("lift_pause", "Can let a paused campaign or channel send again")]
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "origin", "group_id"],
                nulls_distinct=False,
                condition=Q(lifted_at=None),
                name="paused_once",
            )
        ]

    def __str__(self):
        return f"Pause {self.pk}"
