"""The statements of the outbox: claim, mark as being sent, settle, release, and find what a lost sender left.

Leases live by the database's clock. A row in hand carries its sender's token, and nothing but that token moves it on.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from retention.actors import Actor
from retention.customers.addresses import address_hash
from retention.incentives.models import Grant
from retention.incentives.operations import give, take_back
from retention.messaging import reasons, tallies
from retention.messaging.frequency import within_caps
from retention.messaging.models import Delivery, Way
from retention.messaging.outgoing import Outgoing
from retention.messaging.policy import SendingPolicy
from retention.messaging.ways import DESTINATIONS, consent_of
from retention.registries import outcomes

#: How long a claim lasts, and how long twenty hand-overs may; a mail that stalls at every step takes 100 seconds.
CLAIM_LEASE = dt.timedelta(minutes=10)
SENDING_LEASE = dt.timedelta(minutes=6)
_ASK_AGAIN = dt.timedelta(minutes=1)
#: In these states a message brought nothing, and never will.
_NEVER_CAME = (Delivery.State.FAILED, Delivery.State.SUPPRESSED, Delivery.State.BOUNCED)

_DUE = """
SELECT channel FROM unnest(%(channels)s::text[]) WITH ORDINALITY AS known (channel, place)
WHERE EXISTS (
    SELECT FROM messaging_delivery d WHERE d.state IN ('queued', 'held') AND d.channel = known.channel
        AND d.is_transactional = %(is_transactional)s AND d.not_before <= %(at)s)
