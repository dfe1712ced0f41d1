"""What other programs can be told of: the kinds of all rooms, by group."""

from __future__ import annotations

from functools import cache
from typing import Any

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


def sample_of(key: str) -> dict[str, Any]:
    """A body of this kind, as it is sent."""
    kind = kinds()[key]
    customer = {"id": "01920000-0000-7000-8000-00000000000a", "reference": "C-1001"} if kind.has_customer else None
    return {"type": key, "timestamp": "2026-05-12T10:00:00+00:00", "data": {**kind.sample, "customer": customer}}


def described() -> dict[str, Any]:
    """The `webhooks` of the OpenAPI document: what each kind sends, and what may be answered."""
    return {
        key: {
            "post": {
                "summary": str(kind.label),
                "description": str(kind.told),
                "requestBody": {"required": True, "content": {"application/json": {"example": sample_of(key)}}},
                "responses": {
                    "2XX": {"description": "Taken: it is not sent again."},
                    "410": {"description": "Gone: nothing more is sent, until somebody switches the endpoint on."},
                    "default": {"description": "Not taken: it is sent again later, under the same `webhook-id`."},
                },
            }
        }
        for key, kind in sorted(kinds().items())
    }


def by_group() -> list[tuple[StrOrPromise, dict[str, EventKind]]]:
    """(group, its kinds), the groups in the order of their names."""
    groups: dict[str, tuple[StrOrPromise, dict[str, EventKind]]] = {}
    for source in events:
        groups.setdefault(str(source.group), (source.group, {}))[1].update(source.kinds)
    return [groups[name] for name in sorted(groups)]


def sources_of(wanted: set[str]) -> list[type[EventSource]]:
    """The sources that tell any of these kinds."""
    return [source for source in events if wanted & source.kinds.keys()]
