"""Putting messages into the outbox, and taking them out again before they leave: whole sets in one statement."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from retention.messaging.models import Template
from retention.refusals import Refused
from retention.work.operations import nudge

#: A larger set is cut by the caller: one statement holds its locks for as long as it runs.
MOST_AT_ONCE = 5_000

#: Keys of the jobs that send.
SEND, SEND_TRANSACTIONAL = "messaging.send", "messaging.send_transactional"

_QUEUE = """
INSERT INTO messaging_delivery (
    origin, origin_id, group_id, step, channel, customer_id, template_id, version_id, grant_id, context,
    is_transactional, is_ghost, priority, state, reason, params, language, queued_at, not_before, attempts, claimed_by,
    provider_id)
SELECT %(origin)s, message.origin_id, %(group_id)s, %(step)s, %(channel)s, message.customer_id, %(template_id)s,
    %(version_id)s, message.grant_id, message.context::jsonb, %(is_transactional)s, message.is_ghost, %(priority)s,
    'queued', '', '{}', '', %(now)s, coalesce(message.not_before, %(now)s), 0, '', ''
FROM unnest(%(origin_ids)s::bigint[], %(customer_ids)s::bigint[], %(grant_ids)s::bigint[], %(contexts)s::text[],
    %(not_befores)s::timestamptz[], %(ghosts)s::boolean[])
    AS message (origin_id, customer_id, grant_id, context, not_before, is_ghost)
ON CONFLICT (origin, origin_id, step, channel) DO NOTHING
"""


class TooMany(Refused):
    code = "messaging.too_many"
    sentence = _("At most %(most)s messages are queued at once, not %(count)s.")


class TemplateUnusable(Refused):
    code = "messaging.template_unusable"
    sentence = _("The template “%(name)s” has no saved words or is archived.")


@dataclass(frozen=True, slots=True)
class Message:
    """One message to queue.

    Attributes:
        origin_id: the row of the caller's on whose behalf it is; unique with origin, step and channel.
        context: primitive values for the placeholders that only the origin can fill, such as `occasion`.
        not_before: when it may leave; None for now.
        is_ghost: she is held out: the message lives the same life and ends `withheld` instead of being handed over.
    """

    origin_id: int
    customer_id: int
    grant_id: int | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    not_before: dt.datetime | None = None
    is_ghost: bool = False


@dataclass(frozen=True)
class Queued:
    """How many were queued, and how many had been already."""

    queued: int
    repeated: int


@transaction.atomic
def queue(
    *,
    template_id: int,
    origin: str,
    step: int = 0,
    messages: Sequence[Message],
    group_id: int | None = None,
    priority: int = 0,
    now: dt.datetime,
) -> Queued:
    """Queue up to 5,000 messages of one template; asking again for the same origin and step queues nothing.

    `group_id` is what their origins have in common, such as the campaign: figures and the brake on bad rates go by it.

    Raises:
        TooMany: more than 5,000.
        TemplateUnusable: it is archived or was never saved.
    """
    if len(messages) > MOST_AT_ONCE:
        raise TooMany(most=MOST_AT_ONCE, count=len(messages))
    template = Template.objects.get(pk=template_id)
    if template.version_id is None or template.archived_at is not None:
        raise TemplateUnusable(name=template.name)
    if not messages:
        return Queued(0, 0)
    is_transactional = template.category == Template.Category.TRANSACTIONAL
    with connection.cursor() as cursor:
        cursor.execute(
            _QUEUE,
            {
                "origin": origin,
                "group_id": group_id,
                "step": step,
                "channel": template.channel,
                "template_id": template.pk,
                "version_id": template.version_id,
                "is_transactional": is_transactional,
                "priority": priority,
                "now": now,
                "origin_ids": [message.origin_id for message in messages],
                "customer_ids": [message.customer_id for message in messages],
                "grant_ids": [message.grant_id for message in messages],
                "contexts": [json.dumps(message.context) if message.context else "{}" for message in messages],
                "not_befores": [message.not_before for message in messages],
                "ghosts": [message.is_ghost for message in messages],
            },
        )
        queued = cursor.rowcount
    if queued:
        nudge(SEND_TRANSACTIONAL if is_transactional else SEND)
    return Queued(queued, len(messages) - queued)
