"""What members earn for, as plain values: an order with its lines, an activity, a day of the year."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any


@dataclass(frozen=True, slots=True)
class Line:
    """One product of an order; `kept` of its units did not come back. Amounts are in the order's currency."""

    sku: str
    category: str
    tags: Collection[str]
    quantity: int
    kept: int
    unit_price_minor: int
    total_minor: int


@dataclass(frozen=True, slots=True)
class OrderFact:
    """An order as it stands: what came back of it counts no more.

    Attributes:
        happened_at: when it was paid.
        rate: what one minor unit of its currency was worth in the base currency's, exactly.
        refunded_minor: what was refunded of it without a line that came back.
        by_card_minor, by_balance_minor: what gift cards paid of it, and what points, store cash or credit did.
        uncounted_minor: what was paid of it with something on which nothing is earned; see `earning_on`.
    """

    id: int
    customer_id: int
    happened_at: dt.datetime
    lines: tuple[Line, ...]
    total_minor: int
    rate: Fraction | int = 1
    shipping_minor: int = 0
    discount_minor: int = 0
    tax_minor: int = 0
    refunded_minor: int = 0
    by_card_minor: int = 0
    by_balance_minor: int = 0
    uncounted_minor: int = 0
    channel: str = ""
    payment_method: str = ""
    fulfilled_at: dt.datetime | None = None

    about = "order"

    def earning_on(self, means: str) -> OrderFact:
        """The same order, of which only what was paid by these means counts: `ProgrammeRule.earns_on`."""
        cards = self.by_card_minor if means == "money" else 0
        balances = self.by_balance_minor if means != "everything" else 0
        return replace(self, uncounted_minor=cards + balances) if cards or balances else self

    def cancelled(self) -> OrderFact:
        """The same order with nothing kept of it."""
        return replace(self, lines=tuple(replace(line, kept=0) for line in self.lines))


@dataclass(frozen=True, slots=True)
class ActivityFact:
    id: int
    customer_id: int
    happened_at: dt.datetime
    kind: str
    properties: Mapping[str, Any] = field(default_factory=dict)

    about = "activity"


@dataclass(frozen=True, slots=True)
class DayFact:
    """A day of hers that comes once a year, such as `birthday:2027`."""

    customer_id: int
    happened_at: dt.datetime
    name: str

    about = "day"

    @property
    def of(self) -> str:
        return self.name.partition(":")[0]


Fact = OrderFact | ActivityFact | DayFact
