"""The shop's own settings and its exchange rates."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms.models import model_to_dict
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.audit.operations import record, save_version
from retention.shop.models import ExchangeRate, Shop


@transaction.atomic
def save_shop(*, values: Mapping[str, Any], edited: int | None, now: dt.datetime, by: Actor, why: str = "") -> Shop:
    """Change the shop's settings, or make them where there are none yet. `values` may name some fields only.

    Raises:
        EditedMeanwhile
        ValidationError: a value that the shop cannot have; the base currency once there are orders.
    """
    shop = Shop.objects.select_for_update().first() or Shop()
    if not shop._state.adding and "currency" in values and values["currency"] != shop.currency:
        raise ValidationError(
            {"currency": _("The base currency is fixed: statistics and limits are kept in it.")}, code="fixed"
        )
    for field, value in values.items():
        setattr(shop, field, value)
    shop.full_clean()
    shop.save()
    save_version(of=shop, data=model_to_dict(shop), edited=edited, by=by, now=now, why=why)
    record(verb="doors.save_shop", by=by, now=now, subject=shop, after={"fields": sorted(values)})
    return shop


@transaction.atomic
def set_rate(*, currency: str, on: dt.date, rate: Decimal, now: dt.datetime, by: Actor) -> ExchangeRate:
    """Say what one unit of a currency is worth in the base currency from a day on. Amounts already booked stay.

    Raises:
        ValidationError: an unknown currency, the base currency itself, or a rate that is not positive.
    """
    if Shop.objects.filter(currency=currency).exists():
        raise ValidationError({"currency": _("The base currency is always worth one.")}, code="base_currency")
    known = ExchangeRate.objects.select_for_update().filter(currency=currency, on=on).first()
    before = {"rate": str(known.rate)} if known else None
    row = known or ExchangeRate(currency=currency, on=on)
    row.rate = rate
    row.full_clean(validate_unique=False)
    row.save()
    after = {"currency": currency, "on": on.isoformat(), "rate": str(rate)}
    record(verb="doors.set_rate", by=by, now=now, subject=row, before=before, after=after)
    return row
