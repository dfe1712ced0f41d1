"""The report of a period: the formulas over the figures that were counted."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from referrals.reports.counting import Counted, figures_of
from referrals.reports.formulas import cost_per_customer, k_factor, roi
from referrals.reports.reading import Asked, Leader
from retention import money
from retention.experiments.means import Amounts, mean_difference
from retention.experiments.rates import Difference
from retention.ledger.days import book_day


@dataclass(frozen=True)
class Report:
    """Of one period. `running_minor` is the whole period's."""

    found: Counted
    difference: Difference
    running_minor: int

    @property
    def k(self) -> float | None:
        came = self.found.funnel
        return k_factor(users=came.advocates, invitations=came.invitations, converted=came.won)

    @property
    def cac_minor(self) -> int | None:
        came = self.found.funnel
        return cost_per_customer(
            reward_minor=came.reward_minor, running_minor=self.running_minor, converted=came.won
        )  # fmt: skip

    @property
    def roi(self) -> float | None:
        """Of all: a friend's worth by now, against what one cost."""
        came = self.found.funnel
        if not came.won or self.cac_minor is None:
            return None
        return roi(ltv_minor=came.won_spend_minor / came.won, k=self.k or 0.0, reward_minor=self.cac_minor)

    def roi_of(self, leader: Leader) -> float | None:
        """Of one advocate: her friends' worth against what they cost, with her part of the running cost."""
        won = self.found.funnel.won
        if not leader.won:
            return None
        share = self.running_minor * leader.won / won if won else 0
        reward = (leader.reward_minor + share) / leader.won
        return roi(ltv_minor=leader.won_spend_minor / leader.won, k=self.k or 0.0, reward_minor=reward)


def report_of(asked: Asked, *, running_minor: int, now: dt.datetime) -> Report:
    """`running_minor` is a month's.

    Raises:
        BeingCounted: a large shop's figures, for the first time.
    """
    found = figures_of(asked, now=now)
    lasted = max(dt.timedelta(), min(asked.last + dt.timedelta(days=1), book_day(found.as_of.at)) - asked.first)
    return Report(
        found,
        mean_difference(Amounts(**vars(found.referred)), Amounts(**vars(found.others))),
        money.round_half_up(Decimal(running_minor) * 12 * lasted.days / 365),
    )
