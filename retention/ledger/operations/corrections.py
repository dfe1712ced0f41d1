"""Undoing and correcting: an entry is never changed, another one answers it and says why."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.audit.operations import record
from retention.ledger.days import book_day
from retention.ledger.models import Account, Entry
from retention.ledger.operations.accounts import NoSuchAccount, shop_account
from retention.ledger.operations.transfers import Transfer, as_refused, refusal, transfer
from retention.ledger.versions import rule_of
from retention.refusals import Refused


class NoSuchEntry(Refused):
    code = "ledger.no_such_entry"
    sentence = _("There is no such entry.")
    status = 404


class ReasonMissing(Refused):
    code = "ledger.reason_missing"
    sentence = _("Say why: a correction without a reason cannot be understood later.")
    status = 422


@dataclass(frozen=True)
class Reversed:
    """How much an entry was undone by now, and how much there was to undo."""

    amount: int
    wanted: int


@dataclass(frozen=True)
class Taking:
    """So much of an entry, to be taken back once a source."""

    entry_id: int
    amount: int
    source: str


#: Of entries: who gave, and who has it now: a merged customer's account became her survivor's.
_SIDES = """
SELECT entry.id, entry.from_account_id, coalesce(hers.id, entry.to_account_id)
FROM ledger_entry entry
JOIN ledger_account taker ON taker.id = entry.to_account_id
LEFT JOIN customers_customer customer ON customer.id = taker.customer_id AND customer.merged_into_id IS NOT NULL
LEFT JOIN ledger_account hers ON hers.customer_id = customer.merged_into_id AND hers.unit_id = entry.unit_id
WHERE entry.id = ANY(%s)
"""


@transaction.atomic
def give_back(
    *,
    entry_id: int,
    amount: int,
    source: str,
    reason: str,
    now: dt.datetime,
    by: Actor,
    origin: str = "",
    origin_id: int | None = None,
) -> int:
    """Return what an entry took from somebody, whole or in part, to the same account, with the ends it had.

    What has expired meanwhile lives on for as long as its unit says. Returns the amount; the same source again changes
    nothing and returns the same.

    Raises:
        NoSuchEntry, ReversedBefore, SourceReused
    """
    entry = _entry(entry_id)
    if amount <= 0:
        raise ValueError("something must come back")
    days = rule_of(entry.unit).least_days_after_return
    least = now + dt.timedelta(days=days) if days else None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT outcome, moved FROM ledger_give_back_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [now, book_day(now), by.name, entry_id, amount, source, reason, origin, origin_id, least],
        )
        outcome, moved = cursor.fetchone()
    if outcome not in ("done", "repeated"):
        raise as_refused(refusal(outcome, moved))
    return int(moved)


@transaction.atomic
def take_back(
    *,
    entry_id: int,
    source: str,
    reason: str,
    now: dt.datetime,
    by: Actor,
    amount: int | None = None,
    policy: Literal["lot", "balance", "negative"] = "balance",
    is_partial: bool = True,
    origin: str = "",
    origin_id: int | None = None,
) -> Reversed:
    """Take what an entry brought somebody back to where it came from; first what is left of it, pending or not.

    Args:
        amount: how much; None: all that is left to undo.
        policy: "lot": no more than is left of it; "balance": also other value of hers in this unit; "negative": and
            the rest is owed, where the unit may be owed.
        is_partial: what is not there is left; otherwise nothing is taken.

    Raises:
        NoSuchEntry, NotEnough, ReversedBefore, SourceReused
    """
    entry = _entry(entry_id)
    undone = sum(entry.reversals.exclude(source=source).values_list("amount", flat=True))
    wanted = entry.amount - undone if amount is None else amount
    if wanted <= 0:
        return Reversed(0, 0)
    wish = Transfer(
        source=source, from_id=_present(entry.to_account), to_id=entry.from_account_id, amount=wanted,
        verb=Entry.Verb.TAKE_BACK, reason=reason, origin=origin, origin_id=origin_id, reverses_id=entry.pk,
        lot_of=entry.pk, policy=policy, is_partial=is_partial,
    )  # fmt: skip
    moved = transfer(transfers=[wish], now=now, by=by)
    for why in moved.refused.values():
        if is_partial and why.code == "ledger.not_enough":
            return Reversed(0, wanted)
        raise as_refused(why)
    return Reversed(moved.amounts[source], wanted)


@transaction.atomic
def take_back_each(
    *,
    takings: Sequence[Taking],
    policy: Literal["lot", "balance", "negative"],
    reason: str,
    now: dt.datetime,
    by: Actor,
) -> dict[str, int]:
    """The same for many entries by one call, each as far as it can be: source → how much came back."""
    with connection.cursor() as cursor:
        cursor.execute(_SIDES, [[taking.entry_id for taking in takings]])
        sides = {pk: (giver, taker) for pk, giver, taker in cursor.fetchall()}
    wishes = [
        Transfer(
            source=taking.source, from_id=sides[taking.entry_id][1], to_id=sides[taking.entry_id][0],
            amount=taking.amount, verb=Entry.Verb.TAKE_BACK, reason=reason, reverses_id=taking.entry_id,
            lot_of=taking.entry_id, policy=policy, is_partial=True,
        )
        for taking in takings
    ]  # fmt: skip
    return dict(transfer(transfers=wishes, now=now, by=by).amounts)


@transaction.atomic
def reverse(*, entry_id: int, source: str, reason: str, now: dt.datetime, by: Actor) -> Reversed:
    """Undo an entry by hand, as far as it can be, saying why.

    Raises:
        NoSuchEntry, ReasonMissing, ReversedBefore, SourceReused
    """
    if not reason.strip():
        raise ReasonMissing
    entry = _entry(entry_id)
    if entry.from_account.kind == Account.Kind.SYSTEM:
        policy: Literal["balance", "negative"] = "negative" if entry.unit.may_be_negative else "balance"
        done = take_back(entry_id=entry_id, source=source, reason=reason, now=now, by=by, policy=policy)
    else:
        others = entry.reversals.exclude(source__startswith=f"{source}:")
        left = entry.amount - sum(others.values_list("amount", flat=True))
        if left <= 0:
            raise as_refused(refusal("over_reversed", 0))
        amount = give_back(entry_id=entry_id, amount=left, source=source, reason=reason, now=now, by=by)
        done = Reversed(amount, left)
    record(verb="ledger.reverse", by=by, now=now, subject=entry, after={"reason": reason, "amount": done.amount})
    return done


@transaction.atomic
def adjust(
    *,
    account_id: int,
    amount: int,
    source: str,
    reason: str,
    now: dt.datetime,
    by: Actor,
    expires_at: dt.datetime | None = None,
) -> int:
    """Correct a balance by hand, up or down, saying why; the entry's id. Down only as far as there is something.

    Raises:
        NoSuchAccount, ReasonMissing, NotEnough, SourceReused
    """
    if not reason.strip():
        raise ReasonMissing
    account = Account.objects.select_related("unit").filter(pk=account_id).first()
    if account is None or account.kind == Account.Kind.SYSTEM:
        raise NoSuchAccount
    shop = shop_account(account.unit, Account.Purpose.ADJUSTED)
    sides = (shop, account.pk) if amount > 0 else (account.pk, shop)
    wish = Transfer(
        source=source, from_id=sides[0], to_id=sides[1], amount=abs(amount), verb=Entry.Verb.ADJUST, reason=reason,
        expires_at=expires_at if amount > 0 else None,
    )  # fmt: skip
    moved = transfer(transfers=[wish], now=now, by=by)
    for why in moved.refused.values():
        raise as_refused(why)
    if not moved.repeated:
        record(
            verb="ledger.adjust", by=by, now=now, subject=account, customer_id=account.customer_id,
            after={"amount": amount, "reason": reason},
        )  # fmt: skip
    return moved.entries[source]


def _entry(entry_id: int) -> Entry:
    entry = Entry.objects.select_related("unit", "from_account", "to_account__customer").filter(pk=entry_id).first()
    if entry is None:
        raise NoSuchEntry
    return entry


def _present(account: Account) -> int:
    """The account that it is now: a merged customer's became her survivor's."""
    into = account.customer.merged_into_id if account.customer else None
    if not into:
        return account.pk
    hers = Account.objects.filter(customer_id=into, unit_id=account.unit_id).values_list("pk", flat=True).first()
    return hers or account.pk
