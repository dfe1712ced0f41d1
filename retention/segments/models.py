"""Segments: a rule over customers, who is in, and lists of customers that somebody uploaded."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from retention.audit.models import Version
from retention.customers.models import Customer
from retention.public_ids import PublicIdField


class Segment(models.Model):
    """Which customers. A rule without conditions is nobody."""

    public_id = PublicIdField()
    key = models.SlugField(max_length=60, unique=True, null=True, blank=True, help_text="Of a ready segment.")
    name = models.CharField(max_length=120)
    about = models.CharField(max_length=300, blank=True, help_text="What it is for, in a sentence.")
    #: {"all" | "any": [node…]} | {"not": node} | {"key": …, "args": {…}}
    rule = models.JSONField(default=dict, blank=True)
    version = models.ForeignKey(Version, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    size = models.PositiveIntegerField(null=True, editable=False)
    computed_at = models.DateTimeField(null=True, editable=False)
    computed_ms = models.PositiveIntegerField(null=True, editable=False)
    tried_at = models.DateTimeField(null=True, editable=False, help_text="Last refresh, also one that failed.")
    error = models.TextField(blank=True, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                condition=Q(archived_at=None),
                name="one_live_segment_a_name",
                violation_error_message="There is a segment of this name already.",
            ),
        ]
        indexes = [
            models.Index(fields=["tried_at"], name="segment_refresh", condition=Q(archived_at=None)),
        ]

    def __str__(self):
        return self.name


class Membership(models.Model):
    """A customer is in a segment since an instant."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="memberships")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="memberships")
    entered_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["segment", "customer"], name="in_a_segment_once")]

    def __str__(self):
        return f"{self.customer_id} in {self.segment_id}"


class SegmentSize(models.Model):
    """How many were in a segment at the last refresh of a day: its growth over time."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="sizes")
    on = models.DateField(help_text="In the shop's zone.")
    size = models.PositiveIntegerField()

    class Meta:
        ordering = ["segment", "on"]
        constraints = [models.UniqueConstraint(fields=["segment", "on"], name="one_segment_size_a_day")]

    def __str__(self):
        return f"{self.segment_id} on {self.on}: {self.size}"


class CustomerList(models.Model):
    """A list of customers that somebody uploaded; segments ask who is on it."""

    public_id = PublicIdField()
    name = models.CharField(max_length=120, unique=True)
    size = models.PositiveIntegerField(default=0, editable=False)
    unknown = models.PositiveIntegerField(default=0, editable=False, help_text="Lines that named no customer.")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    uploaded_at = models.DateTimeField(editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class ListEntry(models.Model):
    """A customer is on a list."""

    list = models.ForeignKey(CustomerList, on_delete=models.CASCADE, related_name="entries")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="list_entries")

    class Meta:
        verbose_name_plural = "list entries"
        constraints = [models.UniqueConstraint(fields=["customer", "list"], name="on_a_list_once")]

    def __str__(self):
        return f"{self.customer_id} on {self.list_id}"
