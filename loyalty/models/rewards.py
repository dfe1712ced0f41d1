"""What members can have for their points, and what each of them took."""

from django.db import models
from django.db.models import F, Q

from loyalty.models.programmes import Member, Programme
from retention.audit.models import Version
from retention.incentives.models import Grant, Incentive
from retention.ledger.models import Entry
from retention.marks import MarkField
from retention.public_ids import PublicIdField


class Reward(models.Model):
    """One entry of a programme's catalogue. What it gives is an incentive; what it costs and for whom, its version."""

    class State(models.TextChoices):
        DRAFT = "draft"
        LIVE = "live"
        STOPPED = "stopped"

    class Kind(models.TextChoices):
        COUPON = "coupon"
        GIFT_CARD = "gift_card", "Gift card"
        CREDIT = "credit", "Store credit"
        PRODUCT = "product", "Product or sample"
        EXPERIENCE = "experience"
        DONATION = "donation"

    public_id = PublicIdField()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="rewards")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=7, choices=State.choices, default=State.DRAFT)
    incentive = models.ForeignKey(Incentive, on_delete=models.PROTECT, related_name="+")
    price = models.BigIntegerField(help_text="In the programme's unit.")
    version = models.ForeignKey(Version, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["price", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(price__gte=0), name="reward_price_is_not_negative"),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(version__isnull=False), name="reward_is_written_before_live"
            ),
        ]

    def __str__(self):
        return self.name


class RewardCount(models.Model):
    """How many of a reward were taken, in all and by each customer: moved by guarded updates.

    They are rows of their own, so that claims of one reward wait for each other as shortly as can be.
    """

    reward = models.ForeignKey(Reward, on_delete=models.CASCADE, related_name="counts", db_index=False)
    member = models.ForeignKey(
        Member, null=True, on_delete=models.CASCADE, related_name="+", db_index=False, help_text="Empty: by everybody."
    )
    period = models.CharField(
        max_length=11, blank=True, db_collation="C", help_text="Of her limit, by the shop's calendar; empty: for life."
    )
    taken = models.PositiveIntegerField(default=0)
    most = models.PositiveIntegerField(null=True, help_text="Empty: no limit.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reward", "member", "period"], nulls_distinct=False, name="one_count_a_reward_and_member"
            ),
            models.CheckConstraint(
                condition=Q(most=None) | Q(taken__lte=F("most")), name="not_more_taken_than_there_are"
            ),
        ]

    def __str__(self):
        return f"{self.taken} of reward {self.reward_id}"


class Claim(models.Model):
    """One reward taken by one member: the points that it cost and the grant that it gave, in one transaction."""

    class State(models.TextChoices):
        CLAIMED = "claimed"
        RETURNED = "returned", "given back, and its points with it"

    public_id = PublicIdField()
    reward = models.ForeignKey(Reward, on_delete=models.PROTECT, related_name="claims", db_index=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="claims", db_index=False)
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+", db_index=False)
    source = models.CharField(max_length=200, db_collation="C", unique=True, help_text="Idempotency key.")
    origin = models.CharField(max_length=40, blank=True, help_text="Why she has it for nothing: loyalty.milestone…")
    origin_id = models.BigIntegerField(null=True)
    price = models.BigIntegerField(help_text="What she paid; 0 where it was given.")
    entry = models.ForeignKey(Entry, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    grant = models.OneToOneField(Grant, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=State.choices, default=State.CLAIMED)
    claimed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    xid = MarkField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(price=0, entry=None) | Q(price__gt=0, entry__isnull=False), name="claim_is_paid_by_an_entry"
            ),
        ]
        permissions = [("return_claim", "Can take rewards back, and give again what could not be given")]
        indexes = [
            models.Index(fields=["member", "-id"], name="claim_by_member"),
            models.Index(fields=["reward", "-id"], name="claim_by_reward"),
            models.Index(fields=["claimed_at"], condition=Q(origin="loyalty.surprise"), name="surprises_by_time"),
            models.Index(fields=["xid"], name="claim_mark"),
        ]

    def __str__(self):
        return f"Claim {self.pk}"
