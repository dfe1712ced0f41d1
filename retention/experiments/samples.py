"""How large the arms must be, whether they are as large as they were meant to be, and several comparisons at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import scipy

from retention.experiments.rates import z_of

#: Arms that differ from their weights with less probability than this were not filled by the lot alone.
MISMATCH_BELOW = 0.001


def ratio_p_value(counts: Sequence[int], weights: Sequence[int]) -> float:
    """How odd it would be by luck that arms of these weights hold so many: Pearson's chi-square test.

    Raises:
        ValueError: an arm that should have nobody has somebody, or fewer weights than counts.
    """
    whole, drawn = sum(weights), sum(counts)
    pairs = [(count, drawn * weight / whole) for count, weight in zip(counts, weights, strict=True) if weight or count]
    if any(not meant for _count, meant in pairs) and drawn:
        raise ValueError("an arm without weight holds customers")
    if len(pairs) < 2 or not drawn:
        return 1.0
    statistic = sum((count - meant) ** 2 / meant for count, meant in pairs)
    return float(scipy.special.chdtrc(len(pairs) - 1, statistic))


def power(*, base: float, rate: float, size: float, base_size: float, significance: float = 0.05) -> float:
    """How probably a test of two arms finds that their rates differ, where they do (normal approximation)."""
    spread, pooled_spread = _spreads(base, rate, size / base_size)
    distance = abs(rate - base) * math.sqrt(size)
    return float(scipy.special.ndtr((distance - z_of(1 - significance) * pooled_spread) / spread))


def minimum_sample(
    *, base: float, rate: float, ratio: float = 1.0, significance: float = 0.05, power: float = 0.8
) -> float:
    """So many customers the arm needs for a difference of these rates to be found with this power.

    `ratio` is the arm's size by that of the arm it is compared with; with 1 both need the same. Infinite where the
    rates do not differ. (Fleiss, Statistical Methods for Rates and Proportions, without continuity correction.)
    """
    if rate == base:
        return math.inf
    spread, pooled_spread = _spreads(base, rate, ratio)
    wanted = z_of(1 - significance) * pooled_spread + float(scipy.special.ndtri(power)) * spread
    return (wanted / (rate - base)) ** 2


def _spreads(base: float, rate: float, ratio: float) -> tuple[float, float]:
    """Standard errors for one customer in the arm: where the rates differ, and where both are their common one."""
    common = (ratio * rate + base) / (ratio + 1)
    return (
        math.sqrt(rate * (1 - rate) + ratio * base * (1 - base)),
        math.sqrt((1 + ratio) * common * (1 - common)),
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values, each raised so that one error in twenty holds for all together (Holm, 1979), in their order."""
    adjusted, highest = [1.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted
