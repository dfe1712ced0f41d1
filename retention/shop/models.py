"""The installation itself: the one shop, its exchange rates and its staff."""

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from retention import clock, money


def check_zone(name: str) -> None:
    if name not in clock.zone_names():
        raise ValidationError("%(name)s is not an IANA time zone.", code="unknown_zone", params={"name": name})


def check_currency(code: str) -> None:
    if code not in money.currency_codes():
        raise ValidationError("%(code)s is not an ISO 4217 currency.", code="unknown_currency", params={"code": code})


def default_languages() -> list[str]:
    return ["en"]


class Shop(models.Model):
    """The one shop of this installation."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=64, validators=[check_zone])
    currency = models.CharField(
        "base currency", max_length=3, validators=[check_currency], help_text="Statistics and reports are in it."
    )
    languages = ArrayField(
        models.CharField(max_length=12), default=default_languages, help_text="The first is the default."
    )
    country = models.CharField(max_length=2, blank=True)
    sender_name = models.CharField(max_length=120, blank=True)
    sender_email = models.EmailField(blank=True)
    postal_address = models.TextField(blank=True, help_text="Shown at the foot of every marketing mail.")
    has_double_opt_in = models.BooleanField(
        "double opt-in",
        default=False,
        help_text="A yes to email that your systems tell without proof counts once she has confirmed it by mail.",
    )
    brand_color = models.CharField(max_length=7, default="#1f2937")
    logo_url = models.URLField(blank=True)
    website_url = models.URLField(blank=True)
    cart_link = models.CharField(
        "cart link",
        max_length=300,
        blank=True,
        help_text="Address that fills a cart; {items} stands for SKU:quantity, with commas:"
        " https://shop.example.com/cart?add={items}",
    )

    class Meta:
        verbose_name = verbose_name_plural = "shop"
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="shop_is_single"),
            models.CheckConstraint(condition=Q(languages__len__gte=1), name="shop_has_a_language"),
            models.CheckConstraint(
                condition=Q(cart_link="") | Q(cart_link__regex=r"^https?://.*\{items\}"),
                name="cart_link_has_its_items",
                violation_error_message="Write an address with {items} in it.",
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def default_language(self) -> str:
        return self.languages[0]


class ExchangeRate(models.Model):
    """What one unit of a currency was worth in the base currency on a day and until the next row."""

    currency = models.CharField(max_length=3, validators=[check_currency])
    on = models.DateField()
    rate = models.DecimalField(max_digits=18, decimal_places=9, help_text="Base currency for one unit.")

    class Meta:
        ordering = ["currency", "-on"]
        constraints = [
            models.UniqueConstraint(fields=["currency", "on"], name="one_rate_a_day"),
            models.CheckConstraint(condition=Q(rate__gt=0), name="rate_is_positive"),
        ]

    def __str__(self):
        return f"{self.currency} {self.on}: {self.rate.normalize():f}"


class Staff(AbstractUser):
    """Someone who logs in to the console; what they may do comes from their roles (groups)."""

    class Meta:
        verbose_name = "member of staff"
        verbose_name_plural = "staff"
