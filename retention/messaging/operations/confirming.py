"""Double opt-in: asking by mail whether a yes was hers, and taking her word by the link in that mail.

One link confirms everything that was asked of one customer at one address until its mail was queued and is still open.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.core.signing import BadSignature
from django.db import connection, transaction

from retention.actors import Actor
from retention.bulk import batches
from retention.customers import asks
from retention.customers.addresses import address_hash
from retention.customers.models import Consent, ConsentState, Customer
from retention.customers.operations import give_consent
from retention.customers.querysets import holding
from retention.messaging import tokens
from retention.messaging.operations.leaving import BY
from retention.messaging.operations.queueing import MOST_AT_ONCE, Message, queue
from retention.messaging.operations.templates import ensure_ready_template
from retention.messaging.outgoing import CONFIRMATIONS
from retention.messaging.ready import CONFIRMATION

#: One mail to an address in so long, however often somebody types it into a form…
PAUSE = dt.timedelta(minutes=10)
#: …and not more than so many that nobody answered in so long.
MOST, MOST_IN = 3, dt.timedelta(days=90)

#: A link that would work for less is not worth a mail.
WORTH = dt.timedelta(days=1)

# An ask is passed over where a mail has gone out for it or a later one, and where it repeats one of a moment ago.
_WANTED = f"""
WITH open AS MATERIALIZED ({asks.OPEN.format(which="true")})
SELECT (SELECT max(id) FROM open WHERE customer_id = o.customer_id) AS newest, o.customer_id FROM open o
WHERE o.recorded_at > %(asked_since)s + %(worth)s
    AND NOT EXISTS (SELECT FROM messaging_delivery d JOIN customers_consent a ON a.id = d.origin_id
        WHERE d.origin = '{CONFIRMATIONS}' AND d.customer_id = o.customer_id AND d.origin_id >= o.id
        AND a.address_hash = o.address_hash)
    AND NOT EXISTS (SELECT FROM open e WHERE e.customer_id = o.customer_id AND e.purpose = o.purpose AND e.id < o.id
        AND e.recorded_at > o.recorded_at - %(pause)s)
    AND (SELECT count(*) FILTER (WHERE d.queued_at > %(now)s - %(pause)s) = 0
            AND count(*) FILTER (WHERE NOT EXISTS (SELECT FROM customers_consent g
                WHERE g.reference = '{asks.CONFIRMS}' || a.id)) < %(most)s
        FROM customers_consent a JOIN messaging_delivery d ON d.origin = '{CONFIRMATIONS}' AND d.origin_id = a.id
        WHERE a.event = 'asked' AND a.address_hash = o.address_hash AND d.queued_at > %(now)s - %(most_in)s)
GROUP BY o.customer_id ORDER BY newest
"""
#: Two sweeps at once would each find that no mail has gone out yet.
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('retention.confirmations'))"


@dataclass(frozen=True)
class Asked:
    """What a good link is about: the customer, the (channel, purpose) pairs, and whether she has confirmed already."""

    customer: Customer
    choices: tuple[tuple[str, str], ...]
    is_done: bool


def count_confirmations(*, now: dt.datetime) -> int:
    """How many mails `queue_confirmations` would queue."""
    return len(_wanted(now))


@transaction.atomic
def queue_confirmations(*, now: dt.datetime, by: Actor) -> int:
    """Queue a mail for everyone who was asked and not written to about it yet; how many.

    At most one to an address in ten minutes, and three that nobody answered in ninety days.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK)
    if not (wanted := _wanted(now)):
        return 0
    template = ensure_ready_template(key=CONFIRMATION, now=now, by=by)
    messages = [Message(origin_id=ask, customer_id=customer) for ask, customer in wanted]
    return sum(
        queue(template_id=template.pk, origin=CONFIRMATIONS, messages=some, now=now).queued
        for some in batches(messages, MOST_AT_ONCE)
    )


def _wanted(now: dt.datetime) -> list[tuple[int, int]]:
    """(Newest ask, customer) of every mail that is due."""
    limits = {"pause": PAUSE, "most": MOST, "most_in": MOST_IN, "worth": WORTH}
    with connection.cursor() as cursor:
        cursor.execute(_WANTED, {**asks.params(now), **limits})
        return cursor.fetchall()


def asked_by(token: str, *, now: dt.datetime) -> Asked | None:
    """What the link asks, or None: forged, too old, for another address, or something was said since."""
    ask = _ask(token)
    if ask is None:
        return None
    customer = Customer.objects.get(pk=ask.customer_id)
    choices = tuple((one.channel, one.purpose) for one in _open(ask, now))
    if choices:
        return Asked(customer, choices, is_done=False)
    if _holds(ask, customer, now):
        return Asked(customer, ((ask.channel, ask.purpose),), is_done=True)
    return None


@transaction.atomic
def confirm(*, token: str, now: dt.datetime) -> Asked | None:
    """Her click: everything that the link asks is given for the very address its mail went to; again is harmless.

    Returns what she confirmed, or None as `asked_by` does.
    """
    ask = _ask(token)
    if ask is None:
        return None
    # One click at a time. A no that comes at the very moment is weighed where her state is written.
    customer = Customer.objects.select_for_update(no_key=True).get(pk=ask.customer_id)
    found = _open(ask, now)
    for one in found:
        give_consent(
            customer_id=customer.pk,
            channel=one.channel,
            purpose=one.purpose,
            source=one.source,
            wording=one.wording,
            reference=f"{asks.CONFIRMS}{one.id}",
            proof=f"By the link mailed to this address after ask {one.id} of {one.recorded_at.isoformat()}.",
            expires_at=one.expires_at,
            asked_at=one.asked_at,
            now=now,
            by=BY,
        )
    if found and _holds(ask, customer, now):
        return Asked(customer, tuple((one.channel, one.purpose) for one in found), is_done=True)
    return asked_by(token, now=now)


def _ask(token: str) -> Consent | None:
    try:
        ask = Consent.objects.filter(pk=tokens.read_ask_token(token), event=Consent.Event.ASKED)
    except BadSignature:
        return None
    return ask.first()


def _open(ask: Consent, now: dt.datetime) -> list[asks.Ask]:
    """Every open ask of her address up to this one; two of one purpose are one."""
    mine = [
        one
        for one in asks.open_asks([ask.customer_id], now=now)
        if one.id <= ask.pk and bytes(one.address_hash) == bytes(ask.address_hash)
    ]
    return list({(one.channel, one.purpose): one for one in mine}.values())


def _holds(ask: Consent, customer: Customer, now: dt.datetime) -> bool:
    """Whether what was asked is a yes by now, for the same address."""
    if customer.erased_at or customer.merged_into_id or not customer.email_normal:
        return False
    state = ConsentState.objects.filter(
        holding(now), customer=customer, channel=ask.channel, purpose=ask.purpose, address=customer.email_normal
    )
    return address_hash(customer.email_normal) == bytes(ask.address_hash) and state.exists()
