"""Addresses of other programs, what each of them is told, and every try to tell it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from retention.customers.models import Customer
from retention.marks import Xid8Field
from retention.public_ids import PublicIdField


class Endpoint(models.Model):
    """Where another program hears of what happens here, and of which kinds. Its secret is derived, never stored."""

    class Off(models.TextChoices):
        HAND = "hand", "by hand"
        GONE = "gone", "it answered that it is gone (410)"
        FAILING = "failing", "it took nothing for five days"

    public_id = PublicIdField()
    name = models.CharField(max_length=80)
    url = models.CharField("address", max_length=500)
    kinds = ArrayField(models.CharField(max_length=60), default=list, help_text="What it is told; none is nothing.")
    generation = models.PositiveIntegerField(default=1, editable=False, help_text="Of its secret.")
    earlier_until = models.DateTimeField(
        null=True, editable=False, help_text="Until then the secret before the present one signs too."
    )
    is_on = models.BooleanField(default=True, editable=False)
    off_why = models.CharField(max_length=7, blank=True, choices=Off.choices, editable=False)
    off_at = models.DateTimeField(null=True, editable=False)
    #: Facts of transactions before it were looked at, and so were all that are a week older than the last look.
    mark = Xid8Field(editable=False)
    since_at = models.DateTimeField(editable=False, help_text="What happened before is not told.")
    followed_at = models.DateTimeField(editable=False)
    failing_since = models.DateTimeField(null=True, editable=False, help_text="Its first failure after a success.")
    succeeded_at = models.DateTimeField("last success", null=True, editable=False)
    #: Requests of the API are answered again from here: an answer that was kept would hold the secret.
    made_by = models.CharField(max_length=100, null=True, unique=True, editable=False, help_text="Idempotency key.")
    made_of = models.CharField(max_length=64, blank=True, editable=False, help_text="Hash of that request.")
    rotated_by = models.CharField(max_length=100, blank=True, editable=False, help_text="Of the last rotation.")
    created_at = models.DateTimeField(editable=False)
    archived_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["name"]
        permissions = [("reveal_endpoint", "Can see and replace the secrets of endpoints")]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_on=True, off_why="", off_at=None)
                | Q(is_on=False, off_at__isnull=False) & ~Q(off_why=""),
                name="endpoint_is_off_for_a_reason",
            ),
            models.CheckConstraint(condition=Q(archived_at=None) | Q(is_on=False), name="an_archived_endpoint_is_off"),
        ]

    def __str__(self):
        return self.name


class Notice(models.Model):
    """One fact that one endpoint is told of: once, however often it is tried. Its body is made when it is sent."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DELIVERED = "delivered"
        GIVEN_UP = "given_up", "given up"

    #: `webhook-id`: the same for every try and replay.
    public_id = PublicIdField()
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="notices", db_index=False)
    kind = models.CharField(max_length=60)
    reference = models.CharField(max_length=120, db_collation="C", help_text="The fact that it is of.")
    customer = models.ForeignKey(Customer, null=True, on_delete=models.PROTECT, related_name="+")
    occurred_at = models.DateTimeField("happened")
    data = models.JSONField(help_text="Public ids, keys, codes and amounts; nothing that names a person.")
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0, help_text="Since it was first told, or asked for again.")
    next_at = models.DateTimeField("tried next", null=True)
    lease_until = models.DateTimeField(null=True)
    replayed_by = models.CharField(max_length=80, blank=True, help_text="Who asked for it to be sent again.")
    recorded_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        permissions = [("replay_notice", "Can send notices again")]
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "kind", "reference"], name="told_once_an_endpoint"),
            models.CheckConstraint(
                condition=Q(state="waiting", next_at__isnull=False, ended_at=None)
                | Q(state__in=["delivered", "given_up"], next_at=None, lease_until=None, ended_at__isnull=False),
                name="notice_waits_or_has_ended",
            ),
        ]
        indexes = [
            models.Index(fields=["endpoint", "next_at", "id"], name="notice_due", condition=Q(state="waiting")),
            models.Index(fields=["endpoint", "-id"], name="notice_by_endpoint"),
            models.Index(fields=["ended_at"], name="notice_ended", condition=Q(ended_at__isnull=False)),
        ]

    def __str__(self):
        return f"{self.kind} {self.public_id}"


class Attempt(models.Model):
    """One call for one notice and what came of it; never changed."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="attempts")
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True, help_text="Of the answer over HTTP.")
    why = models.CharField(max_length=40, blank=True, help_text="Code of why there was none.")
    milliseconds = models.PositiveIntegerField()
    answer = models.CharField(max_length=500, blank=True, help_text="Its beginning.")
    by = models.CharField(max_length=80, blank=True, help_text="Who asked for it, where it was sent again.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__isnull=False, why="") | Q(status=None) & ~Q(why=""), name="attempt_has_an_end"
            ),
        ]

    def __str__(self):
        return f"Attempt {self.pk}"