ORDER BY place
"""

_CLAIM = """
WITH due AS (
    SELECT id FROM messaging_delivery
    WHERE state IN ('queued', 'held') AND is_transactional = %(is_transactional)s AND not_before <= %(at)s
        AND channel = %(channel)s
    ORDER BY is_transactional, channel, priority DESC, not_before, id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE messaging_delivery d
SET state = 'claimed', claimed_by = %(token)s, lease_until = statement_timestamp() + %(lease)s
FROM due, customers_customer c, messaging_template t
WHERE d.id = due.id AND c.id = d.customer_id AND t.id = d.template_id
RETURNING d.id, d.public_id, d.origin, d.origin_id, d.step, d.channel, d.template_id, d.version_id, d.grant_id,
    d.context, d.is_transactional, t.topic, d.priority, d.attempts, d.held_at, d.customer_id, c.public_id,
    {written}, {normal}, c.given_name, c.family_name, c.language, c.time_zone,
    c.merged_into_id IS NOT NULL OR c.erased_at IS NOT NULL, d.is_ghost, d.group_id
"""

# Consent and suppression are asked once more in the very statement after which the message leaves.
_MARK = """
UPDATE messaging_delivery d
SET state = 'sending', attempts = d.attempts + 1, language = going.language, left_at = %(at)s,
    lease_until = statement_timestamp() + %(lease)s
FROM jsonb_to_recordset(%(going)s) AS going (id bigint, language text, address text, hash bytea, topic text,
        consent text, consent_address text),
    customers_customer c
WHERE d.id = going.id AND c.id = d.customer_id AND d.state = 'claimed' AND d.claimed_by = %(token)s
    AND {normal} = going.address AND c.erased_at IS NULL AND c.merged_into_id IS NULL
    AND (d.is_transactional OR going.consent = '' OR (
        EXISTS (SELECT FROM customers_consentstate s WHERE s.customer_id = c.id AND s.channel = going.consent
                AND s.purpose = 'marketing' AND s.is_given AND s.address = going.consent_address
                AND (s.expires_at IS NULL OR s.expires_at > %(at)s))
        AND (going.topic = '' OR EXISTS (
            SELECT FROM customers_consentstate s WHERE s.customer_id = c.id AND s.channel = going.consent
            AND s.purpose = 'topic:' || going.topic AND s.is_given AND s.address = going.consent_address
            AND (s.expires_at IS NULL OR s.expires_at > %(at)s)))))
    AND NOT EXISTS (SELECT FROM messaging_suppression s WHERE s.channel = d.channel AND s.address_hash = going.hash
                    AND NOT (s.marketing_only AND d.is_transactional))
RETURNING d.id
"""

# A sender that lost its lease still knows how its own hand-overs ended, so `unknown` may become what it was.
_SETTLE = """
UPDATE messaging_delivery d
SET state = settled.state, reason = settled.reason, params = settled.params,
    not_before = coalesce(settled.not_before, d.not_before),
    held_at = CASE WHEN settled.state = 'held' THEN coalesce(d.held_at, %(at)s) ELSE d.held_at END,
    ended_at = CASE WHEN settled.state IN ('queued', 'held') THEN NULL ELSE %(at)s END,
    left_at = CASE WHEN settled.state IN ('sent', 'withheld', 'unknown') THEN d.left_at END,
    lease_until = NULL, provider_id = settled.provider_id, xid = pg_current_xact_id()
FROM jsonb_to_recordset(%(settled)s)
    AS settled (id bigint, state text, reason text, params jsonb, not_before timestamptz, provider_id text)
WHERE d.id = settled.id AND d.claimed_by = %(token)s AND d.state IN ('claimed', 'sending', 'unknown')
RETURNING d.id, old.state
"""

_RELEASE = """
UPDATE messaging_delivery
SET state = 'queued', lease_until = NULL, claimed_by = '', left_at = NULL,
    not_before = greatest(not_before, %(not_before)s),
    attempts = attempts - (state = 'sending')::int
WHERE id = ANY(%(ids)s) AND claimed_by = %(token)s AND state IN ('claimed', 'sending')
"""

_RETURN_CLAIMED = """
UPDATE messaging_delivery SET state = 'queued', lease_until = NULL, claimed_by = ''
WHERE id IN (SELECT id FROM messaging_delivery WHERE state = 'claimed' AND lease_until < statement_timestamp()
             ORDER BY id FOR UPDATE SKIP LOCKED)
"""

# A channel that knows repetitions may simply be asked again.
_REPEAT = """
UPDATE messaging_delivery SET state = 'queued', lease_until = NULL, claimed_by = '', left_at = NULL
WHERE id IN (SELECT id FROM messaging_delivery WHERE state = 'sending' AND channel = ANY(%(channels)s)
             AND lease_until < statement_timestamp() ORDER BY id FOR UPDATE SKIP LOCKED)
"""

_GIVE_UP_SENDING = """
UPDATE messaging_delivery
SET state = 'unknown', reason = %(reason)s, params = '{}', ended_at = %(now)s, lease_until = NULL,
    xid = pg_current_xact_id()
WHERE id IN (SELECT id FROM messaging_delivery WHERE state = 'sending' AND lease_until < statement_timestamp()
             ORDER BY id FOR UPDATE SKIP LOCKED)
RETURNING id, origin, origin_id, customer_id, grant_id, group_id, version_id, channel
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """As much of a delivery as what follows from its end needs."""

    id: int
    origin: str
    origin_id: int
    customer_id: int
    grant_id: int | None
    group_id: int | None
    version_id: int
    channel: str


@dataclass(frozen=True, slots=True)
class Settlement:
    """How one delivery in hand goes on."""

    delivery: Outgoing
    state: str
    reason: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    not_before: dt.datetime | None = None
    provider_id: str = ""

    def row(self) -> dict[str, Any]:
        return {
            "id": self.delivery.id,
            "state": self.state,
            "reason": self.reason,
            "params": self.params,
            "not_before": self.not_before and self.not_before.isoformat(),
            "provider_id": self.provider_id,
        }


def _claim_sql(channel: str) -> str:
    to = DESTINATIONS[Way(channel)]
    return _CLAIM.format(written=to.written, normal=to.normal)


def _mark_sql(channel: str) -> str:
    return _MARK.format(normal=DESTINATIONS[Way(channel)].normal)


def due_channels(channels: Iterable[str], *, is_transactional: bool, at: dt.datetime) -> list[str]:
    """Those of the channels on which something may leave now."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"channels": list(channels), "is_transactional": is_transactional, "at": at})
        return [channel for (channel,) in cursor.fetchall()]


def claim(
    *, channel: str, is_transactional: bool, at: dt.datetime, limit: int, token: str, zone: str
) -> list[Outgoing]:
    """Take up to `limit` due messages in hand, the most urgent first; no one else will touch them for a while."""
    with connection.cursor() as cursor:
        cursor.execute(
            _claim_sql(channel),
            {
                "channel": channel,
                "is_transactional": is_transactional,
                "at": at,
                "limit": limit,
                "token": token,
                "lease": CLAIM_LEASE,
            },
        )
        rows = cursor.fetchall()
    claimed = [Outgoing(*row) for row in rows]
    for delivery in claimed:
        if isinstance(delivery.context, str):
            delivery.context = json.loads(delivery.context)
        delivery.zone = delivery.zone or zone
    return sorted(claimed, key=lambda delivery: (-delivery.priority, delivery.id))


@transaction.atomic(savepoint=False)
def mark_sending(going: Sequence[Outgoing], *, policy: SendingPolicy, token: str, at: dt.datetime) -> set[int]:
    """Those that may leave this very moment, now `sending`; the others are still `claimed`."""
    going = within_caps(going, policy, at=at)
    if not going:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            # A sender has one channel in hand.
            _mark_sql(going[0].channel),
            {
                "going": Jsonb([_going(delivery) for delivery in going]),
                "token": token,
                "lease": SENDING_LEASE,
                "at": at,
            },
        )
        return {pk for (pk,) in cursor.fetchall()}


def _going(delivery: Outgoing) -> dict[str, Any]:
    consent = consent_of(delivery.channel, delivery.address_normal)
    return {
        "id": delivery.id,
        "language": delivery.language,
        "address": delivery.address_normal,
        "hash": f"\\x{address_hash(delivery.address_normal or '').hex()}",
        "topic": delivery.topic,
        "consent": consent[0] if consent else "",
        "consent_address": consent[1] if consent else "",
    }


@transaction.atomic(savepoint=False)
def settle(settlements: Sequence[Settlement], *, token: str, at: dt.datetime) -> None:
    """Write how they ended or go on, and what follows from that, as one."""
    if not settlements:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _SETTLE,
            {"settled": Jsonb([item.row() for item in settlements]), "token": token, "at": at},
        )
        settled = dict(cursor.fetchall())
    by_end: dict[str, list[Any]] = defaultdict(list)
    for item in settlements:
        if item.delivery.id in settled:
            by_end[item.state].append(item.delivery)
            if settled[item.delivery.id] == "unknown":
                by_end["was unknown"].append(item.delivery)
    tallies.note([("unknown", by_end["was unknown"])], at=at, by=-1)
    follow(
        sent=by_end["sent"],
        withheld=by_end["withheld"],
        unknown=by_end["unknown"],
        unsent=by_end["failed"] + by_end["suppressed"],
        at=at,
    )


def release(ids: Iterable[int], *, token: str, at: dt.datetime | None = None) -> None:
    """Put back what was not handed over, to be taken up at once, or after a minute where `at` is given."""
    with connection.cursor() as cursor:
        cursor.execute(
            _RELEASE, {"ids": list(ids), "token": token, "not_before": at + _ASK_AGAIN if at is not None else None}
        )


@transaction.atomic
def give_up_lost(*, now: dt.datetime, repeating: Iterable[str] = ()) -> int:
    """What a lost sender had in hand: the claimed is queued again, what it was sending is unknown. Counts these.

    On the channels that are `repeating` what it was sending is queued again too: they know it by its reference.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RETURN_CLAIMED)
        cursor.execute(_REPEAT, {"channels": list(repeating)})
        cursor.execute(_GIVE_UP_SENDING, {"reason": reasons.SENDER_LOST, "now": now})
        lost = [Ended(*row) for row in cursor.fetchall()]
    follow(unknown=lost, at=now)
    return len(lost)


