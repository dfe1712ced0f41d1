"""Which friends did what their scheme asks for, and by which order: one statement a kind of scenario."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from referrals.rules import Did, FirstOrder, NthOrder, Scenario

# What is left of an order counts; one that came back whole is in another state.
_ORDERS = """
SELECT referral_id, order_id, at FROM (
    SELECT referral.id AS referral_id, bought.id AS order_id, coalesce(bought.paid_at, bought.placed_at) AS at,
           row_number() OVER (PARTITION BY referral.id ORDER BY bought.placed_at, bought.id) AS place
    FROM referrals_referral referral
    JOIN customers_order bought ON bought.customer_id = referral.friend_id AND bought.placed_at >= referral.since_at
    WHERE referral.id = ANY(%(referrals)s) AND bought.state IN ('paid', 'fulfilled', 'partially_returned')
      AND bought.base_minor - coalesce(
          (SELECT sum(back.base_minor) FROM customers_return back WHERE back.order_id = bought.id), 0
      ) >= %(least)s
      AND bought.placed_at < referral.since_at + %(days)s * interval '1 day'
) AS counted WHERE place = %(count)s
"""
_ACTIVITIES = """
SELECT referral.id, NULL::bigint, min(activity.occurred_at)
FROM referrals_referral referral
JOIN customers_activity activity
  ON activity.customer_id = referral.friend_id AND activity.kind = %(activity)s
 AND activity.occurred_at >= referral.since_at
 AND activity.occurred_at < referral.since_at + %(days)s * interval '1 day'
WHERE referral.id = ANY(%(referrals)s) GROUP BY referral.id
"""
_JOINED = """
SELECT referral.id, NULL::bigint, referral.claimed_at FROM referrals_referral referral
WHERE referral.id = ANY(%(referrals)s)
"""


@dataclass(frozen=True)
class Met:
    """When a friend did it, and by which order, if it is one."""

    at: dt.datetime
    order_id: int | None = None


def met(referral_ids: Sequence[int], scenario: Scenario, within_days: int) -> dict[int, Met]:
    """Referral id → how its scenario is met, of those for which it is as the facts stand now."""
    params: dict[str, Any] = {"referrals": list(referral_ids), "days": within_days}
    match scenario:
        case FirstOrder(least_minor=least):
            sql, more = _ORDERS, {"least": max(1, least), "count": 1}
        case NthOrder(least_minor=least, count=count):
            sql, more = _ORDERS, {"least": max(1, least), "count": count}
        case Did(activity=activity):
            sql, more = _ACTIVITIES, {"activity": activity}
        case _:
            sql, more = _JOINED, {}
    with connection.cursor() as cursor:
        cursor.execute(sql, params | more)
        return {pk: Met(at, order_id) for pk, order_id, at in cursor.fetchall()}
