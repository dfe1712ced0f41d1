"""Segments: a rule over customers, who is in, who came and left, and lists of customers that somebody uploaded."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from retention.audit.models import Version
from retention.customers.models import Customer
from retention.marks import MarkField, Xid8Field
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
    xid = MarkField(help_text="The save that last changed what it means: its own, or that of a segment it names.")
    mark = Xid8Field(
        null=True, editable=False, help_text="Facts of transactions before it have been looked at; NULL: none."
    )
    whole_at = models.DateTimeField(null=True, editable=False, help_text="When everybody was last looked at.")
    whole_ms = models.PositiveIntegerField(null=True, editable=False)
    is_time_relative = models.BooleanField(
        default=True, editable=False, help_text="Whether who is in can change without a new fact of hers."
    )
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
        indexes = []

    def __str__(self):
        return self.name


class Membership(models.Model):
    """A customer is in a segment since an instant."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="memberships", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="memberships")
    entered_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["segment", "customer"], name="in_a_segment_once")]

    def __str__(self):
        return f"{self.customer_id} in {self.segment_id}"


class MembershipChange(models.Model):
    """A customer came into a segment or left it: written with the membership itself, and never changed."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="changes", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="segment_changes", db_index=False)
    has_entered = models.BooleanField(help_text="Otherwise she left.")
    at = models.DateTimeField()
    xid = MarkField()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["segment", "xid"], name="membership_change_mark"),
            models.Index(fields=["segment", "at"], name="membership_change_by_time"),
            models.Index(fields=["customer", "-id"], name="membership_change_of_customer"),
        ]

    def __str__(self):
        return f"{self.customer_id} {'entered' if self.has_entered else 'left'} {self.segment_id}"


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
    xid = MarkField()

    class Meta:
        verbose_name_plural = "list entries"
        constraints = [models.UniqueConstraint(fields=["customer", "list"], name="on_a_list_once")]
        indexes = [models.Index(fields=["xid"], name="list_entry_mark")]

    def __str__(self):
        return f"{self.customer_id} on {self.list_id}"
