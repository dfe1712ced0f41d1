"""The rules of versions, parsed once a process: a version never changes, so nothing here can go stale."""

from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock

from retention.audit.models import Version
from retention.incentives.rules import IncentiveRule

#: Least recently used rules make room past this many.
KEPT = 5_000
_rules: OrderedDict[int, IncentiveRule] = OrderedDict()
_lock = Lock()


def rule_of(version_id: int) -> IncentiveRule:
    """The rule that a version holds; one query the first time a process asks."""
    return rules_of([version_id])[version_id]


def rules_of(version_ids: Iterable[int]) -> dict[int, IncentiveRule]:
    """The rules of many versions by one query for those this process has not met."""
    wanted = set(version_ids)
    with _lock:
        found = {pk: _rules[pk] for pk in wanted if pk in _rules}
        for pk in found:
            _rules.move_to_end(pk)
    missing = wanted - found.keys()
    if missing:
        stored = Version.objects.filter(pk__in=missing).values_list("pk", "data")
        fresh = {pk: IncentiveRule.model_validate(data) for pk, data in stored}
        with _lock:
            _rules.update(fresh)
            while len(_rules) > KEPT:
                _rules.popitem(last=False)
        found.update(fresh)
    return found
