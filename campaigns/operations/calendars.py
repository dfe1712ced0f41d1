"""Keeping the public holidays of the customers' countries, years ahead, without touching what people edited."""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction

from campaigns.holidays import YEARS_AHEAD, computed
from campaigns.models import Holiday
from retention.actors import Actor
from retention.audit.operations import record
from retention.customers.models import Customer
from retention.shop.models import Shop


def wanted_holidays(now: dt.datetime) -> list[tuple[str, dt.date, str, str]]:
    """(country, day, key, name) of this year and the next ones, for every country a customer is in, and the shop's."""
    countries = set(Customer.objects.exclude(country="").values_list("country", flat=True).distinct())
    countries |= set(Shop.objects.exclude(country="").values_list("country", flat=True))
    years = range(now.year, now.year + YEARS_AHEAD + 1)
    return [(country, *row) for country in sorted(countries) for row in computed(country, years)]


@transaction.atomic
def refresh_holidays(*, now: dt.datetime) -> int:
    """Add what is missing and correct names nobody edited; how many rows changed. Days gone by stay."""
    rows = wanted_holidays(now)
    countries, days, keys, names = zip(*rows, strict=True) if rows else ((), (), (), ())
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO campaigns_holiday AS h (country, "on", key, name, is_edited, is_observed)
            SELECT country, on_, key, name, false, true
            FROM unnest(%s::text[], %s::date[], %s::text[], %s::text[]) AS w (country, on_, key, name)
            -- One that somebody moved to another day of the year is not computed back to the old one.
            WHERE NOT EXISTS (
                SELECT FROM campaigns_holiday e WHERE e.is_edited AND e.country = w.country AND e.key = w.key
                AND extract(year FROM e."on") = extract(year FROM w.on_)
            )
            ON CONFLICT (country, "on", key) DO UPDATE SET name = excluded.name
            WHERE NOT h.is_edited AND h.name <> excluded.name
            """,
            [list(countries), list(days), list(keys), list(names)],
        )
        return cursor.rowcount


def missing_holidays(*, now: dt.datetime) -> int:
    """How many rows `refresh_holidays` would add."""
    present = set(Holiday.objects.values_list("country", "on", "key"))
    return sum((country, day, key) not in present for country, day, key, _name in wanted_holidays(now))


@transaction.atomic
def save_holiday(
    *,
    holiday_id: int | None,
    country: str,
    on: dt.date,
    key: str,
    name: str,
    is_observed: bool,
    now: dt.datetime,
    by: Actor,
) -> Holiday:
    """Add a holiday, or move, rename or switch off one; the job that computes them leaves it alone from then on."""
    holiday = Holiday.objects.select_for_update().get(pk=holiday_id) if holiday_id else Holiday()
    before = {"on": str(holiday.on), "name": holiday.name, "is_observed": holiday.is_observed} if holiday_id else None
    holiday.country, holiday.on, holiday.key, holiday.name = country, on, key, name
    holiday.is_observed, holiday.is_edited = is_observed, True
    holiday.save()
    after = {"on": str(on), "name": name, "is_observed": is_observed}
    record(verb="campaigns.save_holiday", by=by, now=now, subject=holiday, before=before, after=after)
    return holiday
