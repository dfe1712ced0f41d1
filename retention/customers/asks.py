"""Open asks: consent that was asked for by a mail and not answered yet; and with them, where consent stands now."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection

from retention.customers.addresses import address_hash_sql, hash_params
from retention.customers.models import Customer
from retention.customers.querysets import holding

#: For so long the link in the mail works.
LASTS = dt.timedelta(days=7)
#: The yes that confirms ask 7 has the reference `customers.consent:7`, so that it is given once.
CONFIRMS = "customers.consent:"

#: Asks that a click could still turn into a yes. Whatever was said since closes them, and so do another address and a
#: yes that holds. `{which}` narrows them down; wants `params(now)`.
OPEN = f"""
SELECT a.id, a.customer_id, a.channel, a.purpose, a.address_hash, a.recorded_at, a.source, a.wording, a.expires_at,
    least(a.occurred_at, a.recorded_at) AS asked_at
FROM customers_consent a JOIN customers_customer c ON c.id = a.customer_id
WHERE a.event = 'asked' AND a.recorded_at > %(asked_since)s AND {{which}}
    AND c.merged_into_id IS NULL AND c.erased_at IS NULL AND a.address_hash = {address_hash_sql("c.email_normal")}
    AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
    AND NOT EXISTS (SELECT FROM customers_consent n WHERE n.customer_id = a.customer_id AND n.channel = a.channel
        AND n.purpose = a.purpose AND n.event <> 'asked' AND n.occurred_at >= least(a.occurred_at, a.recorded_at))
    AND NOT EXISTS (SELECT FROM customers_consentstate s WHERE s.customer_id = a.customer_id AND s.channel = a.channel
        AND s.purpose = a.purpose AND s.is_given AND s.address = c.email_normal
        AND (s.expires_at IS NULL OR s.expires_at > %(now)s))
"""


@dataclass(frozen=True, slots=True)
class Ask:
    """One open ask; `id` is its consent event's, `expires_at` the end that the yes will have, `asked_at` since
    when a no stands against it."""

    id: int
    customer_id: int
    channel: str
    purpose: str
    address_hash: bytes
    recorded_at: dt.datetime
    source: str
    wording: str
    expires_at: dt.datetime | None
    asked_at: dt.datetime


def params(now: dt.datetime) -> dict[str, Any]:
    return {"now": now, "asked_since": now - LASTS, **hash_params()}


def open_asks(customer_ids: list[int], *, now: dt.datetime) -> list[Ask]:
    """The open asks of these customers, in the order in which they were recorded."""
    with connection.cursor() as cursor:
        cursor.execute(
            OPEN.format(which="a.customer_id = ANY(%(customers)s)") + " ORDER BY a.id",
            {**params(now), "customers": customer_ids},
        )
        return [Ask(*row) for row in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class ConsentNow:
    """Where one channel and purpose stands: her last word, and whether she is being asked."""

    channel: str
    purpose: str
    is_given: bool
    occurred_at: dt.datetime | None
    expires_at: dt.datetime | None
    asked_at: dt.datetime | None


def consents_of(customer: Customer, *, now: dt.datetime) -> list[ConsentNow]:
    """Everything that she said or is being asked; what is not there is a no."""
    states = {(state.channel, state.purpose): state for state in customer.consent_states.annotate(is_held=holding(now))}
    asked = {(ask.channel, ask.purpose): ask.recorded_at for ask in open_asks([customer.pk], now=now)}
    return [
        ConsentNow(
            *key,
            is_given=key in states and states[key].is_held,
            occurred_at=states[key].occurred_at if key in states else None,
            expires_at=states[key].expires_at if key in states else None,
            asked_at=asked.get(key),
        )
        for key in sorted({*states, *asked})
    ]
