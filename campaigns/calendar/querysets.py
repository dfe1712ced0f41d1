"""Reads of the calendar: where customers live for whom no event is known, and who asks for a place."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db import connection

from campaigns.calendar.models import Place
from campaigns.occasions.events import HERE
from retention.customers.models.lifecycle import Stage
from retention.segments import rules
from retention.segments.querysets import live_segments


@dataclass(frozen=True)
class Uncovered:
    """A place with customers and without an event to come; `is_placed` says whether it is known where it lies."""

    country: str
    region: str
    city: str
    customers: int
    is_placed: bool


def places_without_calendar(*, now: dt.datetime, most: int = 200) -> list[Uncovered]:
    """Those with the most customers first. Where nothing is told of her place, she counts under an empty one."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH lives AS MATERIALIZED (
                SELECT country, lower(region) AS region, lower(city) AS city, count(*) AS customers,
                       min(region) AS shown_region, min(city) AS shown_city
                FROM customers_customer WHERE merged_into_id IS NULL AND erased_at IS NULL GROUP BY 1, 2, 3)
            SELECT c.country, c.shown_region, c.shown_city, c.customers, EXISTS (
                SELECT FROM campaigns_place w WHERE w.country = c.country AND lower(w.city) = c.city)
            FROM lives c WHERE NOT EXISTS (
                SELECT FROM campaigns_localevent e JOIN campaigns_eventday d ON d.event_id = e.id
                WHERE e.is_observed AND d."on" >= %s AND {HERE})
            ORDER BY c.customers DESC, 1, 2, 3 LIMIT %s
            """,  # noqa: S608
            [now.date(), most],
        )
        return [Uncovered(*row) for row in cursor.fetchall()]


def asking_for(place: Place) -> list[str]:
    """The segments and stages whose rules ask who lives near it, by their names."""
    stages = Stage.objects.filter(archived_at=None)
    return sorted(str(asking) for asking in (*live_segments(), *stages) if _asks_for(asking.rule, place.key))


def _asks_for(rule: Any, key: str) -> bool:
    if "near_place" not in str(rule):
        return False
    try:
        return any(key in leaf.args.get("places", ()) for leaf in rules.leaves(rules.parse(rule)))
    except forms.ValidationError:
        return False  # It is not asked, whatever becomes of the place.
