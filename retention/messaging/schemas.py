"""The shapes in which the API speaks of templates, deliveries and the policy over them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import ConfigDict, Field, StrictInt, StringConstraints

from retention.messaging.frequency import policy_of
from retention.messaging.models import Delivery, InboxMessage, MessagingPolicy, Template
from retention.messaging.policy import SendingPolicy
from retention.refusals import Refusal

Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=12)]
Topic = Annotated[str, StringConstraints(pattern=r"^[a-z0-9\-]*$", max_length=60)]
Category = Literal["marketing", "transactional"]


class Body(Schema):
    """A part of a request: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid")


class WordsOf(Body):
    """One language, all of it Liquid: mail has `body` (MJML blocks) or `text` or both; notices and the inbox `text`.

    `url` is where a notice leads; a text message is its `text` alone.
    """

    subject: Annotated[str, StringConstraints(max_length=300)] = ""
    preheader: Annotated[str, StringConstraints(max_length=300)] = ""
    body: Annotated[str, StringConstraints(max_length=200_000)] = ""
    text: Annotated[str, StringConstraints(max_length=100_000)] = ""
    url: Annotated[str, StringConstraints(max_length=500)] = ""


class TemplateIn(Body):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    category: Category = "marketing"
    channel: Literal["email", "sms", "push", "inbox", "webhook"] = "email"
    topic: Topic = ""
    words: dict[Language, WordsOf] = Field(description="By language; the shop's default language must be there.")


class TemplatePatch(Body):
    """What changes; `edited` is the version that you read, so that nobody's work is overwritten."""

    edited: int
    why: Annotated[str, StringConstraints(max_length=300)] = ""
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)] | None = None
    category: Category | None = None
    topic: Topic | None = None
    words: dict[Language, WordsOf] | None = Field(default=None, description="Replaces all languages.")


class TemplateOut(Schema):
    id: uuid.UUID
    key: str | None = Field(default=None, description="Of a ready template.")
    name: str
    channel: str
    category: Category
    topic: str
    version: int
    is_archived: bool
    languages: list[str]


class TemplateWhole(TemplateOut):
    words: dict[str, WordsOf]


class MessagePreviewIn(Body):
    """As which customer and in which language; without a customer the samples speak."""

    customer: uuid.UUID | None = None
    language: Language | None = None


class MessagePreviewOut(Schema):
    subject: str
    html: str
    text: str
    url: str
    language: str
    is_sample: bool


class InboxMessageOut(Schema):
    id: uuid.UUID
    subject: str
    text: str
    url: str
    at: dt.datetime
    read_at: dt.datetime | None = None


class DeviceIn(Body):
    """What a browser's `PushSubscription.toJSON()` says."""

    endpoint: Annotated[str, StringConstraints(pattern=r"^https://", max_length=500)]
    p256dh: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_\-=]{40,120}$")]
    auth: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_\-=]{8,60}$")]


class DeviceGone(Body):
    endpoint: Annotated[str, StringConstraints(max_length=500)]


class DeviceOut(Schema):
    is_subscribed: bool


class MessagingPolicyIn(Body):
    policy: SendingPolicy
    edited: Annotated[StrictInt, Field(ge=1)] | None = Field(
        description="The version that was read before this change; null for the first."
    )
    why: Annotated[str, StringConstraints(max_length=300)] = ""


class MessagingPolicyOut(Schema):
    version: int | None
    sentence: str
    policy: SendingPolicy


class DeliveryOut(Schema):
    id: uuid.UUID
    customer: uuid.UUID
    template: uuid.UUID
    origin: str
    step: int
    state: str
    reason: str = Field(description="Stable code; empty where there is nothing to explain.")
    detail: str = Field(description="The reason in words.")
    language: str
    queued_at: dt.datetime
    not_before: dt.datetime
    ended_at: dt.datetime | None = None
    attempts: int


def template_out(template: Template) -> dict[str, Any]:
    version = template.version
    return {
        "id": template.public_id,
        "key": template.key,
        "name": template.name,
        "channel": template.channel,
        "category": template.category,
        "topic": template.topic,
        "version": version.number if version else 0,
        "is_archived": template.archived_at is not None,
        "languages": list(version.data["words"]) if version else [],
    }


def template_whole(template: Template) -> dict[str, Any]:
    return {**template_out(template), "words": template.version.data["words"] if template.version else {}}


def inbox_out(message: InboxMessage) -> dict[str, Any]:
    return {
        "id": message.public_id,
        "subject": message.subject,
        "text": message.text,
        "url": message.url,
        "at": message.at,
        "read_at": message.read_at,
    }


def policy_out(row: MessagingPolicy | None) -> dict[str, Any]:
    version = row.version if row else None
    policy = policy_of(version.pk) if version else SendingPolicy()
    return {"version": version.number if version else None, "sentence": policy.sentence(), "policy": policy}


def delivery_out(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.public_id,
        "customer": delivery.customer.public_id,
        "template": delivery.template.public_id,
        "origin": delivery.origin,
        "step": delivery.step,
        "state": delivery.state,
        "reason": delivery.reason,
        "detail": str(Refusal(delivery.reason, delivery.params)) if delivery.reason else "",
        "language": delivery.language,
        "queued_at": delivery.queued_at,
        "not_before": delivery.not_before,
        "ended_at": delivery.ended_at,
        "attempts": delivery.attempts,
    }
