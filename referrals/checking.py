"""The verdict on one referral: which checks strike, how many points that makes, and whether it ends there. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from referrals.facts import Facts
from referrals.rules import Check
from retention.refusals import Refusal


@dataclass(frozen=True)
class Verdict:
    """`reasons` are of every check that struck, the hard ones first; `is_hard`: one of them ends the referral."""

    score: int = 0
    reasons: tuple[Refusal, ...] = ()
    is_hard: bool = False


def judge(facts: Facts, checks: Sequence[Check]) -> Verdict:
    """Ask every check; points add up."""
    struck = [(check, strike) for check in checks if (strike := check.struck(facts)) is not None]
    struck.sort(key=lambda pair: not pair[0].is_hard)
    return Verdict(
        score=sum(check.points for check, _strike in struck),
        reasons=tuple(strike.as_refusal() for _check, strike in struck),
        is_hard=any(check.is_hard for check, _strike in struck),
    )
