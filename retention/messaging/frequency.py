"""How often a customer is written to: what has left, who goes first, and the lock that makes two senders take turns."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache

from django.db import connection

from retention.audit.models import Version
from retention.messaging.models import MessagingPolicy
from retention.messaging.outgoing import Outgoing
from retention.messaging.policy import LONGEST, Left, SendingPolicy, room

_COUNTED = """
SELECT d.customer_id, d.left_at, d.channel, t.topic
FROM messaging_delivery d JOIN messaging_template t ON t.id = d.template_id
WHERE d.customer_id = ANY(%(customers)s) AND NOT d.is_transactional AND d.left_at >= %(since)s
"""

# Those in the same hands have been asked already, or are asked in the same breath.
_WAITING = """
SELECT d.customer_id, d.id, d.priority, d.channel, t.topic
FROM messaging_delivery d JOIN messaging_template t ON t.id = d.template_id
WHERE d.customer_id = ANY(%(customers)s) AND NOT d.is_transactional AND d.left_at IS NULL
    AND d.state IN ('queued', 'held', 'claimed') AND d.not_before <= %(now)s
    AND d.claimed_by IS DISTINCT FROM coalesce(
        (SELECT nullif(claimed_by, '') FROM messaging_delivery WHERE id = %(asked)s), '-')
    AND NOT EXISTS (SELECT FROM messaging_outage o WHERE o.channel = d.channel AND o.until > %(now)s)
"""

_TAKE_TURNS = """
SELECT pg_advisory_xact_lock(hashtextextended('messaging.frequency', customer))
FROM (SELECT DISTINCT unnest(%(customers)s::bigint[]) AS customer ORDER BY 1) one
"""


def current_policy() -> SendingPolicy:
    """What holds now."""
    version_id = MessagingPolicy.objects.values_list("version_id", flat=True).first()
    return policy_of(version_id) if version_id else SendingPolicy()


@lru_cache(maxsize=100)
def policy_of(version_id: int) -> SendingPolicy:
    """What a version says; versions never change."""
    return SendingPolicy.model_validate(Version.objects.get(pk=version_id).data)


def left_of(customer_ids: Iterable[int], *, now: dt.datetime) -> dict[int, list[Left]]:
    """customer → what left for her within the longest window, ghosts' messages as the others'."""
    found: dict[int, list[Left]] = defaultdict(list)
    with connection.cursor() as cursor:
        # A day more: a calendar month may begin earlier in her zone.
        since = now - LONGEST - dt.timedelta(days=1)
        cursor.execute(_COUNTED, {"customers": list(customer_ids), "since": since})
        for customer_id, at, channel, topic in cursor.fetchall():
            found[customer_id].append(Left(at, channel, topic))
    return found


def waiting_ahead(asked: Sequence[Outgoing], *, now: dt.datetime) -> dict[int, list[Left]]:
    """delivery → her other messages that are due as well and go first, as if they left now."""
    by_customer: dict[int, list[tuple[int, int, Left]]] = defaultdict(list)
    with connection.cursor() as cursor:
        customers = list({delivery.customer_id for delivery in asked})
        cursor.execute(_WAITING, {"customers": customers, "now": now, "asked": asked[0].id})
        for customer_id, pk, priority, channel, topic in cursor.fetchall():
            by_customer[customer_id].append((-priority, pk, Left(now, channel, topic)))
    for delivery in asked:
        left = Left(now, delivery.channel, delivery.topic)
        by_customer[delivery.customer_id].append((-delivery.priority, delivery.id, left))
    return {
        delivery.id: [
            left
            for rank, pk, left in by_customer[delivery.customer_id]
            if pk != delivery.id and (rank, pk) < (-delivery.priority, delivery.id)
        ]
        for delivery in asked
    }


def within_caps(going: Sequence[Outgoing], policy: SendingPolicy, *, at: dt.datetime) -> list[Outgoing]:
    """Those of `going` that no cap stops, the first ones first; other senders wait for this transaction's end.

    Between asking the guards and this moment another sender may have written to her: so it is counted anew under a
    lock of hers.
    """
    capped = {delivery.id for delivery in going if is_capped(delivery, policy)}
    if not capped:
        return list(going)
    customers = sorted({delivery.customer_id for delivery in going if delivery.id in capped})
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_TURNS, {"customers": customers})
    lefts = left_of(customers, now=at)
    allowed = []
    for delivery in sorted(going, key=lambda delivery: (-delivery.priority, delivery.id)):
        if delivery.id in capped:
            mine = lefts[delivery.customer_id]
            if room(policy.caps, mine, channel=delivery.channel, topic=delivery.topic, now=at, zone=delivery.zone):
                continue
            mine.append(Left(at, delivery.channel, delivery.topic))
        allowed.append(delivery)
    return allowed


def is_capped(delivery: Outgoing, policy: SendingPolicy) -> bool:
    """Whether any cap is about it; what someone waits for is neither counted nor kept."""
    return not delivery.is_transactional and bool(policy.covering(delivery.channel, delivery.topic))
