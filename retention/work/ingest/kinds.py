"""What one kind of bulk fact says about itself, and the load that carries it from staging into its table."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.db import connection
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.registries import IngestKind
from retention.work.ingest.columns import Column

#: Errors kept in memory and returned; their number is counted to the end.
ERRORS_KEPT = 10_000

SENTENCES: dict[str, Any] = {
    "required": _("A value is needed here."),
    "too_long": _("Longer than %(limit)s characters."),
    "not_an_email": _("“%(value)s” is not an email address."),
    "not_a_phone": _("“%(value)s” is not a phone number that could be called."),
    "not_a_whole_number": _("“%(value)s” is not a whole number."),
    "too_small": _("%(value)s is less than %(low)s."),
    "too_big": _("%(value)s is more than %(high)s."),
    "not_a_time": _("“%(value)s” is not a date and time like 2026-05-17 14:30."),
    "not_a_date": _("“%(value)s” is not a date like 2026-05-17."),
    "not_a_birthday": _("“%(value)s” is not a birthday like 1990-05-17 or 05-17."),
    "out_of_range": _("%(value)s is too long ago or too far away."),
    "in_the_future": _("%(value)s has not come yet."),
    "not_yes_or_no": _("“%(value)s” is neither yes nor no."),
    "not_a_choice": _("“%(value)s” is none of: %(choices)s."),
    "unknown_zone": _("“%(value)s” is not an IANA time zone like Europe/Berlin."),
    "unknown_country": _("“%(value)s” is not an ISO 3166 country code like DE."),
    "unknown_language": _("“%(value)s” is not a language code like de or pt-BR."),
    "unknown_currency": _("“%(value)s” is not an ISO 4217 currency code like EUR."),
    "said_twice": _("The amount is given twice, in major and in minor units (%(minor)s)."),
    "not_an_amount": _("“%(value)s” is not an amount like 12.30."),
    "not_minor_units": _("“%(value)s” is not an amount in minor units like 1230."),
    "negative": _("%(value)s is less than nothing."),
    "too_many_digits": _("%(value)s has more digits than its currency has."),
    "not_words": _("This is not a list of texts."),
    "not_an_object": _("This is not an object of names and values."),
    "not_a_list": _("This is not a list with something in it."),
    "wrong_type": _("A %(value)s is not what belongs here."),
    "control_character": _("Holds the control character %(value)s."),
    "unknown_column": _("There is no such column."),
    "unknown_reference": _("“%(value)s” is not known."),
    "wrong_number_of_cells": _("The row has another number of cells than the header: %(value)s."),
    "not_json": _("This line is not JSON."),
    "duplicate": _("“%(value)s” is there more than once."),
}


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
    """What one row would change: column → (before, after); everything before is None where the row is new."""

    line: int
    is_new: bool
    values: Mapping[str, tuple[Any, Any]]


@dataclass
class Counts:
    new: int = 0
    changed: int = 0


@dataclass
class Load:
    """One load on its way: its tables, what its rows say, and what is wrong with them."""

    kind: type[Kind]
    now: dt.datetime
    by: Actor
    params: dict[str, Any]
    said: set[str] = field(default_factory=set)
    rows: int = 0
    is_dry: bool = False
    cancelled: Callable[[], None] = lambda: None

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


class Kind(IngestKind):
    """A kind of bulk fact that is matched with a table's rows by a natural key, and inserted or updated.

    A kind with a simple key states the attributes below; one with more to it overrides the steps, which run in the
    order in which they stand here, all inside one transaction.
    """

    columns: ClassVar[tuple[Column, ...]] = ()
    #: The nested list that each row may bring, or "".
    items: ClassVar[str] = ""
    #: Staged columns that only our own operations fill.
    hidden: ClassVar[frozenset[str]] = frozenset()
    table: ClassVar[str] = ""
    #: Staged columns that name a row: no two rows of one load may share them.
    identity: ClassVar[tuple[str, ...]] = ()
    #: What `matching` answers where it is always the same.
    match: ClassVar[str] = ""
    #: The order in which new rows are inserted, the same for everyone, so that two loads wait but never deadlock.
    order_by: ClassVar[str] = ""
    #: Columns of the work table beside the staged ones, `is_new` and `id`.
    extras: ClassVar[tuple[tuple[str, str], ...]] = ()
    #: Table column → SQL (over the work row `w`) for new rows only.
    once: ClassVar[Mapping[str, str]] = {"recorded_at": "%(now)s"}
    #: Words for codes of its own.
    sentences: ClassVar[Mapping[str, Any]] = {}

    @classmethod
    def find_repeated(cls, load: Load) -> None:
        """Refuse rows that share their identity."""
        if cls.identity and set(cls.identity) <= load.said:
            repeated(load, cls.identity)

    @classmethod
    def fill(cls, load: Load) -> None:
        """Move the rows that say something new from staging into the work table, with the stored row's id."""
        staged = ", ".join(f"s.{name}" for column in cls.columns for name in column.staged)
        differs = " OR ".join(c.differs("s", "c") for c in cls.columns if c.target != "-" and load.said & set(c.staged))
        load.execute(
            f"INSERT INTO {load.work} SELECT s.line, s.item, {staged}, c.id IS NULL, c.id{cls.extra_values(load)}"
            f" FROM {load.staging} s LEFT JOIN {cls.table} c ON {cls.matching(load)}"
            f" WHERE c.id IS NULL OR {differs or 'false'}"
        )

    @classmethod
    def matching(cls, load: Load) -> str:
        """SQL that finds the stored row `c` of a staged row `s`."""
        return cls.match

    @classmethod
    def extra_values(cls, load: Load) -> str:
        return "".join(", NULL" for _extra in cls.extras)

    @classmethod
    def prepare(cls, load: Load) -> None:
        """Look up and normalise what the checks and the write want to know."""

    @classmethod
    def check(cls, load: Load) -> None:
        """Refuse bad rows."""
        load.check(cls.columns)

    @classmethod
    def drop(cls, load: Load) -> None:
        """Take the refused rows out of the work."""
        load.execute(f"DELETE FROM {load.work} w USING ingest_errors e WHERE w.line = e.line")

    @classmethod
    def write(cls, load: Load) -> Counts:
        """Write the work; how much was new and how much changed."""
        new = cls.insert(load)
        changed = cls.update(load)
        return Counts(new, changed)

    @classmethod
    def stored(cls, load: Load) -> dict[str, tuple[str, str]]:
        """Table column → (SQL: does work row `w` say it, SQL: what `c` gets) for every column anyone said."""
        found = {}
        for column in cls.columns:
            if column.target != "-" and load.said & set(column.staged):
                found |= {target: (column.said("w"), value) for target, value in column.updates("w", "c").items()}
        return found

    @classmethod
    def insert(cls, load: Load) -> int:
        """Insert the new rows; one that somebody else inserted meanwhile becomes an update."""
        awaited = load.fetch(f"SELECT count(*) FROM {load.work} WHERE is_new")[0][0]
        if not awaited:
            return 0
        values: dict[str, str] = {}
        for column in cls.columns:
            if column.target != "-":
                values |= column.values("w") if load.said & set(column.staged) else column.blanks()
        values |= cls.once
        inserted = load.execute(
            f"INSERT INTO {cls.table} ({', '.join(values)}) SELECT {', '.join(values.values())}"
            f" FROM {load.work} w WHERE w.is_new ORDER BY {cls.order_by} ON CONFLICT DO NOTHING"
        )
        if inserted < awaited:
            cls.find_again(load)
        return inserted

    @classmethod
    def find_again(cls, load: Load) -> None:
        """Give ids to the new rows, of which some were somebody else's: those are updated like any other."""
        load.execute(
            f"UPDATE {load.work} s SET id = c.id, is_new = false FROM {cls.table} c"
            f" WHERE s.is_new AND {cls.matching(load)} AND c.xid <> pg_current_xact_id()"
        )

    @classmethod
    def update(cls, load: Load) -> int:
        """Update rows that were there, where they differ; a cell that is not said keeps the value it has now."""
        stored = cls.stored(load)
        if not stored or not load.fetch(f"SELECT 1 FROM {load.work} WHERE NOT is_new LIMIT 1"):
            return 0
        # Locked by id first: two loads of the same rows in another order wait instead of deadlocking.
        load.execute(
            f"SELECT count(*) FROM (SELECT FROM {cls.table} WHERE id IN"
            f" (SELECT id FROM {load.work} WHERE NOT is_new) ORDER BY id FOR NO KEY UPDATE) AS locked"
        )
        says = {
            target: f"CASE WHEN {said} THEN {value} ELSE c.{target} END" for target, (said, value) in stored.items()
        }
        return load.execute(
            f"UPDATE {cls.table} c SET {', '.join(f'{t} = {v}' for t, v in says.items())}, xid = pg_current_xact_id()"
            f" FROM {load.work} w WHERE c.id = w.id AND NOT w.is_new"
            f" AND ({', '.join(f'c.{target}' for target in says)}) IS DISTINCT FROM ({', '.join(says.values())})"
        )

    @classmethod
    def rows(cls, load: Load) -> tuple[int, int]:
        """(How many things the rows name, how many of them are refused)."""
        return load.rows, load.bad_lines()

    @classmethod
    def differences(cls, load: Load, limit: int) -> list[Difference]:
        """What the first rows of the work would change; asked before anything is written."""
        stored = cls.stored(load)
        if not stored or not limit:
            return []
        rows = load.fetch(
            f"SELECT w.line, w.is_new, {', '.join(f'to_jsonb(c.{t})' for t in stored)},"
            f" {', '.join(f'to_jsonb(CASE WHEN {said} THEN {v} ELSE c.{t} END)' for t, (said, v) in stored.items())}"
            f" FROM {load.work} w LEFT JOIN {cls.table} c ON c.id = w.id ORDER BY w.line LIMIT %(limit)s",
            limit=limit,
        )
        found = []
        for line, is_new, *cells in rows:
            pairs = zip(stored, cells[: len(stored)], cells[len(stored) :], strict=True)
            values = {name: (_read(before), _read(after)) for name, before, after in pairs if before != after}
            if values:
                found.append(Difference(line, is_new, values))
        return found


def _read(cell: str | None) -> Any:
    return None if cell is None else json.loads(cell)


def repeated(load: Load, names: Sequence[str], normal: str = "{name}", source: str = "") -> int:
    """Refuse rows that share the values of these staged columns (all of them said)."""
    keys = ", ".join(normal.format(name=f"s.{name}") + f" AS key_{at}" for at, name in enumerate(names))
    some = " AND ".join(f"s.{name} <> ''" for name in names)
    same = " AND ".join(normal.format(name=f"w.{name}") + f" = r.key_{at}" for at, name in enumerate(names))
    groups = ", ".join(str(at) for at in range(1, len(names) + 1))
    source = source or load.staging
    return load.execute(
        f"WITH r AS MATERIALIZED (SELECT {keys} FROM {source} s WHERE {some} GROUP BY {groups} HAVING count(*) > 1)"
        f" INSERT INTO ingest_errors SELECT w.line, w.item, '{names[-1]}', 'duplicate', left(w.{names[-1]}, 80)"
        f" FROM {source} w JOIN r ON {same}"
    )
