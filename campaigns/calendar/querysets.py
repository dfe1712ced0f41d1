"""Reads of the calendar: where customers live for whom no event is known."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection

from campaigns.occasions.events import HERE


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
