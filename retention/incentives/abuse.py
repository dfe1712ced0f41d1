"""Who may be abusing offers, as far as facts say so: bounded reads over the last days. Nothing is judged here."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection

from retention.customers.models import Customer
from retention.incentives.models import Code

SHOWN = 20
DAYS = 30

# Holds that ran out were nobody's use.
_MOST = """
SELECT customer_id, count(*) AS uses, sum(base_minor) AS saved FROM incentives_redemption
WHERE redeemed_at > %(since)s AND state = 'redeemed' AND customer_id IS NOT NULL
GROUP BY customer_id ORDER BY uses DESC, saved DESC LIMIT %(shown)s
"""
# One phone, address or means of payment (or email) under which several customers redeemed.
_SHARED = """
WITH hers AS (
    SELECT person, customer_id, count(*) AS uses, sum(base_minor) AS saved
    FROM incentives_redemption CROSS JOIN unnest(persons) AS person
    WHERE redeemed_at > %(since)s AND state = 'redeemed' AND customer_id IS NOT NULL
    GROUP BY person, customer_id
)
SELECT array_agg(customer_id ORDER BY customer_id), sum(uses) AS uses, sum(saved) AS saved
FROM hers GROUP BY person HAVING count(*) > 1
ORDER BY count(*) DESC, uses DESC, person LIMIT %(shown)s
"""


@dataclass(frozen=True)
class Heavy:
    """Customers (several where they are one person) with their uses and what they saved, in the base currency."""

    customers: tuple[Customer, ...]
    uses: int
    saved_minor: int


@dataclass(frozen=True)
class RefusedCode:
    """A code, how often it was refused, and the reason that it was refused for."""

    code: Code
    reason: str
    times: int


@dataclass(frozen=True)
class Abuse:
    most: list[Heavy]
    shared: list[Heavy]
    refused: list[RefusedCode]


def read_abuse(*, now: dt.datetime, refusals: list[tuple[str, str, int]]) -> Abuse:
    """The report of the last `DAYS` days; `refusals` are (code, reason code, times), most often refused first."""
    since = now - dt.timedelta(days=DAYS)
    most, shared = _rows(_MOST, since), _rows(_SHARED, since)
    wanted = {pk for pk, *_ in most} | {pk for pks, *_ in shared for pk in pks}
    known = Customer.objects.in_bulk(wanted)
    codes = {
        code.code: code
        for code in Code.objects.filter(code__in={code for code, *_ in refusals}).select_related("incentive")
    }
    # Two means of one person show the same customers: once is enough.
    groups = {tuple(pks): Heavy(tuple(known[pk] for pk in pks), uses, saved) for pks, uses, saved in reversed(shared)}
    return Abuse(
        most=[Heavy((known[pk],), uses, saved) for pk, uses, saved in most],
        shared=list(groups.values())[::-1],
        refused=[RefusedCode(codes[code], why, times) for code, why, times in refusals if code in codes][:SHOWN],
    )


def _rows(sql: str, since: dt.datetime) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"since": since, "shown": SHOWN})
        return cursor.fetchall()
