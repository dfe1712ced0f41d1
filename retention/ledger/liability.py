"""The liability book: what the shop owes in each unit, how that came, what of it waits, and when it expires.

Sums come from the days of the shop's own accounts: as the books balance, what went out of them is what is owed. So the
book of a year costs some thousand rows, whatever the number of customers.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from retention import clock
from retention.ledger.days import shop_zone
from retention.ledger.models import Account, Unit
from retention.ledger.versions import rule_of


@dataclass(frozen=True)
class Movement:
    """What one of the shop's own accounts gave and took back in a period; `net` is what that added to what is owed."""

    account_id: int
    purpose: str
    given: int
    taken: int

    @property
    def net(self) -> int:
        return self.given - self.taken


@dataclass(frozen=True)
class Page:
    """One unit in a period, amounts in its smallest part.

    Attributes:
        before, after: what was owed when the period began and when it ended.
        pending, held: of what is owed now: not to be spent yet, and set aside.
        expiring: (first day of a month, how much ends in it), the next first.
        worth: what `after` is worth at a checkout in the shop's currency, in minor units; None: it has no worth there.
        breakage: of what was ever given or sold, the share that expired unused, in percent; None: nothing was.
    """

    unit: Unit
    before: int
    movements: tuple[Movement, ...]
    after: int
    pending: int
    held: int
    expiring: tuple[tuple[dt.date, int], ...]
    worth: int | None
    breakage: float | None


_MOVED = """
SELECT account.unit_id, account.id, account.purpose,
       coalesce(sum(cell.debited - cell.credited) FILTER (WHERE cell.day < %(first)s), 0),
       coalesce(sum(cell.debited) FILTER (WHERE cell.day >= %(first)s), 0),
       coalesce(sum(cell.credited) FILTER (WHERE cell.day >= %(first)s), 0),
       coalesce(sum(cell.debited), 0), coalesce(sum(cell.credited), 0)
FROM ledger_account account LEFT JOIN ledger_cell cell ON cell.account_id = account.id AND cell.day <= %(last)s
WHERE account.kind = 'system'
GROUP BY account.id
"""
_WAITING = """
SELECT account.unit_id, sum(lot.remaining)
FROM ledger_lot lot JOIN ledger_account account ON account.id = lot.account_id
WHERE lot.remaining > 0 AND (lot.active_at IS NULL OR lot.active_at > %(now)s) GROUP BY account.unit_id
"""
_HELD = """
SELECT account.unit_id, sum(hold.amount)
FROM ledger_hold hold JOIN ledger_account account ON account.id = hold.account_id
WHERE hold.state = 'open' GROUP BY account.unit_id
"""
_ENDING = """
SELECT account.unit_id, lot.expires_at, sum(lot.remaining)
FROM ledger_lot lot JOIN ledger_account account ON account.id = lot.account_id
WHERE lot.remaining > 0 AND lot.expires_at IS NOT NULL GROUP BY account.unit_id, lot.expires_at
"""


def book(*, first: dt.date, last: dt.date, currency: str, now: dt.datetime) -> list[Page]:
    """The pages of all units for the shop's days from `first` to `last`, both included."""
    moved = defaultdict(list)
    for unit_id, *row in _rows(_MOVED, first=first, last=last):
        moved[unit_id].append(row)
    pending, held = (dict(_rows(statement, now=now)) for statement in (_WAITING, _HELD))
    ending = _by_month(_rows(_ENDING))
    pages = []
    for unit in Unit.objects.select_related("version"):
        rows = sorted(moved[unit.pk], key=lambda row: Account.Purpose.values.index(row[1]))
        before = int(sum(row[2] for row in rows))
        movements = tuple(Movement(pk, purpose, int(gave), int(took)) for pk, purpose, _b, gave, took, *_ in rows)
        after = before + sum(movement.net for movement in movements)
        pages.append(
            Page(
                unit=unit,
                before=before,
                movements=movements,
                after=after,
                pending=int(pending.get(unit.pk, 0)),
                held=int(held.get(unit.pk, 0)),
                expiring=tuple(sorted(ending[unit.pk].items())),
                worth=_worth(unit, after, currency),
                breakage=_breakage(rows),
            )
        )
    return pages


def as_rows(pages: Iterable[Page]) -> Iterator[Sequence[Any]]:
    """The book as lines of a file: unit, currency, what, month, amount in the unit's smallest part."""
    yield ["unit", "currency", "what", "month", "amount"]
    for page in pages:
        of = [page.unit.key, page.unit.currency]
        yield [*of, "outstanding before", "", page.before]
        for movement in page.movements:
            yield [*of, movement.purpose, "", movement.net]
        yield [*of, "outstanding after", "", page.after]
        yield [*of, "pending now", "", page.pending]
        yield [*of, "held now", "", page.held]
        for month, amount in page.expiring:
            yield [*of, "expiring", f"{month:%Y-%m}", amount]


def _rows(statement: str, **params: Any) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()


def _by_month(rows: Iterable[tuple]) -> dict[int, dict[dt.date, int]]:
    zone = clock.zone(shop_zone())
    found: dict[int, dict[dt.date, int]] = defaultdict(lambda: defaultdict(int))
    for unit_id, ends_at, amount in rows:
        # It ends as its last day does, at the midnight after it.
        last = (ends_at - dt.timedelta(microseconds=1)).astimezone(zone).date()
        found[unit_id][last.replace(day=1)] += int(amount)
    return found


def _worth(unit: Unit, amount: int, currency: str) -> int | None:
    rule = rule_of(unit)
    return rule.in_minor(amount, currency) if rule.is_payable_in(currency) else None


def _breakage(rows: list[list]) -> float | None:
    """From the beginning of the books on."""
    by_purpose = {purpose: (gave, took) for _pk, purpose, _b, _g, _t, gave, took in rows}
    out = sum(by_purpose[purpose][0] - by_purpose[purpose][1] for purpose in ("issued", "sold"))
    gave, took = by_purpose["expired"]
    return float(100 * (took - gave) / out) if out > 0 else None
