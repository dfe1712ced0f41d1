"""One load on its way from staging into its table, what is wrong with its rows, and what they would change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from retention.actors import Actor
from retention.work.ingest.columns import Column
from retention.work.ingest.sentences import SENTENCES

#: Errors kept in memory and returned; their number is counted to the end.
ERRORS_KEPT = 10_000


@dataclass(frozen=True)
class RowError:
    """What is wrong with one cell: the row's line (the first row of data sent is 1; of a file, its line), the column's
    path (`lines.0.sku`), a stable code and the words."""

    line: int
    column: str
    code: str
    message: str


@dataclass(frozen=True)
class Difference:
    """What one row would change: column → (before, after); everything before is None where the row is new.

    Where nothing changes, for the fact is there already, both are the same. `name` is how people call the row.
    """

    line: int
    is_new: bool
    values: Mapping[str, tuple[Any, Any]]
    name: str = ""


@dataclass
class Counts:
    new: int = 0
    changed: int = 0


@dataclass
class Load:
    """One load on its way: its tables, what its rows say, and what is wrong with them."""

    #: A subclass of `Kind`.
    kind: Any
    now: dt.datetime
    by: Actor
    params: dict[str, Any]
    said: set[str] = field(default_factory=set)
    rows: int = 0
    is_dry: bool = False

    @property
    def staging(self) -> str:
        return f"staging_{self.kind.key}"

    @property
    def work(self) -> str:
        return f"work_{self.kind.key}"

    def execute(self, statement: str, **params: Any) -> int:
        """Run one statement with the load's parameters; how many rows it touched."""
        with connection.cursor() as cursor:
            cursor.execute(statement, {**self.params, **params})
            return cursor.rowcount

    def fetch(self, statement: str, **params: Any) -> list[tuple]:
        with connection.cursor() as cursor:
            cursor.execute(statement, {**self.params, **params})
            return cursor.fetchall()

    def refuse(self, column: str, code: str, where: str, *, value: str = "NULL", source: str | None = None) -> int:
        """Refuse the rows of `source` (the work table, as `w`) where the SQL condition holds; how many."""
        named = column if " " in column else f"'{column}'"
        return self.execute(
            f"INSERT INTO ingest_errors SELECT w.line, w.item, {named}, '{code}', left({value}, 200)"
            f" FROM {source or self.work} w WHERE {where}"
        )

    def check(self, columns: Iterable[Column], more: Sequence[tuple[str, str, str]] = (), source: str = "") -> int:
        """Run the columns' checks, and `more` (column, SQL of a code or NULL, SQL of the value), in one scan."""
        checks = [
            (c.shown("w"), c.code("w"), c.shown_value("w")) for c in columns if c.required or self.said & set(c.staged)
        ]
        checks += [(f"'{column}'", code, value) for column, code, value in more]
        if not checks:
            return 0
        found = ", ".join(f"({column}, {code}, {value})" for column, code, value in checks)
        bad = " OR ".join(f"({code}) IS NOT NULL" for _column, code, _value in checks)
        return self.execute(
            f"INSERT INTO ingest_errors SELECT w.line, w.item, e.column_name, e.code, left(e.value, 80)"
            f" FROM {source or self.work} w CROSS JOIN LATERAL (VALUES {found}) AS e(column_name, code, value)"
            f" WHERE ({bad}) AND e.code IS NOT NULL"
        )

    def has_errors(self) -> bool:
        return bool(self.fetch("SELECT 1 FROM ingest_errors LIMIT 1"))

    def bad_lines(self) -> int:
        return self.fetch("SELECT count(DISTINCT line) FROM ingest_errors")[0][0]

    def errors(self, limit: int | None = ERRORS_KEPT) -> list[RowError]:
        rows = self.fetch(
            # A cell that was refused as it came is blank by now; that it is missing is not news.
            "SELECT line, item, column_name, code, value FROM ingest_errors e WHERE code <> 'required' OR NOT EXISTS"
            " (SELECT FROM ingest_errors o WHERE o.line = e.line AND o.item IS NOT DISTINCT FROM e.item"
            " AND o.column_name = e.column_name AND o.code <> 'required')"
            " ORDER BY line, item NULLS FIRST, column_name, code LIMIT %(limit)s",
            limit=limit,
        )
        return [self._row_error(*row) for row in rows]

    def _row_error(self, line: int, item: int | None, name: str, code: str, value: str | None) -> RowError:
        column = next((c for c in self.kind.columns if name in c.staged), None)
        params = {**(column.params if column else {}), "value": value or ""}
        path = name
        if item is not None and name == self.kind.items:
            path = f"{self.kind.items}.{item}"
        elif item is not None:
            own = name if column is None or column.item is None else column.item + name.removeprefix(column.name)
            path = f"{self.kind.items}.{item}.{own}"
        sentence = self.kind.sentences.get(code) or SENTENCES[code]
        return RowError(line, path, code, str(sentence) % params)
