"""Asking for, giving and withdrawing consent, one at a time; many at once come in by `ingest`."""

import datetime as dt
from dataclasses import dataclass
from typing import NotRequired, TypedDict, Unpack

from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.refusals import Refused
from retention.work.ingest import RowError, ingest


class ConsentRefused(Refused):
    code = "customers.consent_refused"
    sentence = _("%(reason)s")
    status = 422

    def __init__(self, errors: tuple[RowError, ...]) -> None:
        self.errors = errors
        super().__init__(reason=" ".join(f"{error.column}: {error.message}" for error in errors))


@dataclass(frozen=True)
class Recorded:
    """Whether the event was new; the same reference twice is recorded once."""

    is_new: bool


class Said(TypedDict):
    """What she said, or was asked: to which channel and purpose, where (`source`), and what shows it."""

    customer_id: int
    channel: str
    purpose: str
    source: str
    wording: NotRequired[str]
    reference: NotRequired[str | None]
    proof: NotRequired[str]
    #: When, if not now.
    occurred_at: NotRequired[dt.datetime | None]


def give_consent(
    *,
    now: dt.datetime,
    by: Actor,
    expires_at: dt.datetime | None = None,
    asked_at: dt.datetime | None = None,
    **said: Unpack[Said],
) -> Recorded:
    """Record that she said yes, for the address she has now; it ends at `expires_at`, if that is set.

    A yes that confirms what was asked at `asked_at` gives nothing where she said no since then. Where the shop has
    double opt-in, a yes to email without `proof` is recorded as asked: see `ask_consent`.

    Raises:
        ConsentRefused: there is no address on the channel, or something about it cannot be.
    """
    return _record("given", said, now, by, expires_at=expires_at, asked_at=asked_at)


def ask_consent(
    *, now: dt.datetime, by: Actor, expires_at: dt.datetime | None = None, **said: Unpack[Said]
) -> Recorded:
    """Record that she shall confirm her yes; messaging sends her the mail with the link. Until then it is a no.

    Raises:
        ConsentRefused: another channel than email, the purpose transactional, or no address.
    """
    return _record("asked", said, now, by, expires_at=expires_at)


def withdraw_consent(*, now: dt.datetime, by: Actor, **said: Unpack[Said]) -> Recorded:
    """Record that she said no; of two events of one instant the no counts.

    Raises:
        ConsentRefused: something about it cannot be.
    """
    return _record("withdrawn", said, now, by)


def _record(event: str, said: Said, now: dt.datetime, by: Actor, **more: dt.datetime | None) -> Recorded:
    row = {**said, **more, "event": event, "occurred_at": said.get("occurred_at") or now}
    result = ingest("consents", [row], now=now, by=by, is_own=True)
    if result.refused:
        raise ConsentRefused(result.refused)
    return Recorded(is_new=result.new == 1)
