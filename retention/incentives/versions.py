"""The rules of versions, parsed once a process: a version never changes, so nothing here can go stale."""

from collections.abc import Iterable
from threading import Lock

from retention.audit.models import Version
from retention.incentives.rules import IncentiveRule

#: Past this many the oldest make room; one that is wanted again costs one query.
KEPT = 5_000
_rules: dict[int, IncentiveRule] = {}
_lock = Lock()


def rule_of(version_id: int) -> IncentiveRule:
    """The rule that a version holds; one query the first time a process asks."""
    return _rules.get(version_id) or rules_of([version_id])[version_id]


def rules_of(version_ids: Iterable[int]) -> dict[int, IncentiveRule]:
    """The rules of many versions by one query for those this process has not met."""
    wanted = set(version_ids)
    found = {pk: rule for pk in wanted if (rule := _rules.get(pk))}
    missing = wanted - found.keys()
    if missing:
        stored = Version.objects.filter(pk__in=missing).values_list("pk", "data")
        fresh = {pk: IncentiveRule.model_validate(data) for pk, data in stored}
        with _lock:
            _rules.update(fresh)
            while len(_rules) > KEPT:
                del _rules[next(iter(_rules))]
        found.update(fresh)
    return found
