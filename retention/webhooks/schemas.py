"""What callers send and get of webhooks."""

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from retention.webhooks.bodies import body_of
from retention.webhooks.catalogue import by_group, sample_of
from retention.webhooks.models import Endpoint, Notice
from retention.webhooks.signing import secret_of


class WebhookEventOut(Schema):
    """One kind of event: when it is told, and a body as it is sent."""

    type: str
    label: str
    told: str
    group: str
    sample: dict[str, Any]


class EndpointIn(Schema):
    """Where another program listens, and to what; no events are none."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    url: Annotated[str, StringConstraints(max_length=500)] = Field(description="Begins with https://.")
    events: list[Annotated[str, StringConstraints(max_length=60)]] = Field(max_length=200)


class EndpointOut(Schema):
    id: uuid.UUID
    name: str
    url: str
    events: list[str]
    is_on: bool
    off_why: Literal["", "hand", "gone", "failing"]
    off_at: dt.datetime | None
    failing_since: dt.datetime | None = Field(description="Its first failure after a success.")
    succeeded_at: dt.datetime | None
    created_at: dt.datetime


class EndpointWithSecretOut(EndpointOut):
    """The secret is answered when an endpoint is made and when it is replaced, and nowhere else."""

    secret: str
    earlier_until: dt.datetime | None = Field(description="Until then the secret before this one signs too.")


class SwitchOnIn(Schema):
    model_config = ConfigDict(extra="forbid")

    with_meanwhile: bool = Field(description="Also of what happened while it was off, and of what was waiting.")


class GivenUpIn(Schema):
    """A stretch of time, half open."""

    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime
    until: AwareDatetime


class ReplayedOut(Schema):
    replayed: int


class NoticeOut(Schema):
    """One event told to one endpoint; `id` is its `webhook-id`."""

    id: uuid.UUID
    endpoint: uuid.UUID
    type: str
    state: Literal["waiting", "delivered", "given_up"]
    occurred_at: dt.datetime
    tries: int = Field(description="Since it was first told, or asked for again.")
    next_at: dt.datetime | None
    ended_at: dt.datetime | None


class AttemptOut(Schema):
    at: dt.datetime
    status: int | None
    why: str = Field(description="Code of why there was no answer.")
    milliseconds: int
    answer: str = Field(description="Its beginning.")
    by: str = Field(description="Who asked for it, where it was sent again.")


class NoticeWithAttemptsOut(NoticeOut):
    body: str = Field(description="As it would be sent now.")
    attempts: list[AttemptOut]


def events_out() -> list[dict[str, Any]]:
    return [
        {
            "type": key,
            "label": str(kind.label),
            "told": str(kind.told),
            "group": str(group),
            "sample": sample_of(key),
        }
        for group, found in by_group()
        for key, kind in found.items()
    ]


def endpoint_out(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.public_id, "name": endpoint.name, "url": endpoint.url, "events": endpoint.kinds,
        "is_on": endpoint.is_on, "off_why": endpoint.off_why, "off_at": endpoint.off_at,
        "failing_since": endpoint.failing_since, "succeeded_at": endpoint.succeeded_at,
        "created_at": endpoint.created_at,
    }  # fmt: skip


def endpoint_with_secret_out(endpoint: Endpoint) -> dict[str, Any]:
    return {
        **endpoint_out(endpoint), "secret": secret_of(endpoint), "earlier_until": endpoint.earlier_until,
    }  # fmt: skip


def notice_out(notice: Notice) -> dict[str, Any]:
    return {
        "id": notice.public_id, "endpoint": notice.endpoint.public_id, "type": notice.kind, "state": notice.state,
        "occurred_at": notice.occurred_at, "tries": notice.tries, "next_at": notice.next_at,
        "ended_at": notice.ended_at,
    }  # fmt: skip


def notice_with_attempts_out(notice: Notice) -> dict[str, Any]:
    return {**notice_out(notice), "body": body_of(notice), "attempts": list(notice.attempts.all())}
