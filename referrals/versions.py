"""The rules of schemes' versions, parsed once a process."""

from referrals.rules import SchemeRule
from retention.incentives.versions import Parsed

_rules = Parsed(SchemeRule)
rule_of, rules_of = _rules.one, _rules.many
