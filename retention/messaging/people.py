"""How messages and suppressions are forgotten, merged and exported."""

from typing import ClassVar

from retention.registries import PersonData, people


@people.register
class DeliveryData(PersonData):
    key = "messaging.delivery"
    model = "messaging.Delivery"
    #: That a message was sent stays for the figures; what its origin knew of her goes. There is no body to forget.
    columns: ClassVar = {
        "customer": "keep",
        "context": "scrub",
        "params": "keep",
        "provider_id": "blank",
        "origin": "keep",
        "reason": "keep",
        "language": "keep",
        "claimed_by": "keep",
    }


@people.register
class SuppressionData(PersonData):
    key = "messaging.suppression"
    model = "messaging.Suppression"
    owner = ""
    #: The keyed hash names nobody; it has to outlive her, or a later import would write to her again.
    columns: ClassVar = {"address_hash": "keep"}


@people.register
class EventData(PersonData):
    """When a message was opened, by which of its links; the address and the machine it came from are never kept."""

    key = "messaging.event"
    model = "messaging.Event"
    owner = "delivery__customer"
    merging = "stay"
    columns: ClassVar = {"source": "keep", "detail": "keep", "kind": "keep"}


@people.register
class DeviceData(PersonData):
    key = "messaging.push_subscription"
    model = "messaging.PushSubscription"
    columns: ClassVar = {"customer": "keep", "endpoint": "scrub", "p256dh": "blank", "auth": "blank"}


@people.register
class InboxData(PersonData):
    key = "messaging.inbox_message"
    model = "messaging.InboxMessage"
    columns: ClassVar = {"customer": "keep", "subject": "blank", "text": "blank", "url": "blank"}
