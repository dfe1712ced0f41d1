"""The figures of a period, as sums over what was counted: what came, what it brought and cost, who brought most.

What each of them means is said where it is counted (`referrals.reports.totals`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from retention.ledger.units import months_later

_OF = """scheme_id IN (
    SELECT id FROM referrals_scheme WHERE id = %(scheme)s OR %(scheme)s::bigint IS NULL AND state <> 'draft')"""
_FUNNEL = """
SELECT coalesce(sum(advocates), 0), {sums}, coalesce(round(sum(reward_minor) FILTER (WHERE day >= %(first)s)), 0)
FROM referrals_schemeday WHERE day <= %(last)s AND {of}
""".format(
    of=_OF,
    sums=", ".join(
        f"coalesce(sum({name}) FILTER (WHERE day >= %(first)s), 0)"
        for name in (
            "invitations",
            "friends",
            "won",
            "rewarded",
            "rejected",
            "reversed",
            "open",
            "spend_minor",
            "won_spend_minor",
        )
    ),
)
# Who leads is found by two narrow sums; the rest is summed of those alone.
_LEADERS = f"""
WITH led AS MATERIALIZED (
    SELECT advocate_id, sum(spend_minor) AS spend, sum(won) AS won FROM referrals_advocateday
    WHERE day BETWEEN %(first)s AND %(last)s AND {_OF}
    GROUP BY advocate_id ORDER BY spend DESC, won DESC, advocate_id LIMIT %(most)s
)
SELECT led.advocate_id, advocate.code, advocate.customer_id, advocate.partner_id, more.friends, led.won, led.spend,
       more.won_spend, round(more.reward)
FROM led JOIN referrals_advocate advocate ON advocate.id = led.advocate_id
CROSS JOIN LATERAL (
    SELECT sum(friends) AS friends, sum(won_spend_minor) AS won_spend, sum(reward_minor) AS reward
    FROM referrals_advocateday WHERE advocate_id = led.advocate_id AND day BETWEEN %(first)s AND %(last)s
) AS more
ORDER BY led.spend DESC, led.won DESC, led.advocate_id
"""  # noqa: S608
_MONTHS = f"""
SELECT month, sum(spend_minor), round(sum(reward_minor)) FROM referrals_schemeday
WHERE day BETWEEN %(first)s AND %(last)s AND {_OF} GROUP BY month
"""  # noqa: S608
_WORTHS = """
SELECT is_brought, sum(customers), sum(total), sum(squares), sum(cubes) FROM referrals_worthday
WHERE within = %(days)s AND day BETWEEN %(first)s AND %(last)s
  AND CASE WHEN is_brought THEN scheme_id IS NOT DISTINCT FROM %(scheme)s ELSE scheme_id IS NULL END
GROUP BY is_brought
"""


@dataclass(frozen=True)
class Asked:
    """What a report is of: from one day of the shop to another, both included, of one scheme or of all (None).

    `days`: after their first orders, within which customers are compared; one of `totals.WINDOWS`.
    """

    scheme_id: int | None
    first: dt.date
    last: dt.date
    days: int


@dataclass(frozen=True)
class Funnel:
    """`invitations`: different visitors by links, and friends who typed a code without one.

    `won_spend_minor`: of what friends spent, by those who were won.
    """

    advocates: int
    invitations: int
    friends: int
    won: int
    rewarded: int
    rejected: int
    reversed: int
    open: int
    spend_minor: int
    won_spend_minor: int
    reward_minor: int


@dataclass(frozen=True)
class Leader:
    advocate_id: int
    code: str
    customer_id: int | None
    partner_id: int | None
    friends: int
    won: int
    spend_minor: int
    won_spend_minor: int
    reward_minor: int


@dataclass(frozen=True)
class Worth:
    """What customers of one kind spent within the same days after their first order: number, and sums of powers."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    cubes: float = 0.0

    @property
    def mean_minor(self) -> float | None:
        return self.total / self.count if self.count else None


def funnel(asked: Asked) -> Funnel:
    ((row),) = _rows(_FUNNEL, asked)
    return Funnel(*map(int, row))


def leaders(asked: Asked, *, most: int) -> list[Leader]:
    """Advocates by what their friends spent."""
    return [Leader(*row[:4], *map(int, row[4:])) for row in _rows(_LEADERS, asked, most=most)]


def months(asked: Asked, *, until: dt.date) -> list[tuple[dt.date, int, int]]:
    """(first day of the month, what friends spent in it, what was given in it), from the first day's to `until`'s."""
    found = {month: (int(spend), int(reward)) for month, spend, reward in _rows(_MONTHS, asked)}
    month, told = asked.first.replace(day=1), []
    while month <= until or not told:
        told.append((month, *found.get(month, (0, 0))))
        month = months_later(month, 1)
    return told


def worths(asked: Asked) -> tuple[Worth, Worth]:
    """(referred, others): customers whose first order lies in the period and whose days after it are over."""
    found = {is_brought: Worth(int(count), *sums) for is_brought, count, *sums in _rows(_WORTHS, asked)}
    return found.get(True, Worth()), found.get(False, Worth())


def _rows(statement: str, asked: Asked, **more: Any) -> Sequence[tuple[Any, ...]]:
    params = {"scheme": asked.scheme_id, "first": asked.first, "last": asked.last, "days": asked.days, **more}
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()
