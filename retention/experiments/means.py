"""Means of money per customer, and whether two of them differ: Welch's interval, and when it can be relied on.

Most customers buy nothing and a few buy for a lot, so single amounts are anything but normal. What is compared are
means over all customers of an arm, those who spent nothing too: means of many are nearly normal, however uneven the
amounts. How many are "many" depends on how lopsided they are; `enough_for` says, and fewer make the interval rough.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import scipy

from retention.experiments.rates import Difference, Interval


@dataclass(frozen=True)
class Amounts:
    """What is left of one amount per customer when they are summed: their number and the sums of their powers."""

    count: int
    total: float
    squares: float
    cubes: float = 0.0

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else 0.0

    @property
    def variance(self) -> float:
        """Of the amounts, by n − 1; nothing for fewer than two."""
        if self.count < 2:
            return 0.0
        return max(0.0, (self.squares - self.total * self.mean) / (self.count - 1))

    @property
    def skewness(self) -> float:
        """How lopsided the amounts are: 0 for even ones, 2 where waiting times are, more where few spend it all."""
        spread = self.squares / self.count - self.mean**2 if self.count else 0.0
        if spread <= 0:
            return 0.0
        third = self.cubes / self.count - 3 * self.mean * self.squares / self.count + 2 * self.mean**3
        return third / spread**1.5


def mean_difference(amounts: Amounts, base: Amounts, *, confidence: float = 0.95) -> Difference:
    """How much higher a mean is than the one it is compared with (Welch, Biometrika 34, 1947, 28–35).

    Where nothing varies, or an arm has fewer than two, nothing is known: an interval without ends and a p-value of 1.
    """
    value = amounts.mean - base.mean
    if min(amounts.count, base.count) < 2 or not (amounts.variance or base.variance):
        return Difference(value, Interval(-math.inf, math.inf), 1.0)
    mine, theirs = amounts.variance / amounts.count, base.variance / base.count
    error = math.sqrt(mine + theirs)
    freedom = (mine + theirs) ** 2 / (mine**2 / (amounts.count - 1) + theirs**2 / (base.count - 1))
    half = float(scipy.special.stdtrit(freedom, (1 + confidence) / 2)) * error
    p_value = float(2 * scipy.special.stdtr(freedom, -abs(value) / error))
    return Difference(value, Interval(value - half, value + half), p_value)


def enough_for(amounts: Amounts) -> int:
    """So many customers make a mean of amounts as lopsided as these normal enough for its interval to hold.

    355 times the squared skewness (Kohavi, Deng, Longbotham, Xu: Seven rules of thumb for web site experimenters,
    KDD 2014, rule 7).
    """
    return math.ceil(355 * amounts.skewness**2)
