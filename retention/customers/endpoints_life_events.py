"""What the shop inferred of a customer's life, over HTTP: for her preference page, where she may correct it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.http import HttpRequest
from ninja import Field, Schema

from retention import clock
from retention.customers.models import Customer, LifeEvent
from retention.customers.operations import life_events
from retention.customers.querysets import known_as
from retention.customers.shapes import Closed
from retention.doors.endpoints import Router, actor

router = Router("Customers and facts")


class LifeEventOut(Schema):
    key: str
    label: str
    is_sensitive: bool = Field(description="Never worded in messages.")
    on: dt.date | None = Field(description="Null: nothing is known, or she said that it is not so.")
    how: str | None = Field(description="inferred, imported or asked; asked without a day: she said it is not so.")
    until: dt.date | None = Field(description="What was inferred is forgotten then.")


class CorrectionIn(Closed):
    on: dt.date | None = Field(description="When it was; null: it is not so.")


@router.get("customers/{uuid:id}/life-events/", scope="customers:read", response=list[LifeEventOut])
def list_life_events(request: HttpRequest, id: uuid.UUID) -> Any:
    """Every life event of the shop with what is known of it about this customer."""
    return _all(known_as(id))


@router.post("customers/{uuid:id}/life-events/{life_event}/", scope="customers:write", response=list[LifeEventOut])
def correct_life_event(request: HttpRequest, id: uuid.UUID, life_event: str, body: CorrectionIn) -> Any:
    """She says when it was, or that it is not so; no inference ever says otherwise."""
    life_events.correct_life_event(
        customer_id=known_as(id).pk, key=life_event, on=body.on, now=clock.now(), by=actor(request)
    )
    return _all(known_as(id))


def _all(customer: Customer) -> list[dict[str, Any]]:
    events = LifeEvent.objects.filter(archived_at=None).select_related("attribute").order_by("attribute__key")
    return [_shown(event, customer.attributes.get(event.attribute.key, {})) for event in events]


def _shown(event: LifeEvent, held: dict[str, Any]) -> dict[str, Any]:
    return {
        "key": event.attribute.key,
        "label": event.attribute.label,
        "is_sensitive": event.attribute.is_sensitive,
        "on": held.get("value"),
        "how": held.get("how"),
        "until": held.get("until"),
    }
