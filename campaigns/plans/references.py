"""Where a plan's JSON names other rows: to say them by other ids, such as the API's."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

Kind = Literal["segments", "incentives", "templates"]
Place = tuple[Any, Any, Kind]


def places(plan: Any) -> Iterator[tuple[Kind, Any]]:
    """(kind, what is said) of every row that a plan's JSON names; parts that are no plan's are passed over."""
    for holder, key, kind in _places(plan):
        yield kind, holder[key]


def told_by(plan: Mapping[str, Any], other: Callable[[Kind, Any], Any]) -> dict[str, Any]:
    """The same JSON with each name replaced by `other(kind, name)`."""
    copied = copy.deepcopy(dict(plan))
    for holder, key, kind in list(_places(copied)):
        holder[key] = other(kind, holder[key])
    return copied


def _places(plan: Any) -> Iterator[Place]:
    if not isinstance(plan, Mapping):
        return
    for key in ("audience", "excluded"):
        yield from _one(plan, key, "segments")
    yield from _one(plan.get("exits"), "segment", "segments")
    for step in plan.get("steps") or ():
        yield from _of_step(step)
    for variant in plan.get("variants") or ():
        changes = variant.get("steps") if isinstance(variant, Mapping) else None
        for change in changes.values() if isinstance(changes, Mapping) else ():
            yield from _of_step(change)


def _of_step(step: Any) -> Iterator[Place]:
    yield from _one(step, "only_for", "segments")
    yield from _one(step, "incentive", "incentives")
    messages = step.get("messages") if isinstance(step, Mapping) else None
    if isinstance(messages, list):
        yield from ((messages, place, "templates") for place in range(len(messages)))


def _one(holder: Any, key: str, kind: Kind) -> Iterator[Place]:
    if isinstance(holder, Mapping) and holder.get(key) is not None:
        yield holder, key, kind
