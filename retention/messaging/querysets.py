"""Reading templates and deliveries."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db.models import QuerySet

from retention.customers.models import Customer
from retention.messaging.models import Delivery, Template
from retention.messaging.outgoing import Outgoing
from retention.shop.models import Shop

#: Stands for the customer of a preview that has none.
NOBODY = uuid.UUID(int=0)


def due(*, now: dt.datetime, is_transactional: bool | None = None) -> QuerySet[Delivery]:
    """Queued or held messages that may leave at `now`."""
    found = Delivery.objects.filter(state__in=["queued", "held"], not_before__lte=now)
    return found if is_transactional is None else found.filter(is_transactional=is_transactional)


def usable_templates() -> QuerySet[Template]:
    """Templates that can be chosen: saved, not archived."""
    return Template.objects.filter(archived_at=None, version__isnull=False)


def outgoing(deliveries: QuerySet[Delivery]) -> list[Outgoing]:
    """Deliveries as guards and placeholders see them, taken from nobody's hands; one query."""
    shop = Shop.objects.first()
    zone = shop.time_zone if shop else "UTC"
    return [
        Outgoing(
            id=delivery.pk,
            public_id=delivery.public_id,
            origin=delivery.origin,
            origin_id=delivery.origin_id,
            step=delivery.step,
            channel=delivery.channel,
            template_id=delivery.template_id,
            version_id=delivery.version_id,
            grant_id=delivery.grant_id,
            context=delivery.context,
            is_transactional=delivery.is_transactional,
            topic=delivery.template.topic,
            priority=delivery.priority,
            attempts=delivery.attempts,
            held_at=delivery.held_at,
            **_customer_fields(delivery.customer, delivery.language, zone),
        )
        for delivery in deliveries.select_related("customer", "template")
    ]


def _customer_fields(customer: Customer, language: str, zone: str) -> dict:
    return {
        "customer_id": customer.pk,
        "customer_public_id": customer.public_id,
        "address": customer.email.strip() if customer.email else None,
        "address_normal": customer.email_normal,
        "first_name": customer.given_name,
        "last_name": customer.family_name,
        "language": language or customer.language,
        "zone": customer.time_zone or zone,
        "is_gone": customer.merged_into_id is not None or customer.erased_at is not None,
    }


@dataclass(frozen=True)
class Choice:
    """Something a customer may choose to get: marketing on a channel, or one topic of it."""

    channel: str
    purpose: str
    is_on: bool

    @property
    def topic(self) -> str:
        return self.purpose.removeprefix("topic:") if self.purpose.startswith("topic:") else ""


def choices_of(customer: Customer) -> list[Choice]:
    """What the customer may choose: marketing by mail, other channels she was ever asked about, and every topic."""
    addresses = {"email": customer.email_normal, "sms": customer.phone}
    states = {
        (state.channel, state.purpose): state.is_given and state.address == addresses.get(state.channel)
        for state in customer.consent_states.filter(channel__in=addresses)
        if addresses[state.channel]
    }
    offered = dict.fromkeys([("email", "marketing")] if customer.email_normal else [])
    topics = usable_templates().exclude(topic="").values_list("channel", "topic").order_by("topic").distinct()
    offered.update(dict.fromkeys(key for key in sorted(states) if key[1] == "marketing"))
    offered.update(dict.fromkeys((channel, f"topic:{topic}") for channel, topic in topics if addresses.get(channel)))
    offered.update(dict.fromkeys(key for key in sorted(states) if key[1].startswith("topic:")))
    return [Choice(channel, purpose, states.get((channel, purpose), False)) for channel, purpose in offered]


def sample_outgoing(template: Template, customer: Customer | None, language: str, channel: str) -> Outgoing:
    """A made-up delivery of the template, for previews; without a customer everything in it is a sample."""
    shop = Shop.objects.first()
    zone = shop.time_zone if shop else "UTC"
    of_customer = (
        _customer_fields(customer, language, zone)
        if customer is not None
        else {
            "customer_id": 0,
            "customer_public_id": NOBODY,
            "address": "anna@example.com",
            "address_normal": "anna@example.com",
            "first_name": "",
            "last_name": "",
            "language": language,
            "zone": zone,
        }
    )
    return Outgoing(
        id=0,
        public_id=NOBODY,
        origin="messaging.preview",
        origin_id=0,
        step=0,
        channel=channel,
        template_id=template.pk or 0,
        version_id=template.version_id or 0,
        grant_id=None,
        context={},
        is_transactional=template.category == Template.Category.TRANSACTIONAL,
        topic=template.topic,
        priority=0,
        attempts=0,
        held_at=None,
        **of_customer,
    )
