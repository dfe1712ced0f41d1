"""Calling messages off before they leave, and deciding about those of which nobody knows whether they did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.audit.operations import record
from retention.messaging import reasons, tallies
from retention.messaging.models import Delivery
from retention.messaging.operations.outbox import Ended, follow
from retention.refusals import Refused
from retention.work.operations import resolve_alert

_CANCEL = """
UPDATE messaging_delivery
SET state = 'suppressed', reason = %(reason)s, params = '{}', ended_at = %(now)s, lease_until = NULL, claimed_by = '',
    xid = pg_current_xact_id()
WHERE id IN (
    SELECT id FROM messaging_delivery
    WHERE origin = %(origin)s AND origin_id = ANY(%(origin_ids)s) AND state IN ('queued', 'held', 'claimed')
    ORDER BY id FOR UPDATE)
RETURNING id, origin, origin_id, customer_id, grant_id, group_id, version_id, channel
"""


class NotUnknown(Refused):
    code = "messaging.not_unknown"
    sentence = _("This message's end is known: it is %(state)s.")


@transaction.atomic
def cancel(
    *, origin: str, origin_ids: Sequence[int], now: dt.datetime, by: Actor, reason: str = reasons.CANCELLED
) -> list[int]:
    """Call off what was queued for these rows and has not begun to leave; coupons are taken back, the origin is told.

    Returns the origin ids whose message was called off, once for each message. What is being handed over this very
    moment, or has left, stays as it is.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CANCEL, {"origin": origin, "origin_ids": list(origin_ids), "now": now, "reason": reason})
        ended = [Ended(*row) for row in cursor.fetchall()]
    follow(unsent=ended, at=now)
    if ended:
        record(verb="messaging.cancel", by=by, now=now, after={"origin": origin, "messages": len(ended)})
    return [delivery.origin_id for delivery in ended]


@transaction.atomic
def settle_unknown(*, delivery_id: int, arrived: bool, now: dt.datetime, by: Actor) -> Delivery:
    """Someone asked the provider: the message arrived, or it did not and is sent again.

    Raises:
        NotUnknown: its end is known already.
    """
    delivery = Delivery.objects.select_for_update(of=["self"]).get(pk=delivery_id)
    if delivery.state != Delivery.State.UNKNOWN:
        raise NotUnknown(state=delivery.state)
    # Its sender's token goes: if that sender comes back after all, its word counts no more.
    delivery.claimed_by, delivery.reason, delivery.params = "", "", {}
    tallies.note([("unknown", [delivery])], at=now, by=-1)
    if arrived:
        delivery.state = Delivery.State.SENT
        follow(
            sent=[delivery],
            at=now,
        )
    else:
        delivery.state, delivery.ended_at, delivery.not_before = Delivery.State.QUEUED, None, now
        delivery.left_at = None
    delivery.save(update_fields=["state", "claimed_by", "reason", "params", "ended_at", "left_at", "not_before"])
    record(
        verb="messaging.settle_unknown",
        by=by,
        now=now,
        subject=delivery,
        customer_id=delivery.customer_id,
        after={"arrived": arrived},
    )
    if not Delivery.objects.filter(state=Delivery.State.UNKNOWN).exists():
        resolve_alert(kind="messaging.unknown", now=now)
    return delivery
