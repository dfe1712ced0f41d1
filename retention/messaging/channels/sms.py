"""Text messages through an HTTP provider that speaks as Twilio does."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
from collections.abc import Iterator
from urllib.parse import urlencode

from django.conf import settings

from retention.messaging import outside, texting, tokens
from retention.messaging.channels.base import CHANNELS, Channel, HandedOver, Letter, Line, Result
from retention.messaging.channels.http import handed_over

#: The provider's codes: no such number, or not one that takes text messages; and whoever told it STOP.
NO_NUMBER = {21211, 21214, 21217, 21265, 21612, 21614}
SAID_STOP = 21610


@CHANNELS.register
class Sms(Channel):
    key = "sms"

    @classmethod
    @contextlib.contextmanager
    def open(cls, *, now: dt.datetime) -> Iterator[Line]:
        yield SmsLine()


class SmsLine(Line):
    """One call for each message; the provider takes no idempotency key, so an unknown end stays unknown."""

    def hand_over(self, letter: Letter) -> Result:
        account = settings.SMS
        if not account["url"] or not account["from"]:
            return Result(HandedOver.LATER, "messaging.not_set_up", is_line_down=True)
        count = texting.segments(letter.text)
        if count > texting.MOST_SEGMENTS:
            return Result(HandedOver.REFUSED, "messaging.too_long", str(count))
        callback = f"{settings.BASE_URL}/hooks/sms/{tokens.delivery_token(letter.reference)}/"
        sender = "MessagingServiceSid" if account["from"].startswith("MG") else "From"
        form = {sender: account["from"], "To": letter.address, "Body": letter.text, "StatusCallback": callback}
        password = base64.b64encode(f"{account['account']}:{account['token']}".encode()).decode()
        headers = {"Authorization": f"Basic {password}", "Content-Type": "application/x-www-form-urlencoded"}
        codes: list[int] = []

        def call() -> outside.Answer:
            answer = outside.post(account["url"], body=urlencode(form).encode(), headers=headers, is_trusted=True)
            codes.append(_number(answer, "code"))
            return answer

        result = handed_over(call, lambda answer: Result(HandedOver.ACCEPTED, provider_id=_text(answer, "sid")))
        if result.how is HandedOver.REFUSED and codes:
            if codes[0] in NO_NUMBER:
                return Result(HandedOver.REFUSED, "messaging.address_refused", str(codes[0]))
            if codes[0] == SAID_STOP:
                return Result(HandedOver.REFUSED, "messaging.said_stop", str(codes[0]))
        return result


def _read(answer: outside.Answer) -> dict:
    try:
        found = json.loads(answer.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _number(answer: outside.Answer, name: str) -> int:
    value = _read(answer).get(name)
    return value if isinstance(value, int) else 0


def _text(answer: outside.Answer, name: str) -> str:
    return str(_read(answer).get(name) or "")[:200]
