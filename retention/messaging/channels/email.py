"""Mail through whatever Django is set to send with; SMTP takes the fast way over one kept connection."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from email.utils import formataddr, parseaddr

import requests
from anymail.backends.base_requests import AnymailRequestsBackend
from anymail.exceptions import AnymailError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend

from retention.messaging import frames
from retention.messaging.channels.base import CHANNELS, Channel, HandedOver, Letter, Line, Result
from retention.messaging.channels.smtp import SmtpLine
from retention.shop.models import Shop


@CHANNELS.register
class Email(Channel):
    key = "email"

    @classmethod
    @contextlib.contextmanager
    def open(cls, *, now: dt.datetime) -> Iterator[Line]:
        sender, address = sender_of(Shop.objects.first())
        backend = get_connection(fail_silently=False)
        # A subclass may do more than SMTP in its own way, so only the plain one takes the fast way.
        line = SmtpLine(backend, sender, address, now) if type(backend) is EmailBackend else AnyLine(backend, sender)
        try:
            yield line
        finally:
            line.close()


#: Who sends nothing twice that is asked for under one key (for a day): Anymail's name of the provider → its header.
_KEY_HEADERS = {"Resend": "Idempotency-Key"}
#: … and says so, where the words have become others since: it took the first.
_TAKEN_BEFORE = "invalid_idempotent_request"


class AnyLine(Line):
    """The slower way through any other backend of Django's or Anymail's: one library message for each letter.

    A provider over HTTP is told our reference as the key of the message, where it knows such keys.
    """

    def __init__(self, backend: BaseEmailBackend, sender: str) -> None:
        self._backend = backend
        self._sender = sender

    def hand_over(self, letter: Letter) -> Result:
        try:
            message = self._message(letter)
        except frames.BadAddress:
            return Result(HandedOver.REFUSED, "messaging.bad_address")
        self._tell_key(letter)
        try:
            accepted = self._backend.send_messages([message])
        except AnymailRecipientsRefused:
            return Result(HandedOver.REFUSED, "messaging.address_refused")
        except AnymailError as error:
            return _provider_answer(error)
        except OSError as error:
            return Result(HandedOver.UNKNOWN, "messaging.answer_missing", type(error).__name__, is_line_down=True)
        if not accepted:
            return Result(HandedOver.UNKNOWN, "messaging.answer_missing")
        status = getattr(message, "anymail_status", None)
        return Result(HandedOver.ACCEPTED, provider_id=str(getattr(status, "message_id", None) or "")[:200])

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._backend.close()

    def _tell_key(self, letter: Letter) -> None:
        if isinstance(self._backend, AnymailRequestsBackend):
            # Opened by us, it is kept over many letters.
            self._backend.open()
            if header := _KEY_HEADERS.get(self._backend.esp_name):
                self._backend.session.headers[header] = str(letter.reference)

    def _message(self, letter: Letter) -> EmailMultiAlternatives:
        address = frames.envelope_address(letter.address)
        name = frames.clean_line(letter.name)[:100].strip()
        domain = parseaddr(self._sender)[1].rpartition("@")[2]
        headers = {"Message-ID": f"<{letter.reference}@{domain}>", "Auto-Submitted": "auto-generated"}
        if letter.unsubscribe_url:
            headers["List-Unsubscribe"] = f"<{letter.unsubscribe_url}>"
            headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        if letter.is_test:
            headers["X-Retention-Test"] = "yes"
        message = EmailMultiAlternatives(
            subject=frames.clean_line(letter.subject),
            body=letter.text,
            from_email=self._sender,
            to=[formataddr((name, address))],
            headers=headers,
        )
        if letter.html:
            message.attach_alternative(str(letter.html), "text/html")
        # Anymail's providers hand it back in their webhooks; other backends ignore it.
        message.metadata = {"delivery": str(letter.reference)}  # type: ignore[attr-defined]
        return message


def sender_of(shop: Shop | None) -> tuple[str, str]:
    """(`Name <address>`, address) that mails come from: the shop's own, or the installation's."""
    if shop is not None and shop.sender_email:
        return formataddr((shop.sender_name or shop.name, shop.sender_email)), shop.sender_email
    return settings.DEFAULT_FROM_EMAIL, parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def _provider_answer(error: AnymailError) -> Result:
    """What a provider's HTTP answer means; where it may have been taken, the outcome is unknown."""
    cause = error.__cause__
    if isinstance(cause, requests.ConnectTimeout):
        return Result(HandedOver.LATER, "messaging.no_connection", "ConnectTimeout", is_line_down=True)
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if status == 409:
        # Or the first of them is still on its way.
        is_taken = response is not None and _TAKEN_BEFORE in response.text
        return Result(HandedOver.ACCEPTED) if is_taken else Result(HandedOver.LATER, "messaging.message_refused", "409")
    if status is None or status >= 500:
        detail = str(status or type(cause or error).__name__)
        return Result(HandedOver.UNKNOWN, "messaging.answer_missing", detail, is_line_down=True)
    if status in (401, 403, 408, 429):
        return Result(HandedOver.LATER, "messaging.sender_refused", str(status), is_line_down=True)
    return Result(HandedOver.REFUSED, "messaging.message_refused", str(status))
