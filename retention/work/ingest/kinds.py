"""What one kind of bulk fact says about itself, and its steps from staging into its table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from retention.registries import IngestKind
from retention.work.ingest.columns import Column
from retention.work.ingest.load import Counts, Difference, Load


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
    #: SQL over the work row `w`: how people call it.
    naming: ClassVar[str] = "btrim(w.reference)"
    #: The order in which new rows are inserted, the same for everyone, so that two loads wait but never deadlock.
    order_by: ClassVar[str] = ""
    #: SQL over the stored row `c`: it is looked at even where a row says nothing new of it.
    always: ClassVar[str] = "false"
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
            repeated(load, cls.identity, "btrim({name})")

    @classmethod
    def fill(cls, load: Load) -> None:
        """Move the rows that say something new from staging into the work table, with the stored row's id."""
        staged = ", ".join(f"s.{name}" for column in cls.columns for name in column.staged)
        differs = " OR ".join(column.differs("s", "c") for column in cls.said(load))
        load.execute(
            f"INSERT INTO {load.work} SELECT s.line, s.item, {staged}, c.id IS NULL, c.id{cls.extra_values(load)}"
            f" FROM {load.staging} s LEFT JOIN {cls.table} c ON {cls.matching(load)}"
            f" WHERE c.id IS NULL OR {cls.always} OR {differs or 'false'}"
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
    def own_columns(cls) -> tuple[Column, ...]:
        """Those of the row itself, without its items'."""
        return tuple(column for column in cls.columns if column.item is None)

    @classmethod
    def kept_columns(cls) -> tuple[Column, ...]:
        """Own columns that are written as they are."""
        return tuple(column for column in cls.own_columns() if column.target != "-")

    @classmethod
    def said(cls, load: Load) -> list[Column]:
        """Kept columns of which any row said something."""
        return [column for column in cls.kept_columns() if load.said & set(column.staged)]

    @classmethod
    def fresh(cls, load: Load) -> dict[str, str]:
        """Table column → SQL of what a new row holds."""
        values: dict[str, str] = {}
        said = cls.said(load)
        for column in cls.kept_columns():
            values |= column.values("w") if column in said else column.blanks()
        return values | dict(cls.once)

    @classmethod
    def after(cls, load: Load) -> dict[str, str]:
        """Table column → SQL of what the stored row `c` will hold; a cell that is not said keeps its value."""
        return {
            target: f"CASE WHEN {column.said('w')} THEN {value} ELSE c.{target} END"
            for column in cls.said(load)
            for target, value in column.updates("w", "c").items()
        }

    @classmethod
    def insert(cls, load: Load) -> int:
        """Insert the new rows; one that somebody else inserted meanwhile becomes an update."""
        awaited = load.fetch(f"SELECT count(*) FROM {load.work} WHERE is_new")[0][0]
        if not awaited:
            return 0
        values = cls.fresh(load)
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
        """Update rows that were there, where they differ."""
        after = cls.after(load)
        if not after or not load.fetch(f"SELECT 1 FROM {load.work} WHERE NOT is_new LIMIT 1"):
            return 0
        # Locked by id first: two loads of the same rows in another order wait instead of deadlocking.
        load.execute(
            f"SELECT count(*) FROM (SELECT FROM {cls.table} WHERE id IN"
            f" (SELECT id FROM {load.work} WHERE NOT is_new) ORDER BY id FOR NO KEY UPDATE) AS locked"
        )
        return load.execute(cls.update_statement(load, after))

    @classmethod
    def update_statement(cls, load: Load, after: Mapping[str, str]) -> str:
        return (
            f"UPDATE {cls.table} c SET {', '.join(f'{t} = {v}' for t, v in after.items())}, xid = pg_current_xact_id()"
            f" FROM {load.work} w WHERE c.id = w.id AND NOT w.is_new"
            f" AND ({', '.join(f'c.{target}' for target in after)}) IS DISTINCT FROM ({', '.join(after.values())})"
        )

    @classmethod
    def rows(cls, load: Load) -> tuple[int, int]:
        """(How many things the rows name, how many of them are refused)."""
        return load.rows, load.bad_lines()

    @classmethod
    def compared(cls, load: Load) -> dict[str, tuple[str, str]]:
        """Name → (SQL before, SQL after) of what a preview compares, over the work row `w` and the stored row `c`."""
        return {target: (f"c.{target}", value) for target, value in cls.after(load).items()}

    @classmethod
    def differences(cls, load: Load, limit: int) -> list[Difference]:
        """What the first rows of the work would change; asked before anything is written."""
        compared = cls.compared(load)
        if not compared or not limit:
            return []
        pairs = ", ".join(f"to_jsonb({before}), to_jsonb({after})" for before, after in compared.values())
        before, after = (", ".join(pair[at] for pair in compared.values()) for at in (0, 1))
        rows = load.fetch(
            f"SELECT w.line, w.is_new, {cls.naming}, {pairs} FROM {load.work} w LEFT JOIN {cls.table} c ON c.id = w.id"
            f" WHERE w.is_new OR ROW({before}) IS DISTINCT FROM ROW({after}) ORDER BY w.line LIMIT %(limit)s",
            limit=limit,
        )
        found = []
        for line, is_new, name, *cells in rows:
            both = zip(compared, map(_read, cells[::2]), map(_read, cells[1::2]), strict=True)
            # Of a new row everything that it will hold and that is not blank.
            values = {n: (None if is_new else was, now) for n, was, now in both if (now if is_new else was != now)}
            found.append(Difference(line, is_new, values, name or ""))
        return found


def _read(cell: str | None) -> Any:
    return None if cell is None else json.loads(cell)


def repeated(load: Load, names: Sequence[str], normal: str) -> int:
    """Refuse rows that share the values of these staged columns (all of them said)."""
    keys = ", ".join(normal.format(name=f"s.{name}") + f" AS key_{at}" for at, name in enumerate(names))
    some = " AND ".join(f"s.{name} <> ''" for name in names)
    same = " AND ".join(normal.format(name=f"w.{name}") + f" = r.key_{at}" for at, name in enumerate(names))
    groups = ", ".join(str(at) for at in range(1, len(names) + 1))
    return load.execute(
        f"WITH r AS MATERIALIZED"
        f" (SELECT {keys} FROM {load.staging} s WHERE {some} GROUP BY {groups} HAVING count(*) > 1)"
        f" INSERT INTO ingest_errors SELECT w.line, w.item, '{names[-1]}', 'duplicate', left(w.{names[-1]}, 80)"
        f" FROM {load.staging} w JOIN r ON {same}"
    )
