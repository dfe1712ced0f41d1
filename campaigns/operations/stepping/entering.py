"""Who may begin: how far the campaign is opened, coming again, cooling down, and the limits of touches, in this order.

Asked once, when the first step would be taken, under the lock of the campaign's row. What two campaigns must agree on
(that a customer is cooling down) is asked under a lock of its own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import connection

from campaigns.goals import ORIGIN
from campaigns.models import Campaign, Reach, Touch
from campaigns.operations import quotas
from campaigns.operations.stepping.touched import Stepped, Touched
from campaigns.plans import Plan
from campaigns.selection import COOLING_DOWN, CUSTOMERS_LIMIT, LIMIT_REACHED, TOO_SOON
from retention import clock
from retention.experiments.holdouts import Holdout
from retention.work.querysets import shop_zone

#: The lock under which campaigns ask whether a customer is cooling down, and grant.
_COOL_DOWN_LOCK = "campaigns.cool_down"


def enter(campaign: Campaign, plan: Plan, rows: list[Touched], stepped: Stepped, now: dt.datetime) -> list[Touched]:
    """Those who go on: all who had begun before, and of the others those who may begin.

    The others end with a reason, are held until the campaign is opened further, or wait for another day.
    """
    begun = [row for row in rows if row.has_begun]
    fresh = [row for row in rows if not row.has_begun]
    if not fresh:
        return rows
    ramp = Reach.objects.values_list("ramp", flat=True).get(pk=campaign.pk)
    if ramp and "percent" in ramp:
        fresh = _within_share(campaign, ramp["percent"], fresh)
    fresh = _again(campaign, plan, fresh, stepped, now)
    if plan.cool_down_days is not None:
        fresh = stepped.stop(fresh, dict.fromkeys(_cooling(fresh, plan.cool_down_days, now), COOLING_DOWN), now)
    if ramp and "first" in ramp:
        room = quotas.take(campaign_id=campaign.pk, period=quotas.RAMP, wanted=len(fresh), limit=ramp["first"])
        _hold(fresh[room:])
        fresh = fresh[:room]
    return begun + _limited(campaign, plan, fresh, stepped, now)


def _within_share(campaign: Campaign, percent: int, rows: list[Touched]) -> list[Touched]:
    """A share that is opened further keeps those who were in it."""
    share = Holdout(f"{campaign.public_id}:ramp", percent)
    inside = [row for row in rows if share.holds(row.customer_id)]
    _hold([row for row in rows if not share.holds(row.customer_id)])
    return inside


def _hold(rows: Sequence[Touched]) -> None:
    held = [row.touch_id for row in rows]
    Touch.objects.filter(pk__in=held).update(state=Touch.State.HELD, next_at=None)


def _again(campaign: Campaign, plan: Plan, rows: list[Touched], stepped: Stepped, now: dt.datetime) -> list[Touched]:
    """Those who may come (again). Of several touches of one customer the first is asked now, the others next time."""
    if plan.re_entry is None and plan.limits.per_customer is None:
        return rows
    rows = list({row.customer_id: row for row in reversed(rows)}.values())[::-1]
    days = plan.re_entry and plan.re_entry.days
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT t.id, count(o.id), count(o.id) FILTER (WHERE o.ended_at IS NULL OR o.ended_at > %s)
            FROM campaigns_touch t
            LEFT JOIN campaigns_touch o ON o.campaign_id = t.campaign_id AND o.customer_id = t.customer_id
                AND o.id <> t.id AND o.begun_at IS NOT NULL AND o.state <> 'skipped'
            WHERE t.id = ANY(%s) GROUP BY t.id
            """,
            [now - dt.timedelta(days=days or 0), [row.touch_id for row in rows]],
        )
        before = {touch_id: (times, lately) for touch_id, times, lately in cursor.fetchall()}
    reasons = {}
    for touch_id, (times, lately) in before.items():
        if plan.limits.per_customer is not None and times >= plan.limits.per_customer:
            reasons[touch_id] = CUSTOMERS_LIMIT
        elif days and lately:
            reasons[touch_id] = TOO_SOON
    return stepped.stop(rows, reasons, now)


def _cooling(rows: Sequence[Touched], days: int, now: dt.datetime) -> list[int]:
    """Those to whom a campaign gave something lately."""
    with connection.cursor() as cursor:
        # A campaign without a cool-down that grants meanwhile is as one that granted just after.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [_COOL_DOWN_LOCK])
        cursor.execute(
            """
            SELECT t.id FROM campaigns_touch t WHERE t.id = ANY(%s) AND EXISTS (
                SELECT FROM incentives_grant g WHERE g.customer_id = t.customer_id AND g.origin = %s
                AND g.origin_id <> t.id AND g.state = 'active' AND g.granted_at > %s)
            """,
            [[row.touch_id for row in rows], ORIGIN, now - dt.timedelta(days=days)],
        )
        return [pk for (pk,) in cursor.fetchall()]


def _limited(campaign: Campaign, plan: Plan, rows: list[Touched], stepped: Stepped, now: dt.datetime) -> list[Touched]:
    """As many as the limits leave, the first due first. Beyond that of all they end; beyond the day's, they wait."""
    limits = plan.limits
    if limits.touches is not None:
        room = quotas.take(campaign_id=campaign.pk, period=quotas.IN_ALL, wanted=len(rows), limit=limits.touches)
        stepped.stop(rows, {row.touch_id: LIMIT_REACHED for row in rows[room:]}, now)
        rows = rows[:room]
    if limits.touches_a_day is not None:
        room = quotas.take(campaign_id=campaign.pk, period=day_of(now), wanted=len(rows), limit=limits.touches_a_day)
        if limits.touches is not None:
            quotas.give_back(campaign_id=campaign.pk, period=quotas.IN_ALL, count=len(rows) - room)
        rows = rows[:room]
    return rows


def never_began(campaign: Campaign, plan: Plan, count: int, now: dt.datetime) -> None:
    """So many of those who were let in were refused what they were to get: others may come in their place."""
    if plan.limits.touches is not None:
        quotas.give_back(campaign_id=campaign.pk, period=quotas.IN_ALL, count=count)
    if plan.limits.touches_a_day is not None:
        quotas.give_back(campaign_id=campaign.pk, period=day_of(now), count=count)
    if plan.ramp is not None:
        quotas.give_back(campaign_id=campaign.pk, period=quotas.RAMP, count=count)


def day_of(now: dt.datetime, zone: str | None = None) -> str:
    """The shop's day, as limits by the day name it; `zone` is the shop's, where the caller knows it."""
    return f"{now.astimezone(clock.zone(zone or shop_zone())).date():%Y-%m-%d}"
