"""What an incentive is: a rule of frozen parts, each with its own sentence. The package's parts by their names."""

from retention.incentives.rules.codes import (
    EXPECTED_CODES,
    WARN_BELOW,
    CodeSettings,
    PublicCode,
    UniqueCodes,
    Validity,
)
from retention.incentives.rules.effects import AmountOff, Effect, FreeShipping, PercentOff
from retention.incentives.rules.limits import Count, Limits, Money
from retention.incentives.rules.rule import IncentiveRule, sentence
from retention.incentives.rules.scope import Scope
from retention.incentives.rules.terms import Terms, with_terms

__all__ = [
    "EXPECTED_CODES",
    "WARN_BELOW",
    "AmountOff",
    "CodeSettings",
    "Count",
    "Effect",
    "FreeShipping",
    "IncentiveRule",
    "Limits",
    "Money",
    "PercentOff",
    "PublicCode",
    "Scope",
    "Terms",
    "UniqueCodes",
    "Validity",
    "sentence",
    "with_terms",
]
