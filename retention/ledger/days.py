"""The shop's days, by which the books are kept and lots expire."""

import datetime as dt

from retention import clock
from retention.shop.models import Shop


def shop_zone() -> str:
    return Shop.objects.values_list("time_zone", flat=True).first() or "UTC"


def book_day(now: dt.datetime) -> dt.date:
    """The day of the shop at this instant."""
    return now.astimezone(clock.zone(shop_zone())).date()
