"""Reading templates and deliveries."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db.models import QuerySet

from retention.customers.asks import open_asks
from retention.customers.models import Customer
from retention.customers.querysets import holding
from retention.messaging.models import Delivery, Template, Topic
from retention.messaging.outgoing import Outgoing
from retention.messaging.purposes import names_of
from retention.messaging.ways import addresses_of
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
            is_ghost=delivery.is_ghost,
            group_id=delivery.group_id,
            **_customer_fields(delivery.customer, delivery.channel, delivery.language, zone),
        )
        for delivery in deliveries.select_related("customer", "template")
    ]


def _customer_fields(customer: Customer, channel: str, language: str, zone: str) -> dict:
    address, normal = addresses_of(customer, channel)
    return {
        "customer_id": customer.pk,
        "customer_public_id": customer.public_id,
        "address": address,
        "address_normal": normal,
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
    name: str
    is_on: bool
    #: She was sent a mail to confirm it and has not answered yet.
    is_asked: bool


def choices_of(customer: Customer, *, language: str, now: dt.datetime) -> list[Choice]:
    """What the customer may choose: marketing by mail, other channels she was ever asked about, and every topic."""
    addresses = {"email": customer.email_normal, "sms": customer.phone}
    states = {
        (state.channel, state.purpose): state.is_held and addresses.get(state.channel, state.address) == state.address
        for state in customer.consent_states.exclude(purpose="transactional").annotate(is_held=holding(now))
        if addresses.get(state.channel, True)
    }
    asked = {(ask.channel, ask.purpose) for ask in open_asks([customer.pk], now=now)}
    offered = dict.fromkeys([("email", "marketing")] if customer.email_normal else [])
    offered.update(dict.fromkeys(key for key in sorted(states) if key[1] == "marketing"))
    offered.update(dict.fromkeys((channel, f"topic:{key}") for channel, key in topics() if addresses.get(channel)))
    offered.update(dict.fromkeys(key for key in sorted({*states, *asked}) if key[1].startswith("topic:")))
    names = names_of(offered, language)
    return [
        Choice(*key, name=name, is_on=states.get(key, False), is_asked=key in asked)
        for key, name in zip(offered, names, strict=True)
    ]


def topics() -> list[tuple[str, str]]:
    """(channel, key) of every topic that can be had: declared ones by mail, and those that templates name."""
    archived = Topic.objects.exclude(archived_at=None).values("key")
    named = (
        usable_templates()
        .filter(channel__in=["email", "sms", "push"])
        .exclude(topic="")
        .exclude(topic__in=archived)
        .values_list("channel", "topic")
    )
    declared = Topic.objects.filter(archived_at=None).values_list("key", flat=True)
    return sorted({*named.order_by(), *(("email", key) for key in declared)}, key=lambda pair: pair[::-1])


def sample_outgoing(template: Template, customer: Customer | None, language: str, channel: str) -> Outgoing:
    """A made-up delivery of the template, for previews; without a customer everything in it is a sample."""
    shop = Shop.objects.first()
    zone = shop.time_zone if shop else "UTC"
    of_customer = (
        _customer_fields(customer, channel, language, zone)
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
