"""Who × when × what × how: campaigns, each customer's touches, and the holidays of countries."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from campaigns.backtests import models as backtests
from campaigns.boards import models as boards
from campaigns.calendar import models as calendar
from campaigns.calls import models as calls
from campaigns.results import models as results
from retention.audit.models import Version
from retention.customers.models import Customer, Order
from retention.incentives.models import Grant
from retention.marks import MarkField, Xid8Field
from retention.public_ids import PublicIdField
from retention.segments.models import Segment

#: Rows of its packages, found by Django through this module.
BackTest, Board, BoardLine = backtests.BackTest, boards.Board, boards.BoardLine
Calendar, LocalEvent, EventDay, Place = calendar.Calendar, calendar.LocalEvent, calendar.EventDay, calendar.Place
Call = calls.Call
ResultCount = results.ResultCount


class Campaign(models.Model):
    """One plan of the marketer's; what runs is what its version says."""

    class State(models.TextChoices):
        DRAFT = "draft"
        REVIEW = "review", "in review"
        APPROVED = "approved"
        SCHEDULED = "scheduled"
        LIVE = "live"
        PAUSED = "paused"
        ENDED = "ended"

    public_id = PublicIdField()
    name = models.CharField(max_length=120)
    playbook = models.CharField(max_length=60, blank=True, help_text="Key of the playbook it came from.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    audience = models.ForeignKey(
        Segment, null=True, blank=True, on_delete=models.PROTECT, related_name="campaigns", help_text="Empty: everyone."
    )
    excluded = models.ForeignKey(
        Segment, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="Not those in it."
    )
    countries = ArrayField(
        models.CharField(max_length=2), default=list, blank=True, help_text="Of the customer; empty: all."
    )
    occasion = models.CharField(max_length=60, help_text="Key of the occasion.")
    occasion_args = models.JSONField(default=dict, blank=True)
    lateness_hours = models.PositiveSmallIntegerField(
        default=48, help_text="A day missed is caught up once, if not later than this."
    )
    priority = models.SmallIntegerField(default=0)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    version = models.ForeignKey(Version, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    approved_version = models.ForeignKey(Version, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    review_note = models.CharField(
        max_length=300, blank=True, editable=False, help_text="Why it was sent back, until it is submitted again."
    )
    launched_at = models.DateTimeField(null=True, editable=False)
    stopped_at = models.DateTimeField(
        null=True, editable=False, help_text="Ended by hand: then what waits in the outbox is not sent either."
    )
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(starts_at__lt=F("ends_at")),
                name="campaign_is_half_open",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "review", "ended"]) | Q(approved_version__isnull=False),
                name="approved_before_live",
            ),
        ]
        permissions = [
            ("approve_campaign", "Can approve campaigns"),
            ("launch_campaign", "Can launch, pause and end campaigns"),
        ]

    def __str__(self):
        return self.name


class Touch(models.Model):
    """One customer, one campaign, one occasion: unique, so that nothing is done to her twice for the same reason.

    Those who cannot be written to get one too, skipped with its reason, so that "why didn't she get it" has an answer.
    """

    class State(models.TextChoices):
        DUE = "due", "a step is to be taken"
        HELD = "held", "waits until the campaign is opened to more"
        WAITING = "waiting", "its last message is on its way"
        DONE = "done"
        SKIPPED = "skipped"

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="touches", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="touches", db_index=False)
    occasion = models.CharField(max_length=120, help_text="A year or a count, never a date that can be edited.")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DUE)
    reason = models.CharField(max_length=60, blank=True, help_text="Stable code of why it was skipped.")
    step = models.PositiveSmallIntegerField(default=0, help_text="The next one to take.")
    due_at = models.DateTimeField(help_text="When the occasion fell.")
    next_at = models.DateTimeField(null=True, help_text="When the next step is to be taken.")
    grant = models.ForeignKey(
        Grant,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="The one that the occasion is about; those it brings name the touch as their origin.",
    )
    about = models.JSONField(default=dict, help_text="What messages may say of the occasion, such as years or a name.")
    variant = models.CharField(max_length=20, blank=True, default="", db_default="", help_text="Empty: no test.")
    is_ghost = models.BooleanField(
        "held out", default=False, db_default=False, help_text="Nothing is given to her, and nothing leaves."
    )
    converted_at = models.DateTimeField(null=True, help_text="When she first did what the campaign is for.")
    converted_order = models.ForeignKey(
        Order, null=True, on_delete=models.PROTECT, related_name="+", db_index=False, help_text="By this order."
    )
    enlisted_at = models.DateTimeField()
    begun_at = models.DateTimeField(null=True, help_text="When its first step was taken.")
    ended_at = models.DateTimeField(null=True, help_text="When nothing more was to come.")
    xid = MarkField()

    class Meta:
        verbose_name_plural = "touches"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "customer", "occasion"], name="touched_once"),
        ]
        indexes = [
            models.Index(fields=["campaign", "next_at"], name="touch_due", condition=Q(state="due")),
            models.Index(
                fields=["campaign", "customer"],
                name="touch_to_revive",
                condition=Q(state="skipped", reason__in=["campaigns.no_consent", "campaigns.no_address"]),
            ),
            models.Index(fields=["campaign", "id"], name="touch_held", condition=Q(state="held")),
            models.Index(fields=["campaign", "-id"], name="touch_by_campaign"),
            models.Index(fields=["customer", "-id"], name="touch_by_customer"),
        ]

    def __str__(self):
        return f"Touch {self.pk}"


