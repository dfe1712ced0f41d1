"""The rules of programmes' versions, parsed once a process: a version never changes, so nothing here can go stale."""

from loyalty.rules import ProgrammeRule
from retention.incentives.versions import Parsed

_rules = Parsed(ProgrammeRule)
rule_of, rules_of = _rules.one, _rules.many
