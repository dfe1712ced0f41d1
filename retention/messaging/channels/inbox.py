"""The inbox on the shop's own pages: a row, which the shop reads over the API."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator

from retention.customers.models import Customer
from retention.messaging.channels.base import CHANNELS, Channel, HandedOver, Letter, Line, Result
from retention.messaging.models import InboxMessage


@CHANNELS.register
class Inbox(Channel):
    key = "inbox"
    #: One row a message, however often it is handed over.
    knows_repetitions = True

    @classmethod
    @contextlib.contextmanager
    def open(cls, *, now: dt.datetime) -> Iterator[Line]:
        yield InboxLine(now)


class InboxLine(Line):
    def __init__(self, now: dt.datetime) -> None:
        self._now = now

    def hand_over(self, letter: Letter) -> Result:
        if letter.is_test:
            return Result(HandedOver.REFUSED, "messaging.no_tests_here")
        customer = Customer.objects.get(public_id=letter.address)
        InboxMessage.objects.get_or_create(
            delivery_id=letter.reference,
            defaults={
                "customer": customer,
                "subject": letter.subject,
                "text": letter.text.strip(),
                "url": letter.url,
                "at": self._now,
            },
        )
        return Result(HandedOver.ACCEPTED)