class Reach(models.Model):
    """How far a campaign has looked: in time and in the marks of facts, and in customers while a look is under way.

    It moves in the transaction of each chunk, so a run that is killed goes on where it was.
    """

    class Phase(models.TextChoices):
        REST = "rest"
        FRESH = "fresh", "what fell due since the last look"
        LATE = "late", "what became due late, by facts that came since"

    campaign = models.OneToOneField(Campaign, primary_key=True, on_delete=models.CASCADE, related_name="reach")
    at = models.DateTimeField(help_text="Occasions due before it have been looked at.")
    mark = Xid8Field(help_text="Facts of transactions before it have been looked at.")
    opens_at = models.DateTimeField(help_text="The launch: nobody is touched as of an earlier instant.")
    phase = models.CharField(max_length=5, choices=Phase.choices, default=Phase.REST)
    until = models.DateTimeField(null=True, help_text="Where the look under way ends.")
    until_mark = Xid8Field(null=True)
    position = models.BigIntegerField(default=0, help_text="The next customer of the look under way.")

    is_revived = models.BooleanField(default=False, help_text="Those skipped before were looked at in this look.")
    ramp = models.JSONField(null=True, help_text="How far it is opened: {percent: …} or {first: …}; null: to everyone.")

    class Meta:
        verbose_name_plural = "reaches"

    def __str__(self):
        return f"Reach of {self.campaign_id}"


class Quota(models.Model):
    """How many customers a campaign has touched, in all and on each of the shop's days: moved by guarded updates."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="quotas")
    period = models.CharField(max_length=10, blank=True, help_text="Empty: in all; else the shop's day, 2026-05-12.")
    taken = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "period"], name="one_quota_a_period")]

    def __str__(self):
        return f"{self.campaign_id} {self.period}"


class CampaignPolicy(models.Model):
    """One row: when a campaign needs another person's approval. Without it, who may approve may approve her own."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    approval_above_minor = models.BigIntegerField(
        "approval above",
        default=0,
        help_text="A campaign that may cost more than this needs another person's approval.",
    )
    currency = models.CharField(max_length=3)
    is_one_person_shop = models.BooleanField(
        "one-person shop", default=False, help_text="Whoever made a campaign may approve it as well."
    )

    class Meta:
        verbose_name_plural = "campaign policy"
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="one_campaign_policy"),
            models.CheckConstraint(condition=Q(approval_above_minor__gte=0), name="approval_from_nought"),
        ]

    def __str__(self):
        return "Campaign policy"


class Holiday(models.Model):
    """A public holiday of a country on a day; computed ahead, and editable."""

    country = models.CharField(max_length=2, help_text="ISO 3166 code, such as DE.")
    on = models.DateField()
    key = models.CharField(max_length=80, help_text="Its English name in slug form; stable over the years.")
    name = models.CharField(max_length=200)
    names = models.JSONField(
        default=dict, editable=False, help_text="By language, where it was computed; a mail says it in its own."
    )
    is_edited = models.BooleanField(default=False, editable=False)
    is_observed = models.BooleanField("in use", default=True)

    class Meta:
        ordering = ["on", "country"]
        constraints = [models.UniqueConstraint(fields=["country", "on", "key"], name="one_holiday_a_day")]
        indexes = [models.Index(fields=["country", "key"], name="holiday_by_key")]

    def __str__(self):
        return f"{self.name} ({self.country} {self.on})"
