"""What a marketer sets of a scheme: its rule, the scenario, the checks, levels, caps and texts."""

from referrals.rules.checks import USUAL, AnyCheck, Check, Strike
from referrals.rules.scenarios import Did, FirstOrder, Joined, NthOrder, Scenario
from referrals.rules.scheme import Caps, Landing, Level, SchemeRule, Share, Variant

__all__ = [
    "USUAL",
    "AnyCheck",
    "Caps",
    "Check",
    "Did",
    "FirstOrder",
    "Joined",
    "Landing",
    "Level",
    "NthOrder",
    "Scenario",
    "SchemeRule",
    "Share",
    "Strike",
    "Variant",
]
