"""Customers held out of something by lot: the same ones for as long as the seed is the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from retention.experiments.assignment import arm, arm_sql


@dataclass(frozen=True)
class Holdout:
    """`percent` of all customers, drawn by `seed`. With a higher percentage those held out before still are."""

    seed: str
    percent: int

    def holds(self, customer_id: int) -> bool:
        return arm(self.seed, customer_id, (self.percent, 100 - self.percent)) == 0

    def sql(self, customer: str) -> tuple[str, list[Any]]:
        """The same as an SQL condition and its parameters; `customer` is an expression such as `c.id`."""
        expression, params = arm_sql(self.seed, customer, (self.percent, 100 - self.percent))
        return f"{expression} = 0", params
