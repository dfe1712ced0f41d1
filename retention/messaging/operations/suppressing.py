"""Addresses that are written to no more, and those that may be again."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.audit.operations import record
from retention.customers.addresses import address_hash, normal_email
from retention.messaging import frames
from retention.messaging.models import Suppression
from retention.refusals import Refused


class NotAnAddress(Refused):
    code = "messaging.not_an_address"
    sentence = _("This is not an address that could be written to.")
    status = 422


class NotSuppressed(Refused):
    code = "messaging.not_suppressed"
    sentence = _("This address is written to already.")


@transaction.atomic
def suppress(
    *,
    address: str,
    channel: str = "email",
    why: str = Suppression.Why.BY_HAND,
    marketing_only: bool = False,
    now: dt.datetime,
    by: Actor,
) -> Suppression:
    """Write to this address no more; only its keyed hash is kept. A stricter suppression replaces a milder one.

    Raises:
        NotAnAddress
    """
    normal = normal_email(address)
    try:
        frames.envelope_address(normal)
    except frames.BadAddress:
        raise NotAnAddress from None
    row, is_new = Suppression.objects.get_or_create(
        channel=channel,
        address_hash=address_hash(normal),
        defaults={"why": why, "marketing_only": marketing_only, "since": now},
    )
    if not is_new and row.marketing_only and not marketing_only:
        row.marketing_only, row.why, row.since = False, why, now
        row.save(update_fields=["marketing_only", "why", "since"])
    record(verb="messaging.suppress", by=by, now=now, subject=row, after={"why": why, "channel": channel})
    return row


@transaction.atomic
def lift_suppression(*, suppression_id: int, now: dt.datetime, by: Actor) -> None:
    """Write to this address again: someone made sure that it works and is wanted.

    Raises:
        NotSuppressed: it is gone already.
    """
    row = Suppression.objects.select_for_update().filter(pk=suppression_id).first()
    if row is None:
        raise NotSuppressed
    record(verb="messaging.lift_suppression", by=by, now=now, subject=row, before={"why": row.why})
    row.delete()
