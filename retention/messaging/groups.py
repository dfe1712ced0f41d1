"""Whose a group of messages is: a campaign, say, that the room of their origin knows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.apps import apps
from django.db.models import Model

from retention.registries import outcomes

Group = tuple[str, int | None]


def rows_of(groups: Iterable[Group]) -> dict[Group, Model]:
    """(origin, group_id) → the row it numbers, where there is one; a query for each kind of row."""
    wanted: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for origin, group_id in groups:
        label = outcomes[origin].group if origin in outcomes else ""
        if label and group_id is not None:
            wanted[label][group_id].add(origin)
    found: dict[Group, Model] = {}
    for label, ids in wanted.items():
        for pk, row in apps.get_model(label)._default_manager.in_bulk(list(ids)).items():
            found.update({(origin, pk): row for origin in ids[pk]})
    return found


def name_of(origin: str, group_id: int | None) -> str:
    """What people call it: `“Win-back”`, or the bare numbers where nobody knows more."""
    row = rows_of([(origin, group_id)]).get((origin, group_id))
    return f"“{row}”" if row is not None else f"{origin} {group_id or ''}".strip()
