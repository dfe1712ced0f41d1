"""What other programs can be told of: the kinds of all rooms, by group."""

from __future__ import annotations

from functools import cache

from retention.event_kinds import EventKind
from retention.registries import EventSource, StrOrPromise, events

#: Told when somebody asks for it, to see whether the way is open; nobody subscribes to it.
TEST = "webhooks.test"


@cache
def kinds() -> dict[str, EventKind]:
    """Every kind by its key.

    Raises:
        ValueError: two sources tell the same kind.
    """
    found: dict[str, EventKind] = {}
    for source in events:
        if twice := found.keys() & source.kinds:
            raise ValueError(f"told by two sources: {sorted(twice)}")
        found |= source.kinds
    return found


def by_group() -> list[tuple[StrOrPromise, dict[str, EventKind]]]:
    """(group, its kinds), the groups in the order of their names."""
    groups: dict[str, tuple[StrOrPromise, dict[str, EventKind]]] = {}
    for source in events:
        groups.setdefault(str(source.group), (source.group, {}))[1].update(source.kinds)
    return [groups[name] for name in sorted(groups)]


def sources_of(wanted: set[str]) -> list[type[EventSource]]:
    """The sources that tell any of these kinds."""
    return [source for source in events if wanted & source.kinds.keys()]
