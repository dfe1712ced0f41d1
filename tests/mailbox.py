"""A mail server for tests: speaks real SMTP on loopback, keeps every message, and refuses whom it is told to refuse."""

import email
import email.policy
import logging
import threading
from dataclasses import dataclass
from email.message import EmailMessage

from aiosmtpd.controller import Controller

# It writes three lines for each mail.
logging.getLogger("mail.log").setLevel(logging.WARNING)


@dataclass(frozen=True)
class Mail:
    """One message as it came in."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    def text(self, kind: str = "plain") -> str:
        """The decoded body of this kind, `plain` or `html`; empty if there is none."""
        part = self.message.get_body((kind,))
        return part.get_content() if part is not None else ""


class Mailbox:
    """`messages` in order of arrival; `refuse["no@example.com"] = "550 5.1.1 No such user"` answers RCPT so."""

    host = "127.0.0.1"

    def __init__(self, *, port: int) -> None:
        self.port = port
        self.refuse: dict[str, str] = {}
        #: An answer to every DATA, such as "451 4.3.0 Try later"; None accepts.
        self.refuse_data: str | None = None
        self._messages: list[Mail] = []
        self._lock = threading.Lock()
        self._controller = Controller(self, hostname=self.host, port=port, data_size_limit=2**25)

    def __enter__(self) -> "Mailbox":
        self._controller.start()
        return self

    def __exit__(self, *exc) -> None:
        self._controller.stop()

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def messages(self) -> list[Mail]:
        with self._lock:
            return list(self._messages)

    def to(self, address: str) -> list[Mail]:
        return [mail for mail in self.messages if address in mail.recipients]

    def reset(self) -> None:
        self.refuse.clear()
        self.refuse_data = None
        with self._lock:
            self._messages.clear()

    # aiosmtpd calls these two from its own thread.
    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.refuse_data is not None:
            return self.refuse_data
        with self._lock:
            self._messages.append(Mail(envelope.mail_from, tuple(envelope.rcpt_tos), self.kept(envelope.content)))
        return "250 OK"

    def kept(self, content: bytes) -> bytes:
        return content


class Heads(Mailbox):
    """Keeps the headers alone: a hundred thousand whole mails would fill the memory."""

    def kept(self, content: bytes) -> bytes:
        return content.partition(b"\r\n\r\n")[0]
