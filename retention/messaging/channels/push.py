"""Web push: a notice to every browser of the customer's that agreed; needs the extra `push` (pywebpush)."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings

from retention.messaging import outside
from retention.messaging.channels.base import CHANNELS, Channel, HandedOver, Letter, Line, Result
from retention.messaging.channels.http import handed_over
from retention.messaging.models import PushSubscription

try:
    from py_vapid import Vapid02
    from pywebpush import WebPusher
except ImportError:  # the extra is not installed
    Vapid02 = WebPusher = None

#: The push service keeps it for devices that are off; a day, as offers grow old.
_KEPT_SECONDS = 86_400
#: More a push service need not take.
_MOST_TEXT = 1_000


@CHANNELS.register
class Push(Channel):
    key = "push"

    @classmethod
    @contextlib.contextmanager
    def open(cls, *, now: dt.datetime) -> Iterator[Line]:
        yield PushLine(now)


class PushLine(Line):
    """Accepted where one device's service took it; devices that are gone are not tried again."""

    def __init__(self, now: dt.datetime) -> None:
        self._now = now

    def hand_over(self, letter: Letter) -> Result:
        if Vapid02 is None or not settings.VAPID["key"]:
            return Result(HandedOver.LATER, "messaging.not_set_up", is_line_down=True)
        notice = {"title": letter.subject, "body": letter.text.strip()[:_MOST_TEXT], "url": letter.url}
        body = json.dumps({"id": str(letter.reference), **notice}, ensure_ascii=False).encode()
        devices = PushSubscription.objects.filter(customer__public_id=letter.address, gone_at=None)
        results = [self._one(device, body) for device in devices]
        # What one device got is not sent again because another could not be reached.
        order = [HandedOver.ACCEPTED, HandedOver.UNKNOWN, HandedOver.LATER, HandedOver.REFUSED]
        nobody = Result(HandedOver.REFUSED, "messaging.no_address")
        return min(results, key=lambda result: order.index(result.how), default=nobody)

    def _one(self, device: PushSubscription, body: bytes) -> Result:
        info = {"endpoint": device.endpoint, "keys": {"p256dh": device.p256dh, "auth": device.auth}}
        try:
            encoded = WebPusher(info).encode(body, "aes128gcm")["body"]
        except Exception as error:  # noqa: BLE001 - keys come from browsers, and libraries raise what they meet
            return self._gone(device, type(error).__name__)
        parts = urlsplit(device.endpoint)
        ends = int(self._now.timestamp()) + 12 * 3600
        claims = {"aud": f"{parts.scheme}://{parts.netloc}", "sub": settings.VAPID["subject"], "exp": ends}
        signed = Vapid02.from_string(settings.VAPID["key"]).sign(claims)
        headers = {**signed, "TTL": str(_KEPT_SECONDS), "Content-Encoding": "aes128gcm", "Urgency": "normal"}
        result = handed_over(
            lambda: outside.post(device.endpoint, body=encoded, headers=headers),
            lambda answer: Result(HandedOver.ACCEPTED),
        )
        if result.detail in ("404", "410"):
            return self._gone(device, result.detail)
        # One push service that is down says nothing about the others.
        return Result(result.how, result.code, result.detail)

    def _gone(self, device: PushSubscription, detail: str) -> Result:
        PushSubscription.objects.filter(pk=device.pk).update(gone_at=self._now)
        return Result(HandedOver.REFUSED, "messaging.address_refused", detail)