def follow(
    *,
    sent: Sequence[Any] = (),
    withheld: Sequence[Any] = (),
    unknown: Sequence[Any] = (),
    unsent: Sequence[Any] = (),
    at: dt.datetime,
) -> None:
    """What follows from an end, in its transaction: coupons given or taken back, and the origins told.

    A coupon that another message brought, or may still bring, stays.
    To its origin a withheld message is a sent one; but nothing is given with it.
    """
    tallies.note([("sent", sent), ("withheld", withheld), ("unknown", unknown), ("unsent", unsent)], at=at)
    given = sorted(d.grant_id for d in (*sent, *unknown) if d.grant_id is not None)
    if given:
        give(grant_ids=given, now=at)
    if returned := _brought_by_nothing_else({d.grant_id for d in unsent if d.grant_id is not None}):
        take_back(grant_ids=returned, now=at, by=Actor.job("messaging.send"), reason="not_sent")
    for verb, ended in (("sent", (*sent, *withheld)), ("unknown", unknown), ("not_sent", unsent)):
        by_origin: dict[str, list[Any]] = defaultdict(list)
        for delivery in ended:
            by_origin[delivery.origin].append(delivery)
        for origin, deliveries in sorted(by_origin.items()):
            if origin in outcomes:
                getattr(outcomes[origin], verb)(deliveries, now=at)


def _brought_by_nothing_else(grant_ids: set[int]) -> list[int]:
    """Of these grants those whose messages have all ended unsent."""
    if not grant_ids:
        return []
    # Of two senders whose messages bring the same, the second waits here and sees how the first one's ended.
    grants = Grant.objects.select_for_update(no_key=True).filter(pk__in=grant_ids).order_by("pk")
    locked = list(grants.values_list("pk", flat=True))
    others = Delivery.objects.filter(grant__in=locked, is_ghost=False).exclude(state__in=_NEVER_CAME)
    brought = set(others.values_list("grant_id", flat=True))
    return [pk for pk in locked if pk not in brought]
