"""The rules of units, parsed once a process: a version never changes, so nothing here can go stale."""

from functools import lru_cache

from retention.audit.models import Version
from retention.ledger.models import Unit
from retention.ledger.units import UnitRule


@lru_cache(maxsize=1_000)
def rule_at(version_id: int) -> UnitRule:
    """The rule that a version of a unit holds; one query the first time a process asks."""
    return UnitRule.model_validate(Version.objects.values_list("data", flat=True).get(pk=version_id))


def rule_of(unit: Unit) -> UnitRule:
    """The rule of a unit as it was read."""
    return rule_at(unit.version_id)
