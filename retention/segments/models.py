"""Segments: a rule over customers, and who is in."""

from django.db import models

from retention.audit.models import Version
from retention.customers.models import Customer


class Segment(models.Model):
    """Which customers. A rule without conditions is nobody."""

    key = models.SlugField(max_length=60, unique=True, null=True, blank=True, help_text="Of a ready segment.")
    name = models.CharField(max_length=120)
    #: {"all" | "any": [node…]} | {"not": node} | {"key": …, "args": {…}}
    rule = models.JSONField(default=dict)
    version = models.ForeignKey(Version, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    size = models.PositiveIntegerField(null=True, editable=False)
    computed_at = models.DateTimeField(null=True, editable=False)
    computed_ms = models.PositiveIntegerField(null=True, editable=False)
    error = models.TextField(blank=True, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]

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
