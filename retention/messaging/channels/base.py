"""What every channel must do, and the four ways a hand-over can end."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import ClassVar

from retention.keyed import Registry
from retention.messaging.frames import Body


class HandedOver(enum.Enum):
    """How one hand-over ended."""

    ACCEPTED = "accepted"
    #: For good: this address or this message will never be taken.
    REFUSED = "refused"
    #: It is certain that nothing was handed over: it may be tried again.
    LATER = "later"
    #: It may have been taken or not: never tried again unless the channel can tell a repetition.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Result:
    """The end of one hand-over.

    Attributes:
        code: stable reason where it was not accepted: `messaging.address_refused`.
        detail: the provider's status, such as 550; never its words, which repeat addresses.
        provider_id: what the provider calls the message.
        is_line_down: the provider as a whole fails, not this message.
    """

    how: HandedOver
    code: str = ""
    detail: str = ""
    provider_id: str = ""
    is_line_down: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """One rendered message.

    Attributes:
        frame: (version, language): letters that share it differ only in what follows.
        unsubscribe_url: for RFC 8058; None on transactional messages.
        url: where a notice leads; mail has its links in its words.
        reference: the delivery's public id; becomes the Message-ID, or the provider's idempotency key.
    """

    frame: tuple[int, str]
    reference: uuid.UUID
    name: str
    address: str
    subject: str
    html: Body | str
    text: str
    unsubscribe_url: str | None
    url: str = ""
    is_test: bool = False


class Line:
    """An open way to the provider, kept over many letters."""

    def hand_over(self, letter: Letter) -> Result:
        """Never raises for anything the provider or the network does."""
        raise NotImplementedError

    def close(self) -> None:
        """Let the connection go; the next letter opens another."""


class Channel:
    """One way out."""

    key: ClassVar[str] = ""
    #: Whether the provider takes our reference as an idempotency key, so that an unknown outcome may be repeated.
    knows_repetitions: ClassVar[bool] = False

    @classmethod
    def open(cls, *, now: dt.datetime) -> AbstractContextManager[Line]:
        """A line that connects when it is first needed and is closed at the end."""
        raise NotImplementedError


CHANNELS: Registry[type[Channel]] = Registry(Channel, "channels")
