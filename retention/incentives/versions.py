"""The rules of versions, parsed once a process: a version never changes, so nothing here can go stale."""

from collections.abc import Iterable
from threading import Lock
from typing import Generic, TypeVar

from retention.audit.models import Version
from retention.incentives.parts import Part
from retention.incentives.policy import Policy
from retention.incentives.rules import BudgetLimits, IncentiveRule

Kind = TypeVar("Kind", bound=Part)


class Parsed(Generic[Kind]):
    """What versions of one kind hold, by their numbers."""

    #: Past this many the oldest make room; one that is wanted again costs one query.
    KEPT = 5_000

    def __init__(self, kind: type[Kind]) -> None:
        self.kind, self.found, self.lock = kind, dict[int, Kind](), Lock()

    def one(self, version_id: int) -> Kind:
        """What a version holds; one query the first time a process asks."""
        return self.found.get(version_id) or self.many([version_id])[version_id]

    def many(self, version_ids: Iterable[int]) -> dict[int, Kind]:
        """The same of many versions, by one query for those this process has not met."""
        wanted = set(version_ids)
        found = {pk: held for pk in wanted if (held := self.found.get(pk))}
        if missing := [pk for pk in wanted if pk not in found]:
            stored = Version.objects.filter(pk__in=missing).values_list("pk", "data")
            fresh = {pk: self.kind.model_validate(data) for pk, data in stored}
            with self.lock:
                self.found.update(fresh)
                while len(self.found) > self.KEPT:
                    del self.found[next(iter(self.found))]
            found.update(fresh)
        return found


_rules = Parsed(IncentiveRule)
rule_of, rules_of = _rules.one, _rules.many
#: Of the Budget's and the CheckoutPolicy's versions.
limits_of, policy_of = Parsed(BudgetLimits).one, Parsed(Policy).one
