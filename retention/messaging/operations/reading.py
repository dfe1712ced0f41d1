"""What the shop's own pages do for customers: read the inbox, and tell of browsers that agreed to notices."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from retention.customers.models import Customer
from retention.messaging.models import InboxMessage, PushSubscription
from retention.messaging.operations.tracking import record_open
from retention.refusals import Refused


class NoSuchInboxMessage(Refused):
    code = "messaging.no_such_inbox_message"
    sentence = _("There is no such message in this customer's inbox.")
    status = 404


class NotAPushService(Refused):
    code = "messaging.not_a_push_service"
    sentence = _("A push service's address begins with https://.")
    status = 422


@transaction.atomic
def read_message(*, public_id: uuid.UUID, now: dt.datetime) -> InboxMessage:
    """She has read it; the first time counts, and as an open of hers.

    Raises:
        NoSuchInboxMessage
    """
    message = InboxMessage.objects.select_for_update(no_key=True).filter(public_id=public_id).first()
    if message is None:
        raise NoSuchInboxMessage
    if message.read_at is None:
        message.read_at = now
        message.save(update_fields=["read_at"])
        record_open(reference=message.delivery_id, now=now, is_person=True)
    return message


@transaction.atomic
def subscribe_device(
    *, customer: Customer, endpoint: str, p256dh: str, auth: str, now: dt.datetime
) -> PushSubscription:
    """Notices may go to this browser; known already, it is hers from now on. Consent is given beside it.

    Raises:
        NotAPushService
    """
    if not endpoint.startswith("https://"):
        raise NotAPushService
    device, _is_new = PushSubscription.objects.update_or_create(
        endpoint=endpoint,
        defaults={"customer": customer, "p256dh": p256dh, "auth": auth, "gone_at": None},
        create_defaults={"customer": customer, "p256dh": p256dh, "auth": auth, "since": now},
    )
    return device


@transaction.atomic
def unsubscribe_device(*, endpoint: str, now: dt.datetime) -> bool:
    """No more notices to this browser; whether there was one."""
    return bool(PushSubscription.objects.filter(endpoint=endpoint, gone_at=None).update(gone_at=now))
