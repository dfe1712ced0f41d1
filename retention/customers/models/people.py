"""Customers, the attributes a shop declares for them, and their consent."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Trim, Upper

from retention.marks import MarkField
from retention.public_ids import PublicIdField
from retention.shop.models import check_currency, check_zone


class Channel(models.TextChoices):
    EMAIL = "email"
    SMS = "sms", "SMS"
    PUSH = "push"
    POST = "post"


class Customer(models.Model):
    """A person the shop knows. A guest has no reference; a merged one stays as a tombstone; an erased one is blank."""

    public_id = PublicIdField()
    reference = models.CharField(max_length=100, null=True, blank=True, unique=True, help_text="The shop's own id.")
    email = models.EmailField(null=True, blank=True)
    email_normal = models.GeneratedField(
        expression=Lower(Trim("email")), output_field=models.CharField(max_length=254), db_persist=True
    )
    phone = models.CharField(max_length=16, null=True, blank=True, help_text="E.164, such as +4915112345678.")
    given_name = models.CharField(max_length=100, blank=True)
    family_name = models.CharField(max_length=100, blank=True)
    birth_year = models.SmallIntegerField(null=True, blank=True)
    birth_month = models.SmallIntegerField(null=True, blank=True)
    birth_day = models.SmallIntegerField(null=True, blank=True)
    address = models.CharField(max_length=300, blank=True)
    postcode = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=100, blank=True)
    region = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166 code, such as DE.")
    language = models.CharField(max_length=12, blank=True)
    time_zone = models.CharField(
        max_length=64, blank=True, validators=[check_zone], help_text="IANA name; empty: the shop's."
    )
    preferred_channel = models.CharField(max_length=5, choices=Channel.choices, blank=True)
    interests = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    source = models.CharField("acquisition source", max_length=60, blank=True)
    acquisition_cost_minor = models.BigIntegerField(null=True, blank=True)
    acquisition_currency = models.CharField(max_length=3, blank=True, validators=[check_currency])
    #: {key: {"value": …, "how": "asked" | "imported" | "inferred"}}, declared by AttributeDefinition. What was inferred
    #: has an "until", the day it expires; what was asked and has no value is "not so", and is never inferred over.
    attributes = models.JSONField(default=dict, blank=True)
    signed_up_at = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField()
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.PROTECT, db_index=False
    )
    erased_at = models.DateTimeField(null=True, editable=False)
    xid = MarkField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["email_normal"], condition=Q(merged_into=None), name="one_customer_an_email"
            ),
            models.CheckConstraint(condition=~Q(email=""), name="email_is_null_not_empty"),
            models.CheckConstraint(condition=~Q(reference=""), name="reference_is_null_not_empty"),
            models.CheckConstraint(
                condition=Q(phone=None) | Q(phone__regex=r"^\+[1-9][0-9]{6,14}$"), name="phone_is_e164"
            ),
            models.CheckConstraint(
                condition=Q(birth_month=None, birth_day=None, birth_year=None)
                | Q(birth_month__in=[1, 3, 5, 7, 8, 10, 12], birth_day__range=(1, 31))
                | Q(birth_month__in=[4, 6, 9, 11], birth_day__range=(1, 30))
                | Q(birth_month=2, birth_day__range=(1, 29)),
                name="birthday_is_a_day",
            ),
            models.CheckConstraint(condition=Q(country="") | Q(country__regex=r"^[A-Z]{2}$"), name="country_is_iso"),
            models.CheckConstraint(
                condition=Q(acquisition_cost_minor=None)
                | Q(acquisition_cost_minor__gte=0) & ~Q(acquisition_currency=""),
                name="acquisition_cost_has_a_currency",
            ),
            models.CheckConstraint(condition=~Q(merged_into=F("id")), name="not_merged_into_herself"),
        ]
        indexes = [
            models.Index(fields=["birth_month", "birth_day"], name="customer_birthday"),
            models.Index(fields=["signed_up_at"], name="customer_signed_up"),
            models.Index(fields=["country"], name="customer_country"),
            models.Index(fields=["phone"], name="customer_phone", condition=Q(phone__isnull=False)),
            # What people type into a search is the beginning of these; `istartswith` compares in upper case.
            models.Index(fields=["email_normal"], name="customer_by_email", opclasses=["varchar_pattern_ops"]),
            models.Index(OpClass(Upper("given_name"), "varchar_pattern_ops"), name="customer_by_given_name"),
            models.Index(OpClass(Upper("family_name"), "varchar_pattern_ops"), name="customer_by_family_name"),
            models.Index(fields=["xid"], name="customer_mark"),
            models.Index(fields=["merged_into"], name="customer_tombstones", condition=Q(merged_into__isnull=False)),
        ]
        permissions = [
            ("import_customer", "Can import customers"),
            ("export_customer", "Can export customers"),
            ("view_data_health", "Can view how much is known of all customers"),
        ]

    def __str__(self):
        return " ".join(filter(None, (self.given_name, self.family_name))) or self.reference or f"Customer {self.pk}"


class AttributeDefinition(models.Model):
    """A custom attribute that the shop declared; an undeclared one is refused, never silently kept."""

    class Kind(models.TextChoices):
        TEXT = "text"
        NUMBER = "number"
        YES_NO = "yes/no"
        DATE = "date"
        CHOICE = "choice"

    key = models.SlugField(max_length=60, unique=True)
    label = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    choices = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    is_sensitive = models.BooleanField("sensitive", default=False, help_text="Never worded in messages.")

    class Meta:
        verbose_name = "custom attribute"
        ordering = ["key"]
        constraints = [
            models.CheckConstraint(condition=~Q(kind="choice") | Q(choices__len__gte=1), name="choice_has_choices"),
        ]

    def __str__(self):
        return self.label


class Consent(models.Model):
    """One consent event, append-only: what was said for one channel, purpose and address."""

    class Event(models.TextChoices):
        #: She shall confirm it by the link in a mail; until then it is a no.
        ASKED = "asked"
        GIVEN = "given"
        WITHDRAWN = "withdrawn"
        EXPIRED = "expired"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="consents", db_index=False)
    channel = models.CharField(max_length=5, choices=Channel.choices)
    purpose = models.CharField(max_length=60, help_text="marketing, transactional, or topic:…")
    event = models.CharField(max_length=10, choices=Event.choices)
    address_hash = models.BinaryField(max_length=32, help_text="Keyed hash of the address it was said for.")
    source = models.CharField(max_length=60, help_text="Where it was said: checkout, popup, preferences, unsubscribe…")
    wording = models.CharField("wording version", max_length=60, blank=True)
    reference = models.CharField(max_length=100, null=True, unique=True)
    occurred_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, help_text="A yes that ends by itself; from then on it is a no.")
    recorded_at = models.DateTimeField()
    xid = MarkField()

    class Meta:
        ordering = ["-occurred_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(expires_at__gt=F("occurred_at")), name="consent_lasts_a_while"
            ),
        ]
        indexes = [
            models.Index(fields=["recorded_at"], name="consent_asked", condition=Q(event="asked")),
            models.Index(fields=["address_hash"], name="consent_asked_of", condition=Q(event="asked")),
            models.Index(fields=["customer", "channel", "purpose", "-occurred_at"], name="consent_history"),
            models.Index(fields=["xid"], name="consent_mark"),
        ]

    def __str__(self):
        return f"{self.channel} {self.purpose} {self.event}"


class ConsentProof(models.Model):
    """What proves a consent and may name a person; scrubbed on erasure."""

    consent = models.OneToOneField(Consent, primary_key=True, on_delete=models.PROTECT, related_name="proof")
    text = models.TextField(blank=True)

    def __str__(self):
        return f"Proof of consent {self.consent_id}"


class ConsentState(models.Model):
    """What the consent events amount to now; a missing row is a no."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="consent_states", db_index=False)
    channel = models.CharField(max_length=5, choices=Channel.choices)
    purpose = models.CharField(max_length=60)
    is_given = models.BooleanField()
    address = models.CharField(max_length=254, help_text="The normalised address it holds for; another one is a no.")
    occurred_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, help_text="The end of a yes, past or to come; NULL: none was set.")
    asked_at = models.DateTimeField(
        null=True, help_text="A yes that confirms what was asked then: any no since beats it."
    )
    xid = MarkField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "channel", "purpose"], name="one_consent_state"),
        ]
        indexes = [
            models.Index(fields=["channel", "purpose", "customer"], name="consent_given", condition=Q(is_given=True)),
            models.Index(
                fields=["expires_at"], name="consent_ends", condition=Q(is_given=True, expires_at__isnull=False)
            ),
            models.Index(fields=["xid"], name="consent_state_mark"),
        ]

    def __str__(self):
        return f"{self.channel} {self.purpose}: {'yes' if self.is_given else 'no'}"
