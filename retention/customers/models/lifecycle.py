"""Where each customer stands: her stage of life with the shop, her RFM group, and what was inferred of her life."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from retention.audit.models import Version
from retention.customers.models.people import AttributeDefinition, Customer
from retention.marks import MarkField
from retention.public_ids import PublicIdField


class Stage(models.Model):
    """A stage of the customer's life with the shop; she is in the first, by position, whose rule means her."""

    public_id = PublicIdField()
    key = models.SlugField(max_length=60, unique=True)
    name = models.JSONField(default=dict, help_text="By language.")
    about = models.CharField(max_length=300, blank=True, help_text="Who is in it, in a sentence.")
    position = models.PositiveSmallIntegerField(null=True, editable=False, help_text="NULL once it is archived.")
    #: As a segment's rule.
    rule = models.JSONField(default=dict, blank=True)
    version = models.ForeignKey(Version, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    archived_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["position", "key"]
        constraints = [
            models.UniqueConstraint(
                fields=["position"], name="one_stage_a_position", deferrable=models.Deferrable.DEFERRED
            ),
            models.CheckConstraint(
                condition=Q(position=None, archived_at__isnull=False) | Q(position__isnull=False, archived_at=None),
                name="stages_in_use_have_a_position",
            ),
        ]

    def __str__(self):
        return next((text for text in self.name.values() if text), self.key)


class CustomerStage(models.Model):
    """A customer is in a stage since an instant. No row: no rule of a stage means her."""

    customer = models.OneToOneField(
        Customer, primary_key=True, on_delete=models.CASCADE, related_name="lifecycle_stage"
    )
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="customers")
    since = models.DateTimeField()
    xid = MarkField()

    class Meta:
        indexes = [models.Index(fields=["xid"], name="customer_stage_mark")]

    def __str__(self):
        return f"{self.customer_id} in {self.stage_id}"


class StageChange(models.Model):
    """A customer came into a stage, left one, or both; NULL is no stage."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="stage_changes", db_index=False)
    before = models.ForeignKey(Stage, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    after = models.ForeignKey(Stage, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    xid = MarkField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(before=None, after__isnull=False)
                | Q(before__isnull=False, after=None)
                | Q(before__isnull=False, after__isnull=False) & ~Q(before=models.F("after")),
                name="a_stage_change_changes",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-id"], name="stage_change_by_customer"),
            models.Index(fields=["at"], name="stage_change_by_time"),
            models.Index(fields=["xid"], name="stage_change_mark"),
        ]

    def __str__(self):
        return f"{self.customer_id}: {self.before_id} → {self.after_id}"


class Rfm(models.Model):
    """A buyer's fifth by recency, frequency and money, 5 the best, and the named group that they make."""

    customer = models.OneToOneField(Customer, primary_key=True, on_delete=models.CASCADE, related_name="rfm")
    recency = models.PositiveSmallIntegerField()
    frequency = models.PositiveSmallIntegerField()
    monetary = models.PositiveSmallIntegerField()
    group = models.CharField(max_length=20, help_text="Key of `customers.rfm`.")
    previous_group = models.CharField(max_length=20, blank=True, help_text="The group before this one, if any.")
    computed_at = models.DateTimeField(help_text="Since when her scores are these.")
    xid = MarkField()

    class Meta:
        verbose_name = "RFM score"
        constraints = [
            models.CheckConstraint(
                condition=Q(recency__range=(1, 5), frequency__range=(1, 5), monetary__range=(1, 5)),
                name="rfm_scores_are_fifths",
            ),
        ]
        indexes = [
            models.Index(fields=["group"], name="rfm_by_group"),
            models.Index(fields=["xid"], name="rfm_mark"),
        ]

    def __str__(self):
        return f"{self.customer_id}: {self.recency}{self.frequency}{self.monetary} {self.group}"


class RfmChange(models.Model):
    """A customer moved from one RFM group to another; empty is none."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="rfm_changes", db_index=False)
    before = models.CharField(max_length=20, blank=True)
    after = models.CharField(max_length=20, blank=True)
    at = models.DateTimeField()
    xid = MarkField()

    class Meta:
        verbose_name = "RFM change"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(before=models.F("after")), name="an_rfm_change_changes"),
        ]
        indexes = [
            models.Index(fields=["customer", "-id"], name="rfm_change_by_customer"),
            models.Index(fields=["at"], name="rfm_change_by_time"),
            models.Index(fields=["xid"], name="rfm_change_mark"),
        ]

    def __str__(self):
        return f"{self.customer_id}: {self.before} → {self.after}"


class LifeEvent(models.Model):
    """Something in a customer's life that her purchases or activities give away, kept as a date among her attributes.

    The date is the day of the fact that completed the pattern. It goes when it has expired; what she says stays.
    """

    class What(models.TextChoices):
        BOUGHT = "bought"
        DID = "did"

    public_id = PublicIdField()
    attribute = models.OneToOneField(AttributeDefinition, on_delete=models.PROTECT, related_name="life_event")
    about = models.CharField(max_length=300, blank=True)
    what = models.CharField(max_length=6, choices=What.choices, default=What.BOUGHT)
    kind = models.CharField("activity", max_length=60, blank=True, help_text="Key of an activity's kind.")
    products = ArrayField(models.CharField(max_length=100), default=list, blank=True, help_text="SKUs.")
    categories = ArrayField(
        models.CharField(max_length=200), default=list, blank=True, help_text="With all below them."
    )
    at_least = models.PositiveSmallIntegerField("how often", default=2)
    within_days = models.PositiveSmallIntegerField("within days", default=60)
    lasts_days = models.PositiveSmallIntegerField("holds for days", default=365)
    version = models.ForeignKey(Version, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    archived_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["attribute"]
        constraints = [
            models.CheckConstraint(
                condition=Q(at_least__gte=1, within_days__gte=1, lasts_days__gte=1), name="life_event_counts"
            ),
            models.CheckConstraint(
                condition=Q(what="bought", kind="") & (~Q(products=[]) | ~Q(categories=[]))
                | Q(what="did") & ~Q(kind=""),
                name="life_event_names_something",
            ),
        ]

    def __str__(self):
        return self.attribute.label
