"""Messages handed to another program of the shop's, such as live chat, signed as Standard Webhooks says."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Iterator

from django.conf import settings
from standardwebhooks.webhooks import Webhook

from retention.messaging import outside
from retention.messaging.channels.base import CHANNELS, Channel, HandedOver, Letter, Line, Result
from retention.messaging.channels.http import handed_over


@CHANNELS.register
class OutgoingWebhook(Channel):
    key = "webhook"
    #: `webhook-id` stays the same, and receivers of Standard Webhooks look at it.
    knows_repetitions = True

    @classmethod
    @contextlib.contextmanager
    def open(cls, *, now: dt.datetime) -> Iterator[Line]:
        yield WebhookLine(now)


class WebhookLine(Line):
    def __init__(self, now: dt.datetime) -> None:
        self._now = now

    def hand_over(self, letter: Letter) -> Result:
        if not settings.MESSAGE_WEBHOOK["url"] or not settings.MESSAGE_WEBHOOK["secret"]:
            return Result(HandedOver.LATER, "messaging.not_set_up", is_line_down=True)
        number = str(letter.reference)
        body = json.dumps(
            {
                "type": "message",
                "timestamp": self._now.isoformat(),
                "data": {
                    "id": number,
                    "customer": letter.address,
                    "name": letter.name,
                    "subject": letter.subject,
                    "text": letter.text,
                    "url": letter.url,
                },
            },
            ensure_ascii=False,
        )
        headers = {
            "Content-Type": "application/json",
            "webhook-id": number,
            "webhook-timestamp": str(int(self._now.timestamp())),
            "webhook-signature": Webhook(settings.MESSAGE_WEBHOOK["secret"]).sign(number, self._now, body),
        }
        return handed_over(
            lambda: outside.post(settings.MESSAGE_WEBHOOK["url"], body=body.encode(), headers=headers),
            lambda answer: Result(HandedOver.ACCEPTED),
        )
