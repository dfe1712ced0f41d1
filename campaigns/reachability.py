"""By which channels a customer may be written to, as SQL over `customers_customer c`; asked again when it leaves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from retention.customers.models.people import Channel
from retention.messaging.models import Template

#: The customer's column that a channel writes to.
ADDRESSES = {Channel.EMAIL: "c.email_normal", Channel.SMS: "c.phone"}


@dataclass(frozen=True)
class Way:
    """One message with the channel it goes by and the consents that it needs."""

    template_id: int
    channel: str
    purposes: tuple[str, ...]

    @property
    def address(self) -> str | None:
        return ADDRESSES.get(self.channel)  # type: ignore[call-overload]

    def may_be_used(self, now: dt.datetime) -> tuple[str, list[Any]]:
        """That she has an address, and has agreed to all that the message needs."""
        conditions, params = [f"{self.address} IS NOT NULL"] if self.address else [], []
        for purpose in self.purposes:
            same = f"AND s.address = {self.address}" if self.address else ""
            conditions.append(
                "EXISTS (SELECT FROM customers_consentstate s WHERE s.customer_id = c.id"
                f" AND s.channel = %s AND s.purpose = %s AND s.is_given {same}"
                " AND (s.expires_at IS NULL OR s.expires_at > %s))"
            )
            params += [str(self.channel), purpose, now]
        return " AND ".join(conditions) or "true", params


def ways(template_ids: Iterable[int]) -> tuple[Way, ...]:
    """The messages in the order in which they are named."""
    ids = list(template_ids)
    templates = Template.objects.in_bulk(ids)
    return tuple(_way(templates[pk]) for pk in ids if pk in templates)


def _way(template: Template) -> Way:
    purposes: tuple[str, ...] = ()
    if template.category == Template.Category.MARKETING:
        purposes = ("marketing", *([f"topic:{template.topic}"] if template.topic else []))
    return Way(template.pk, template.channel, purposes)


def usable_ways(those: tuple[Way, ...], customer_ids: list[int], now: dt.datetime) -> dict[int, list[Way]]:
    """Customer → the ways by which she may be written to, the one that she prefers first."""
    parts = [way.may_be_used(now) for way in those]
    columns = ", ".join(f"({text})" for text, _params in parts)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT c.id, c.preferred_channel, {columns} FROM customers_customer c WHERE c.id = ANY(%s)",  # noqa: S608
            [*(param for _text, params in parts for param in params), customer_ids],
        )
        rows = cursor.fetchall()
    return {
        pk: sorted(
            (way for way, is_usable in zip(those, usable, strict=True) if is_usable),
            key=lambda way: way.channel != preferred,
        )
        for pk, preferred, *usable in rows
    }
