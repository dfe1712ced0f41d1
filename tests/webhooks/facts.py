"""What sources tell of the facts that are there, whoever wrote them, and whether it looks like their samples."""

import datetime as dt
import json
import uuid
from collections.abc import Iterable
from typing import Any

from django.db import connection

from retention.event_kinds import EventKind
from retention.registries import events

_ALL = 2**62


def told() -> list[dict[str, Any]]:
    """Every fact of every source, as rows of its columns."""
    rows = []
    with connection.cursor() as cursor:
        for source in events:
            cursor.execute(source.sql, {"since": "0", "until": str(_ALL), "kinds": list(source.kinds)})
            names = [column.name for column in cursor.description]
            rows += [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    for row in rows:
        row["data"] = row["data"] if isinstance(row["data"], dict) else json.loads(row["data"])
    return [row for row in rows if row["kind"] in every_kind()]


def every_kind() -> dict[str, EventKind]:
    return {key: kind for source in events for key, kind in source.kinds.items()}


def check_shapes(rows: Iterable[dict[str, Any]]) -> set[str]:
    """That all of them look as their kinds' samples do, and no fact is told twice; the kinds that were there."""
    kinds, seen = every_kind(), set()
    for row in rows:
        assert (row["kind"], row["reference"]) not in seen, row
        seen.add((row["kind"], row["reference"]))
        assert isinstance(row["occurred_at"], dt.datetime), row
        assert (row["customer_id"] is not None) == kinds[row["kind"]].has_customer, row
        _same(kinds[row["kind"]].sample, row["data"], row["kind"])
    return {kind for kind, _reference in seen}


def _same(sample: Any, real: Any, where: str) -> None:
    if sample is None or real is None:
        return
    assert type(real) is type(sample), (where, sample, real)
    if isinstance(sample, dict):
        assert set(real) == set(sample), where
        for name, value in sample.items():
            _same(value, real[name], f"{where}.{name}")
    if isinstance(sample, list) and sample:
        for each in real:
            _same(sample[0], each, where)
    if isinstance(sample, str) and sample.startswith("01920000-"):
        uuid.UUID(real)
    if isinstance(sample, str) and sample.startswith("2026-"):
        assert dt.datetime.fromisoformat(real).tzinfo, where
