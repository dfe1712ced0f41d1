"""The real purchase histories that the demo shop stands on, read and moved to the present."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).parent / "data" / "cdnow_master.txt"


@dataclass(frozen=True, slots=True)
class Purchase:
    """One line of the data set.

    Attributes:
        number: its line among all purchases, from 1; an order's reference is made of it.
        buyer: the data set's customer number, 1 to 23,570.
        on: the day it fell on after the move, in the shop's zone.
        items: how many CDs.
        cents: the amount in US cents; 80 purchases cost nothing.
    """

    number: int
    buyer: int
    on: dt.date
    items: int
    cents: int


@cache
def published() -> tuple[Purchase, ...]:
    """Every purchase as it was published, in the order of the file: by buyer, then by day."""
    with _FILE.open(encoding="ascii") as lines:
        next(lines)
        return tuple(_purchase(number, line) for number, line in enumerate(lines, start=1))


def _purchase(number: int, line: str) -> Purchase:
    buyer, day, items, dollars = line.split()
    whole, _, cents = dollars.partition(".")
    return Purchase(
        number=number,
        buyer=int(buyer),
        on=dt.date(int(day[:4]), int(day[4:6]), int(day[6:])),
        items=int(items),
        cents=int(whole) * 100 + int(cents),
    )


def chosen(buyers: int | None) -> list[int]:
    """Which buyers a shop of this size has: evenly spread over the file, so that early and late ones are there.

    None: all of them.
    """
    everyone = sorted({purchase.buyer for purchase in published()})
    if buyers is None or buyers >= len(everyone):
        return everyone
    return [everyone[at * len(everyone) // buyers] for at in range(buyers)]


def histories(*, today: dt.date, buyers: int | None = None) -> dict[int, Sequence[Purchase]]:
    """Buyer → purchases by day, moved by whole days so that the data set's last day is the day before `today`."""
    shift = today - dt.timedelta(days=1) - max(purchase.on for purchase in published())
    found: dict[int, list[Purchase]] = {buyer: [] for buyer in chosen(buyers)}
    for purchase in published():
        if purchase.buyer in found:
            found[purchase.buyer].append(
                Purchase(purchase.number, purchase.buyer, purchase.on + shift, purchase.items, purchase.cents)
            )
    return found
