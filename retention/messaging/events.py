"""What other programs are told of messages: those that came back, were complained of, or ended in an unsubscription."""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from retention.event_kinds import EventKind
from retention.registries import EventSource, events

_SAMPLE: dict[str, Any] = {
    "message": "01920000-0000-7000-8000-000000000012",
    "channel": "email",
    "origin": "campaigns.touch",
    "detail": "5.1.1",
}


@events.register
class MessageSource(EventSource):
    key = "messaging.events"
    group = _("Messages")
    kinds: ClassVar = {
        "messaging.bounced": EventKind(
            _("A message bounced"), _("When an address turns out not to take messages for good."), _SAMPLE
        ),
        "messaging.complained": EventKind(
            _("A message was complained of"), _("When a mailbox tells that it was marked as spam."), _SAMPLE
        ),
        "messaging.unsubscribed": EventKind(
            _("Unsubscribed by a message"), _("When a customer follows the link in a message to have no more."), _SAMPLE
        ),
    }
    sql = """
        SELECT 'messaging.' || event.kind AS kind, 'messaging.event:' || event.id AS reference, delivery.customer_id,
               event.recorded_at AS occurred_at,
               jsonb_build_object('message', delivery.public_id, 'channel', delivery.channel,
                                  'origin', delivery.origin, 'detail', event.detail) AS data,
               event.xid
        FROM messaging_event event
        JOIN messaging_delivery delivery ON delivery.id = event.delivery_id
        WHERE event.xid >= %(since)s::text::xid8 AND event.xid < %(until)s::text::xid8
          AND 'messaging.' || event.kind = ANY(%(kinds)s)
    """
