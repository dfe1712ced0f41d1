"""Arms of an experiment side by side: each compared with one of them, and what may be concluded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from retention.experiments.means import Amounts, enough_for, mean_difference
from retention.experiments.rates import Difference, rate_difference
from retention.experiments.samples import holm, minimum_sample

#: Fewer who did, or who did not, and the normal curve says nothing about a rate.
FEW = 10
SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class Arm:
    """One side: how many customers are in it, how many of them converted, and the money of each."""

    key: str
    heads: int
    converted: int
    money: Amounts


class Verdict(StrEnum):
    TOO_FEW = "too_few"
    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no_difference"


@dataclass(frozen=True)
class Compared:
    """One arm against the base.

    Attributes:
        rate, money: the differences; `money` in the unit of the amounts, per customer.
        rate_p, money_p: their p-values, corrected for how many arms are compared (Holm).
        needed: customers that this arm should have, at its present proportion to the base, for the smallest lift worth
            seeing to be found four times in five; None where the base has no rate to lift.
        is_rough: the interval of money is, for want of customers (`means.enough_for`).
    """

    key: str
    rate: Difference
    money: Difference
    rate_p: float
    money_p: float
    needed: int | None
    is_rough: bool
    verdict: Verdict


def compare(base: Arm, others: Sequence[Arm], *, lift: float) -> list[Compared]:
    """Each of the others against the base; `lift` is the smallest relative lift of the rate that is worth seeing."""
    rates = [rate_difference(arm.converted, arm.heads, base.converted, base.heads) for arm in others]
    moneys = [mean_difference(arm.money, base.money) for arm in others]
    rate_ps, money_ps = holm([found.p_value for found in rates]), holm([found.p_value for found in moneys])
    return [
        Compared(
            key=arm.key,
            rate=rate,
            money=money,
            rate_p=rate_p,
            money_p=money_p,
            needed=(needed := _needed(base, arm, lift)),
            is_rough=any(side.money.count < enough_for(side.money) for side in (arm, base)),
            verdict=_verdict(base, arm, rate, rate_p, needed),
        )
        for arm, rate, money, rate_p, money_p in zip(others, rates, moneys, rate_ps, money_ps, strict=True)
    ]


def _needed(base: Arm, arm: Arm, lift: float) -> int | None:
    rate = base.converted / base.heads if base.heads else 0.0
    hoped = rate * (1 + lift)
    if not rate or not arm.heads or hoped >= 1:
        return None
    return math.ceil(minimum_sample(base=rate, rate=hoped, ratio=arm.heads / base.heads))


def _verdict(base: Arm, arm: Arm, rate: Difference, p_value: float, needed: int | None) -> Verdict:
    is_thin = any(min(side.converted, side.heads - side.converted) < FEW for side in (base, arm))
    if is_thin or needed is None or arm.heads < needed:
        return Verdict.TOO_FEW
    if p_value >= SIGNIFICANCE:
        return Verdict.NO_DIFFERENCE
    return Verdict.BETTER if rate.value > 0 else Verdict.WORSE
