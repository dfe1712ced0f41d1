"""Moving value: up to 5,000 transfers in one call, each once a source, each whole or refused."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from pydantic_core import to_json

from retention.actors import Actor
from retention.ledger.days import book_day
from retention.refusals import Refusal, Refused

#: Transfers of one call; more belong into several calls.
MOST = 5_000


class NotEnough(Refused):
    code = "ledger.not_enough"
    sentence = _("There is not that much to take: %(available)s are left.")


class Frozen(Refused):
    code = "ledger.frozen"
    sentence = _("Nothing can be spent from this account; it is blocked.")


class SourceReused(Refused):
    code = "ledger.source_reused"
    sentence = _("This source came before with another request.")
    status = 422


class ReversedBefore(Refused):
    code = "ledger.reversed_before"
    sentence = _("Only %(available)s of this entry are left to undo.")


class HoldGone(Refused):
    code = "ledger.hold_gone"
    sentence = _("What was set aside is not any more: it ran out, was released or was used.")


_REFUSALS: dict[str, type[Refused]] = {
    "short": NotEnough,
    "frozen": Frozen,
    "source_reused": SourceReused,
    "over_reversed": ReversedBefore,
    "hold_gone": HoldGone,
}


@dataclass(frozen=True)
class Transfer:
    """One amount from one account to another of the same unit.

    Attributes:
        source: idempotency key.
        amount: whole, positive, in the unit's smallest part.
        active_at: from when on it can be spent; None with `pending_event` waits for that, alone it means at once.
        pending_event: what it waits for, such as `orders.return_window:812`.
        reverses_id: the entry that this undoes, whole or in part.
        lot_of: the entry whose lot is taken first; `policy` "lot" takes it alone.
        policy: "balance" takes what can be spent; "negative" takes everything, and the rest is owed where it may be.
        is_partial: where there is less, less will do.
    """

    source: str
    from_id: int
    to_id: int
    amount: int
    verb: str
    reason: str = ""
    origin: str = ""
    origin_id: int | None = None
    effective_at: dt.datetime | None = None
    active_at: dt.datetime | None = None
    pending_event: str = ""
    expires_at: dt.datetime | None = None
    reverses_id: int | None = None
    lot_of: int | None = None
    hold_id: int | None = None
    policy: Literal["balance", "lot", "negative"] = "balance"
    is_partial: bool = False

    def __post_init__(self) -> None:
        if self.amount <= 0:
            raise ValueError("a transfer moves something")


@dataclass(frozen=True)
class Moved:
    """What came of one call: source → entry id, source → its amount, which were there before, and source → why not."""

    entries: Mapping[str, int]
    amounts: Mapping[str, int]
    repeated: frozenset[str]
    refused: Mapping[str, Refusal]


@transaction.atomic
def transfer(*, transfers: Sequence[Transfer], now: dt.datetime, by: Actor) -> Moved:
    """Move value between accounts, all under one lock order; a refusal stops no other transfer.

    Those from the shop's own accounts come first; others follow in the order given, each leaving less for the next.

    Raises:
        ValueError: more than 5,000, or a source twice.
    """
    sources = [each.source for each in transfers]
    if len(transfers) > MOST or len(set(sources)) != len(sources):
        raise ValueError(f"at most {MOST} transfers, all of different sources")
    if not transfers:
        return Moved({}, {}, frozenset(), {})
    wishes = [_wish(number, each, now) for number, each in enumerate(transfers)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT wish_n, entry, outcome, moved FROM ledger_transfer_v1(%s, %s, %s, %s::jsonb)",
            [now, book_day(now), by.name, to_json(wishes).decode()],
        )
        rows = cursor.fetchall()
    good = [row for row in rows if row[2] in ("done", "repeated")]
    return Moved(
        entries={sources[n]: entry for n, entry, _outcome, _moved in good},
        amounts={sources[n]: moved for n, _entry, _outcome, moved in good},
        repeated=frozenset(sources[n] for n, _entry, outcome, _moved in good if outcome == "repeated"),
        refused={sources[n]: refusal(outcome, moved) for n, _e, outcome, moved in rows if outcome in _REFUSALS},
    )


def transfer_one(*, wish: Transfer, now: dt.datetime, by: Actor) -> int:
    """One transfer: its entry's id.

    Raises:
        NotEnough, Frozen, SourceReused, ReversedBefore, HoldGone
    """
    moved = transfer(transfers=[wish], now=now, by=by)
    for why in moved.refused.values():
        raise as_refused(why)
    return moved.entries[wish.source]


def refusal(outcome: str, available: int | None) -> Refusal:
    """What a function of the ledger answered, as a refusal."""
    cls = _REFUSALS[outcome]
    return (cls(available=available) if "available" in str(cls.sentence) else cls()).as_refusal()


def as_refused(why: Refusal) -> Refused:
    return Refused.by_code[why.code](**why.params)


def _wish(number: int, each: Transfer, now: dt.datetime) -> dict[str, Any]:
    # What is not said is nothing there too: half of it need not be carried.
    wish = {name: value for name, value in vars(each).items() if value}
    wish["n"] = number
    if each.active_at is None and not each.pending_event:
        wish["active_at"] = now
    return wish
