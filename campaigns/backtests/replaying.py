"""The replay itself: a week at a time, the occasion's own query over the past with `now` told, kept in a table of the
session's; then, as sets, who could have been written to, who ordered anyway, and whom other campaigns touched.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from django.db.models import Max, Min

from campaigns.models import Campaign
from campaigns.plans import Plan
from campaigns.reachability import Way
from campaigns.selection import NO_ADDRESS, NO_CONSENT, Selection, Sql, zones_in_use
from retention import clock
from retention.customers.addresses import address_hash_sql, hash_params
from retention.customers.models import Customer, Order

WEEK = dt.timedelta(days=7)
#: Customers of one statement, by id.
CHUNK = 250_000


@dataclass(frozen=True)
class Week:
    """Seven of the shop's days, or what is left of the period."""

    first: dt.date
    since: dt.datetime
    until: dt.datetime


def weeks(first: dt.date, last: dt.date, zone: str) -> list[Week]:
    """The period in weeks from its first day on; the last may be shorter."""
    found = []
    end = last + dt.timedelta(days=1)
    day = first
    while day < end:
        after = min(day + WEEK, end)
        since, until = (clock.local_instant(on, dt.time.min, zone) for on in (day, after))
        found.append(Week(day, since, until))
        day = after
    return found


@contextmanager
def scratch() -> Iterator[None]:
    """The session's table of who would have been touched; it is gone afterwards, and with the connection."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.replayed")
        cursor.execute(
            """
            CREATE TEMP TABLE replayed (
                customer_id bigint, occasion text, due_at timestamptz, week int, reason text NOT NULL DEFAULT '',
                order_id bigint, base_minor bigint, is_shared boolean NOT NULL DEFAULT false,
                PRIMARY KEY (customer_id, occasion))
            """
        )
    try:
        yield
    finally:
        if not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("DROP TABLE IF EXISTS pg_temp.replayed")


def replay(
    campaign: Campaign, plan: Plan, periods: list[Week], *, zone: str, progress: Callable[[], None]
) -> list[str]:
    """Fill `replayed`; returns the statements that were asked, so that one can say what they could not know."""
    ids = Customer.objects.aggregate(first=Min("pk"), last=Max("pk"))
    lives_in, asked = zones_in_use(), []
    for number, week in enumerate(periods):
        # Whoever is inside already when it begins counts too, where the occasion says so.
        since = plan.of.opens_at(plan.cleaned_args(), week.since) if number == 0 else week.since
        as_planned = Selection.of(campaign, plan, shop_zone=zone, now=week.until, opens_at=week.since)
        # Who was meant in that week, without what its touches or today's consent say.
        selection = replace(as_planned, campaign_id=0, ways=(), late_before=week.since, is_past=True)
        for from_id in range(ids["first"] or 0, (ids["last"] or 0) + 1, CHUNK):
            due = selection.due(since, week.until, from_id=from_id, until_id=from_id + CHUNK, zones=lives_in)
            if due is not None:
                _keep(due, number)
                asked.append(due.text)
            progress()
    _thin_out(plan)
    _written_to(as_planned)
    return asked[:1]


def _keep(due: Sql, number: int) -> None:
    statement = f"""
        INSERT INTO replayed (customer_id, occasion, due_at, week)
        SELECT d.customer_id, d.occasion, min(d.due_at), %s FROM ({due.text}) d GROUP BY 1, 2
        ON CONFLICT DO NOTHING
    """  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [number, *due.params])


def _thin_out(plan: Plan) -> None:
    """Nobody twice within the days that the occasion or the plan keeps apart, nor more often than it allows."""
    days = max(plan.of.days_apart, plan.re_entry.days if plan.re_entry else 0)
    with connection.cursor() as cursor:
        if days:
            cursor.execute(
                "DELETE FROM replayed r USING replayed before WHERE before.customer_id = r.customer_id"
                " AND before.due_at < r.due_at AND before.due_at > r.due_at - %s",
                [dt.timedelta(days=days)],
            )
        if plan.limits.per_customer:
            cursor.execute(
                "DELETE FROM replayed r USING (SELECT customer_id, occasion,"
                " row_number() OVER (PARTITION BY customer_id ORDER BY due_at, occasion) AS nth FROM replayed) n"
                " WHERE n.customer_id = r.customer_id AND n.occasion = r.occasion AND n.nth > %s",
                [plan.limits.per_customer],
            )


def _written_to(selection: Selection) -> None:
    """Skip who has no address on any of its channels, or had agreed on none by the event that was the last one then."""
    ways = selection.ways
    if not ways:
        return
    with connection.cursor() as cursor:
        if all(way.address for way in ways):
            nowhere = " AND ".join(f"{way.address} IS NULL" for way in ways)
            cursor.execute(
                f"UPDATE replayed r SET reason = %s FROM customers_customer c WHERE c.id = r.customer_id AND {nowhere}",  # noqa: S608
                [NO_ADDRESS],
            )
        params: dict[str, Any] = {"reason": NO_CONSENT, **hash_params()}
        agreed = " OR ".join(_agreed(way, number, params) for number, way in enumerate(ways))
        cursor.execute(
            f"""
            UPDATE replayed r SET reason = %(reason)s FROM customers_customer c
            WHERE c.id = r.customer_id AND r.reason = '' AND NOT ({agreed})
            """,  # noqa: S608
            params,
        )


def _agreed(way: Way, number: int, params: dict[str, Any]) -> str:
    """That she had agreed to all that a way needs; adds to the parameters."""
    same = f"AND e.address_hash = {address_hash_sql(way.address)}" if way.address else ""
    params[f"channel{number}"] = str(way.channel)
    parts = [f"{way.address} IS NOT NULL" if way.address else "true"]
    for place, purpose in enumerate(way.purposes):
        params[f"purpose{number}_{place}"] = purpose
        parts.append(
            f"""
            EXISTS (
                SELECT FROM (
                    SELECT e.event, e.expires_at, e.address_hash FROM customers_consent e
                    WHERE e.customer_id = r.customer_id AND e.channel = %(channel{number})s
                      AND e.purpose = %(purpose{number}_{place})s
                      AND e.occurred_at <= r.due_at AND e.event <> 'asked'
                    ORDER BY e.occurred_at DESC, e.id DESC LIMIT 1) e
                WHERE e.event = 'given' AND (e.expires_at IS NULL OR e.expires_at > r.due_at) {same})
            """  # noqa: S608
        )
    return f"({' AND '.join(parts)})"


def look_after(campaign: Campaign, plan: Plan) -> None:
    """Who ordered anyway within the goal's days, and whom another campaign touched on the same day or the next."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE replayed")
        cursor.execute(
            """
            UPDATE replayed r SET order_id = f.id, base_minor = f.base_minor
            FROM replayed x CROSS JOIN LATERAL (
                SELECT o.id, o.base_minor FROM customers_order o
                WHERE o.customer_id = x.customer_id AND o.state = ANY(%s)
                  AND o.placed_at >= x.due_at AND o.placed_at < x.due_at + %s
                ORDER BY o.placed_at, o.id LIMIT 1) f
            WHERE x.reason = '' AND r.customer_id = x.customer_id AND r.occasion = x.occasion
            """,
            [list(Order.BOUGHT), dt.timedelta(days=plan.goal.days)],
        )
        cursor.execute(
            """
            UPDATE replayed r SET is_shared = true WHERE r.reason = '' AND EXISTS (
                SELECT FROM campaigns_touch t WHERE t.customer_id = r.customer_id AND t.campaign_id <> %s
                AND t.state <> 'skipped' AND NOT t.is_ghost
                AND t.due_at > r.due_at - interval '1 day' AND t.due_at < r.due_at + interval '1 day')
            """,
            [campaign.pk],
        )
