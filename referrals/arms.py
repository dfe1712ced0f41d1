"""Which variant of a scheme an advocate is in: drawn by a hash, so that it never changes and needs no row."""

from __future__ import annotations

import uuid
from typing import Any

from referrals.models import Advocate
from referrals.rules import SchemeRule
from retention.experiments.assignment import arm, arm_sql


def seed_of(scheme_id: uuid.UUID, rule: SchemeRule) -> str:
    """`scheme_id` is the scheme's public id."""
    return f"{scheme_id}:{rule.experiment}"


def variant_of(advocate_id: int, scheme_id: uuid.UUID, rule: SchemeRule) -> str:
    """The key of her variant; empty where the scheme has no test."""
    if not rule.variants:
        return ""
    weights = [variant.weight for variant in rule.variants]
    return rule.variants[arm(seed_of(scheme_id, rule), advocate_id, weights)].key


def rule_for(advocate: Advocate, rule: SchemeRule) -> SchemeRule:
    """The rule as it is for this advocate."""
    return rule.with_variant(variant_of(advocate.pk, advocate.scheme.public_id, rule)) if rule.variants else rule


def variant_sql(advocate: str, scheme_id: uuid.UUID, rule: SchemeRule) -> tuple[str, list[Any]]:
    """The same as an SQL expression and its parameters; `advocate` is an expression such as `a.id`."""
    if not rule.variants:
        return "''", []
    keys, weights = [each.key for each in rule.variants], [each.weight for each in rule.variants]
    position, params = arm_sql(seed_of(scheme_id, rule), advocate, weights)
    return f"(%s::text[])[1 + {position}]", [keys, *params]
