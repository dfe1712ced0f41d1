"""Keeping the public holidays of the customers' countries, years ahead, without touching what people edited."""

from __future__ import annotations

import datetime as dt
import json

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns.holidays import YEARS_AHEAD, computed, languages
from campaigns.models import Holiday
from retention.actors import Actor
from retention.audit.operations import record
from retention.customers.models import Customer
from retention.places import country_codes
from retention.refusals import Refused
from retention.shop.models import Shop


class NoSuchCountry(Refused):
    code = "campaigns.no_such_country"
    sentence = _("“%(country)s” is not an ISO 3166 country code like DE.")
    status = 422


class HolidayThere(Refused):
    code = "campaigns.holiday_there"
    sentence = _("%(name)s is there already on this day.")


def wanted_holidays(now: dt.datetime) -> list[tuple[str, dt.date, str, str, dict[str, str]]]:
    """(country, day, key, name, names by the shop's languages) of this year and the next ones.

    For every country a customer is in, and the shop's.
    """
    countries = set(Customer.objects.exclude(country="").values_list("country", flat=True).distinct())
    countries |= set(Shop.objects.exclude(country="").values_list("country", flat=True))
    years = range(now.year, now.year + YEARS_AHEAD + 1)
    spoken = languages()
    return [(country, *row) for country in sorted(countries) for row in computed(country, years, spoken)]


@transaction.atomic
def refresh_holidays(*, now: dt.datetime) -> int:
    """Add what is missing, correct names and drop days to come that are computed elsewhere now; how many rows changed.

    What people edited stays, and so do days gone by.
    """
    rows = wanted_holidays(now)
    gone, _by_model = _moved(rows, now).delete()
    countries, days, keys, names, said = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO campaigns_holiday AS h (country, "on", key, name, names, is_edited, is_observed)
            SELECT country, on_, key, name, names::jsonb, false, true
            FROM unnest(%s::text[], %s::date[], %s::text[], %s::text[], %s::text[])
                 AS w (country, on_, key, name, names)
            -- One that somebody moved to another day of the year is not computed back to the old one.
            WHERE NOT EXISTS (
                SELECT FROM campaigns_holiday e WHERE e.is_edited AND e.country = w.country AND e.key = w.key
                AND extract(year FROM e."on") = extract(year FROM w.on_)
            )
            ON CONFLICT (country, "on", key) DO UPDATE SET name = excluded.name, names = excluded.names
            WHERE NOT h.is_edited AND (h.name, h.names) <> (excluded.name, excluded.names)
            """,
            [list(countries), list(days), list(keys), list(names), [json.dumps(each) for each in said]],
        )
        return gone + cursor.rowcount


def _moved(rows: list[tuple[str, dt.date, str, str, dict[str, str]]], now: dt.datetime) -> QuerySet[Holiday]:
    """Rows of days to come that are computed no more: the moon was seen on another day."""
    wanted = {row[:3] for row in rows}
    years = {row[1].year for row in rows}
    ahead = Holiday.objects.filter(
        is_edited=False, on__gt=now.date(), on__year__in=years, country__in={row[0] for row in rows}
    )
    there = ahead.values_list("pk", "country", "on", "key")
    return Holiday.objects.filter(pk__in=[pk for pk, *row in there if tuple(row) not in wanted])


def missing_holidays(*, now: dt.datetime) -> int:
    """How many rows `refresh_holidays` would add or drop."""
    rows = wanted_holidays(now)
    present = set(Holiday.objects.values_list("country", "on", "key"))
    return sum(row[:3] not in present for row in rows) + _moved(rows, now).count()


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
    """Add a holiday, or move, rename or switch off one; the job that computes them leaves it alone from then on.

    Raises:
        NoSuchCountry, HolidayThere
    """
    if country not in country_codes():
        raise NoSuchCountry(country=country)
    if Holiday.objects.filter(country=country, on=on, key=key).exclude(pk=holiday_id).exists():
        raise HolidayThere(name=name)
    holiday = Holiday.objects.select_for_update().get(pk=holiday_id) if holiday_id else Holiday()
    before = {"on": str(holiday.on), "name": holiday.name, "is_observed": holiday.is_observed} if holiday_id else None
    if name != holiday.name:
        # People's own word is said in every language.
        holiday.names = {}
    holiday.country, holiday.on, holiday.key, holiday.name = country, on, key, name
    holiday.is_observed, holiday.is_edited = is_observed, True
    holiday.save()
    after = {"on": str(on), "name": name, "is_observed": is_observed}
    record(verb="campaigns.save_holiday", by=by, now=now, subject=holiday, before=before, after=after)
    return holiday
