"""The demo shop itself: its own row, its flat exchange rates, and the attributes it keeps of its customers."""

import datetime as dt
from decimal import Decimal

from django.db import transaction

from retention.actors import Actor
from retention.customers.models import AttributeDefinition
from retention.demoshop.baskets import RATES
from retention.doors.operations.shop import save_shop, set_rate
from retention.shop.models import ExchangeRate, Shop

SHOP = {
    "name": "Side B Records",
    "currency": "USD",
    "time_zone": "America/New_York",
    "languages": ["en", "ko", "ru"],
    "country": "US",
    "sender_name": "Side B Records",
    "sender_email": "shop@example.com",
    "postal_address": "12 Groove Lane\nSpringfield, NY 10001",
    "brand_color": "#7c2d12",
    "website_url": "https://shop.example.com",
}
#: Before the oldest order, and for good: the real amounts are in dollars and stay so to the cent.
_RATES_SINCE = dt.date(2000, 1, 1)
_KINDS = AttributeDefinition.Kind
_ATTRIBUTES = (
    AttributeDefinition(
        key="favourite_format", label="Favourite format", kind=_KINDS.CHOICE, choices=["CD", "Vinyl", "Download"]
    ),
    AttributeDefinition(key="plays_an_instrument", label="Plays an instrument", kind=_KINDS.YES_NO),
    AttributeDefinition(key="concerts_a_year", label="Concerts a year", kind=_KINDS.NUMBER),
)


@transaction.atomic
def open_shop(*, now: dt.datetime, by: Actor) -> Shop:
    """Make what is not there yet; a shop that is there stays as it is."""
    shop = Shop.objects.first() or save_shop(values=SHOP, edited=None, now=now, by=by, why="The demo shop.")
    known = set(ExchangeRate.objects.values_list("currency", flat=True))
    for currency, rate in RATES.items():
        if currency not in known | {shop.currency}:
            set_rate(currency=currency, on=_RATES_SINCE, rate=Decimal(rate), now=now, by=by)
    AttributeDefinition.objects.bulk_create(_ATTRIBUTES, ignore_conflicts=True)
    return shop
