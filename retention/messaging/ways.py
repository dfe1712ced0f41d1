"""Where each channel writes to: the customer's address on it, and the consent that its marketing needs."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from retention.customers.models import Customer
from retention.messaging.models import PushSubscription, Way


@dataclass(frozen=True)
class Destination:
    """SQL over `c`, a customer: her address as it is written, and in the normal form that consent and suppression know.

    Attributes:
        consent: whose consent its marketing needs; empty: none, since she comes to see it by herself.
        is_of_address: the consent is for this very address.
    """

    written: str
    normal: str
    consent: str
    is_of_address: bool = False


_ITSELF = "c.public_id::text"
_WITH_DEVICE = (
    f"CASE WHEN EXISTS (SELECT FROM messaging_pushsubscription p WHERE p.customer_id = c.id AND p.gone_at IS NULL)"
    f" THEN {_ITSELF} END"
)
DESTINATIONS = {
    Way.EMAIL: Destination("trim(c.email)", "c.email_normal", "email", is_of_address=True),
    Way.SMS: Destination("c.phone", "c.phone", "sms", is_of_address=True),
    Way.PUSH: Destination(_WITH_DEVICE, _WITH_DEVICE, "push"),
    Way.INBOX: Destination(_ITSELF, _ITSELF, ""),
    Way.WEBHOOK: Destination(_ITSELF, _ITSELF, settings.WEBHOOK_CONSENT),
}


def consent_of(channel: str, address: str | None) -> tuple[str, str] | None:
    """(channel, address) of the consent that marketing on a channel to this address needs; None: none."""
    to = DESTINATIONS[Way(channel)]
    return (to.consent, (address or "") if to.is_of_address else "") if to.consent else None


def addresses_of(customer: Customer, channel: str) -> tuple[str | None, str | None]:
    """(as written, normal): the same as the SQL, of one customer."""
    if channel == Way.EMAIL:
        return (customer.email.strip() if customer.email else None), customer.email_normal
    if channel == Way.SMS:
        return customer.phone, customer.phone
    itself = str(customer.public_id)
    if channel == Way.PUSH and not PushSubscription.objects.filter(customer=customer, gone_at=None).exists():
        return None, None
    return itself, itself
