"""What is used of budgets, from their counters. Reads only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from retention.incentives.baskets import amount_text
from retention.incentives.models import Budget, Counter
from retention.incentives.rules import BudgetLimit, period
from retention.incentives.versions import limits_of


@dataclass(frozen=True)
class Bound:
    """One limit of a budget; `used` is None for a rolling one, which is counted over the uses when it is asked."""

    limit: BudgetLimit
    most: int
    used: int | None

    @property
    def sentence(self) -> str:
        return self.limit.sentence()

    @property
    def shown(self) -> str:
        """`20.00 EUR of 100.00 EUR`, `3 of 500`."""
        if self.used is None:
            return self.sentence
        if self.limit.currency:
            return f"{amount_text(self.used, self.limit.currency)} / {amount_text(self.most, self.limit.currency)}"
        return f"{self.used:,} / {self.most:,}"

    @property
    def share(self) -> int:
        return min(100, 100 * (self.used or 0) // self.most)


def used_of_budgets(budgets: Sequence[Budget], *, today: dt.date) -> dict[int, list[Bound]]:
    """Each budget's limits with what is used of them in the period that the shop's day is in."""
    limits = {one.pk: limits_of(one.version_id).limits if one.version_id else () for one in budgets}
    rows = Counter.objects.filter(
        incentive_id=0, subject_id__in=limits, scope__in=[Counter.Scope.BUDGET, Counter.Scope.BUDGET_ISSUE]
    )
    kept = {(row.subject_id, row.scope, row.period, row.currency): row for row in rows}
    return {pk: [_bound(pk, limit, kept, today) for limit in found] for pk, found in limits.items()}


def _bound(budget_id: int, limit: BudgetLimit, kept: dict, today: dt.date) -> Bound:
    most = limit.issued or limit.most
    if limit.is_rolling:
        return Bound(limit, most, None)
    scope = Counter.Scope.BUDGET_ISSUE if limit.issued else Counter.Scope.BUDGET
    row = kept.get((budget_id, scope, period(limit.within, today), limit.currency))
    if row is None:
        return Bound(limit, most, 0)
    return Bound(limit, most, row.issued if limit.issued else row.spent_minor if limit.currency else row.redeemed)
