"""The fast way out for mail: one kept SMTP connection, mails as ready bytes, and an exact answer to "was it taken?"."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import smtplib

from django.core.mail.backends.smtp import EmailBackend

from retention.messaging import frames
from retention.messaging.channels.base import HandedOver, Letter, Line, Result

#: Some servers close a connection after so many mails; opening a new one then costs nothing that could be measured.
_MAILS_A_CONNECTION = 500
_QUEUE_ID = re.compile(rb"queued as ([A-Za-z0-9.\-]{1,64})")
_ENHANCED = re.compile(rb"([245]\.\d{1,3}\.\d{1,3})\b")


#: Code and words.
_Reply = tuple[int, bytes]


class _Refused(Exception):
    """The server said no, before or after the mail itself."""

    def __init__(self, result: Result) -> None:
        self.result = result


class SmtpLine(Line):
    """Hands mails over through a connection that Django's own backend opens, so that every EMAIL_* setting holds."""

    def __init__(self, backend: EmailBackend, sender: str, sender_address: str, now: dt.datetime) -> None:
        self._backend = backend
        self._sender = sender
        self._sender_address = sender_address
        self._domain = sender_address.rpartition("@")[2]
        self._now = now
        self._mails = 0

    def hand_over(self, letter: Letter) -> Result:
        try:
            address = frames.envelope_address(letter.address)
            mail = self._bytes(letter)
        except frames.BadAddress:
            return Result(HandedOver.REFUSED, "messaging.bad_address")
        try:
            self._announce(address)
        except _Refused as refused:
            return refused.result
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            return _down(error)
        return self._transfer(mail)

    def close(self) -> None:
        self._mails = 0
        with contextlib.suppress(OSError, smtplib.SMTPException):
            self._backend.close()
        self._backend.connection = None

    def _bytes(self, letter: Letter) -> bytes:
        frame = frames.frame(
            self._sender,
            has_html=bool(letter.html),
            is_bulk=letter.unsubscribe_url is not None,
            is_test=letter.is_test,
        )
        return frames.fill(
            frame,
            name=letter.name,
            address=letter.address,
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
            reference=letter.reference,
            domain=self._domain,
            now=self._now,
            unsubscribe_url=letter.unsubscribe_url,
        )

    def _announce(self, address: str) -> None:
        """MAIL, RCPT and DATA up to the server's 354. Whatever goes wrong here, no mail was handed over."""
        fresh = self._connect()
        try:
            mail, rcpt, data = self._ask(address)
        except (OSError, smtplib.SMTPException):
            if fresh:
                raise
            # A kept connection may have been closed meanwhile; that is no one's fault.
            self.close()
            self._connect()
            mail, rcpt, data = self._ask(address)
        if mail[0] != 250:
            # It is us whom the server does not want, not this customer.
            self._refuse(mail, "messaging.sender_refused", is_ours=True)
        if rcpt[0] not in (250, 251):
            self._refuse(rcpt, "messaging.address_refused")
        if data[0] != 354:
            self._refuse(data, "messaging.message_refused")

    def _ask(self, address: str) -> list[_Reply]:
        """The replies to MAIL, RCPT and DATA; those after a refusal may be missing (code 0)."""
        smtp = self._backend.connection
        commands = (f"MAIL FROM:<{self._sender_address}>", f"RCPT TO:<{address}>", "DATA")
        if not smtp.has_extn("pipelining"):
            replies: list[_Reply] = []
            for command in commands:
                replies.append(smtp.docmd(command))
                if not 200 <= replies[-1][0] <= 399:
                    break
            return [*replies, *[(0, b"")] * (3 - len(replies))]
        # RFC 2920: all three in one packet, which on a real network saves two of four round trips.
        smtp.send("".join(f"{command}\r\n" for command in commands))
        mail, rcpt, data = (smtp.getreply() for _command in commands)
        if data[0] == 354 and (mail[0] != 250 or rcpt[0] not in (250, 251)):
            # It waits for a mail that has nobody to go to; hanging up is the one way to be sure that none goes.
            self.close()
        return [mail, rcpt, data]

    def _transfer(self, mail: bytes) -> Result:
        """The mail itself: from its first byte until the answer its fate is open."""
        smtp = self._backend.connection
        try:
            # A dot alone on a line would end the mail, so dots at the beginning of lines are doubled.
            smtp.sock.sendall(mail.replace(b"\r\n.", b"\r\n..") + b".\r\n")
            code, words = smtp.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            return Result(HandedOver.UNKNOWN, "messaging.answer_missing", type(error).__name__, is_line_down=True)
        self._mails += 1
        if self._mails >= _MAILS_A_CONNECTION:
            self.close()
        if code == 250:
            found = _QUEUE_ID.search(words)
            return Result(HandedOver.ACCEPTED, provider_id=found.group(1).decode("ascii") if found else "")
        if code == 421:
            self.close()
        return _answer(code, words, "messaging.message_refused")

    def _connect(self) -> bool:
        """Whether the connection is a new one."""
        if self._backend.connection is not None:
            return False
        self._backend.open()
        # `sendmail` would greet by itself; we speak the commands one by one.
        self._backend.connection.ehlo_or_helo_if_needed()  # type: ignore[attr-defined]
        return True

    def _refuse(self, reply: _Reply, reason: str, *, is_ours: bool = False) -> None:
        code, words = reply
        result = _answer(code, words, reason)
        if is_ours:
            result = Result(HandedOver.LATER, reason, result.detail, is_line_down=True)
        if code == 421:
            self.close()
        elif self._backend.connection is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._backend.connection.rset()
        raise _Refused(result)


def _answer(code: int, words: bytes, reason: str) -> Result:
    """4xx: try again; 5xx: never. The words stay out: servers repeat addresses in them."""
    enhanced = _ENHANCED.match(words)
    detail = f"{code} {enhanced.group(1).decode('ascii')}" if enhanced else str(code)
    if 500 <= code <= 599:
        return Result(HandedOver.REFUSED, reason, detail)
    return Result(HandedOver.LATER, reason, detail, is_line_down=code == 421)


def _down(error: Exception) -> Result:
    return Result(HandedOver.LATER, "messaging.no_connection", type(error).__name__, is_line_down=True)
