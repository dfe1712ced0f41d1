"""Shares of customers who did something, and whether two of them differ: Wilson's and Newcombe's intervals.

`scipy.special` is read as an attribute, so that it is loaded with the first figure asked for, not with every process.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import scipy


@dataclass(frozen=True)
class Interval:
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """What was measured, where the true difference lies with the confidence asked for, and how odd it would be by luck.

    `p_value` is two-sided: the probability of a difference at least as large where there is none.
    """

    value: float
    interval: Interval
    p_value: float


def z_of(confidence: float) -> float:
    """How many standard errors to either side hold this share of a normal distribution: 1.96 for 0.95."""
    return float(scipy.special.ndtri((1 + confidence) / 2))


def wilson(count: int, of: int, *, confidence: float = 0.95) -> Interval:
    """The score interval of a share; right for small numbers too, and never below 0 or above 1.

    Nobody counted says nothing: 0 to 1. (Wilson 1927; method 3 of Newcombe, Statistics in Medicine 17, 1998, 857–872.)
    """
    if of == 0:
        return Interval(0.0, 1.0)
    z, share = z_of(confidence), count / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    # None and all are exact ends, whatever rounding says.
    return Interval(0.0 if count == 0 else middle - half, 1.0 if count == of else middle + half)


def rate_difference(count: int, of: int, base_count: int, base_of: int, *, confidence: float = 0.95) -> Difference:
    """How much higher a share is than the one it is compared with.

    The interval is Newcombe's hybrid of the two score intervals (method 10, Statistics in Medicine 17, 1998, 873–890);
    the p-value is that of Pearson's chi-square without correction, which is the pooled z-test's.
    """
    share, base = _share(count, of), _share(base_count, base_of)
    mine, theirs = wilson(count, of, confidence=confidence), wilson(base_count, base_of, confidence=confidence)
    value = share - base
    interval = Interval(
        value - math.hypot(share - mine.low, theirs.high - base),
        value + math.hypot(mine.high - share, base - theirs.low),
    )
    return Difference(value, interval, _pooled_p_value(count, of, base_count, base_of))


def _share(count: int, of: int) -> float:
    return count / of if of else 0.0


def _pooled_p_value(count: int, of: int, base_count: int, base_of: int) -> float:
    together, whole = count + base_count, of + base_of
    if not of or not base_of or together in (0, whole):
        return 1.0
    pooled = together / whole
    error = math.sqrt(pooled * (1 - pooled) * (1 / of + 1 / base_of))
    return float(2 * scipy.special.ndtr(-abs(count / of - base_count / base_of) / error))
