"""What a programme is: a rule of frozen parts, each with its own sentence. The package's parts by their names."""

from loyalty.rules.earning import EarningRule
from loyalty.rules.milestones import Milestone
from loyalty.rules.parts import Goods
from loyalty.rules.programme import ProgrammeRule
from loyalty.rules.tiers import TierRules

__all__ = ["EarningRule", "Goods", "Milestone", "ProgrammeRule", "TierRules"]
