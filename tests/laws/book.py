"""One account's book in plain Python, step by step: what is spent first, what waits, what expires.

The ledger does the same by SQL (`retention/ledger/migrations/ledger.sql`); both must agree after every step.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from dataclasses import dataclass, field

_LATEST = dt.datetime.max.replace(tzinfo=dt.UTC)


@dataclass
class Lot:
    """What one entry brought. `active_at` None waits for an event; `expires_at` None never ends."""

    key: Hashable
    amount: int
    remaining: int
    active_at: dt.datetime | None
    expires_at: dt.datetime | None

    def is_open(self, now: dt.datetime, seen: dt.datetime | None = None) -> bool:
        """Whether it may be spent at `now`; `seen`: what had not expired then may be."""
        has_ended = self.expires_at is not None and self.expires_at <= (seen or now)
        return self.remaining > 0 and self.active_at is not None and self.active_at <= now and not has_ended


@dataclass(frozen=True)
class Drawn:
    """So much came out of one lot."""

    key: Hashable
    amount: int
    expires_at: dt.datetime | None


@dataclass
class Book:
    """An account: its balance is what its lots hold, or, where it may be owed, what is owed."""

    may_be_negative: bool = False
    balance: int = 0
    held: int = 0
    lots: list[Lot] = field(default_factory=list)

    def available(self, now: dt.datetime) -> int:
        return max(0, sum(lot.remaining for lot in self.lots if lot.is_open(now)) - self.held)

    def pending(self, now: dt.datetime) -> int:
        waiting = (lot for lot in self.lots if lot.active_at is None or lot.active_at > now)
        return sum(lot.remaining for lot in waiting)

    def credit(
        self, key: Hashable, amount: int, *, active_at: dt.datetime | None, expires_at: dt.datetime | None
    ) -> None:
        """What is owed is settled first."""
        owed = min(amount, max(0, -self.balance))
        self.lots.append(Lot(key, amount, amount - owed, active_at, expires_at))
        self.balance += amount

    def spend(self, amount: int, now: dt.datetime) -> list[Drawn] | None:
        """Nearest end first; None: there is not that much."""
        if amount > self.available(now):
            return None
        return self._draw(amount, [lot for lot in self._line() if lot.is_open(now)])

    def take_back(self, key: Hashable, amount: int, now: dt.datetime, *, policy: str = "balance") -> int:
        """As much of `amount` as the policy lets be taken, first from the lot of this key. Returns how much."""
        first = [lot for lot in self.lots if lot.key == key and lot.remaining]
        others = [lot for lot in self._line() if lot.key != key]
        if policy == "negative" and self.may_be_negative:
            line = [
                *first,
                *(lot for lot in others if lot.is_open(now)),
                *(lot for lot in others if not lot.is_open(now)),
            ]
            self._draw(amount, line)
            return amount
        line = first if policy == "lot" else [*first, *(lot for lot in others if lot.is_open(now))]
        there = sum(lot.remaining for lot in line)
        most = min(there, self.balance - self.held) if first else there - self.held
        amount = max(0, min(amount, most))
        if amount:
            self._draw(amount, line)
        return amount

    def capture(self, amount: int, held: int, placed_at: dt.datetime, now: dt.datetime) -> list[Drawn]:
        """Spend of what a hold of `held`, placed then, set aside; it may have expired since."""
        self.held -= held
        return self._draw(amount, [lot for lot in self._line() if lot.is_open(now, seen=placed_at)])

    def expire(self, now: dt.datetime) -> int:
        """What has ended goes, but for as much as is held. Returns how much."""
        ended = [lot for lot in self._line() if lot.remaining and lot.expires_at and lot.expires_at <= now]
        amount = max(0, sum(lot.remaining for lot in ended) - self.held)
        self._draw(amount, ended)
        return amount

    def _line(self) -> list[Lot]:
        """Lots by their end; the sort is stable, so that the earlier lot is first among equals."""
        return sorted(self.lots, key=lambda lot: lot.expires_at or _LATEST)

    def _draw(self, amount: int, line: list[Lot]) -> list[Drawn]:
        self.balance -= amount
        drawn = []
        for lot in line:
            part = min(amount, lot.remaining)
            if part:
                lot.remaining -= part
                amount -= part
                drawn.append(Drawn(lot.key, part, lot.expires_at))
        return drawn


def restore(
    drawn: list[Drawn], before: int, amount: int, least: dt.datetime | None
) -> list[tuple[int, dt.datetime | None]]:
    """The parts in which `amount` of a spending comes back, after `before` of it came back earlier.

    The last drawn comes back first, each part with the end it had, but at least until `least`.
    """
    parts = []
    for each in reversed(drawn):
        skipped = min(before, each.amount)
        before -= skipped
        part = min(amount, each.amount - skipped)
        amount -= part
        if part:
            end = each.expires_at
            parts.append((part, max(end, least) if end and least else end))
    if amount:
        parts.append((amount, None))
    return parts
