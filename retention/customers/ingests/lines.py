"""What orders and returns share: a fact with lines, sent as one row with a list or as several rows of one reference."""

from collections.abc import Mapping
from typing import ClassVar

from retention.work.ingest.columns import Column
from retention.work.ingest.kinds import Kind
from retention.work.ingest.load import Load


class WithLines(Kind):
    """The work table holds one row a reference, a table of its own the lines; both know the first `line` of the fact.

    Subclasses state `is_bad` among their extras: a fact with one bad line is bad as a whole.
    """

    items = "lines"
    #: Staged columns of which a flat row must have one to be a line.
    line_keys: ClassVar[tuple[str, ...]] = ("sku",)
    #: Columns of the table of lines beside `line`, `item`, the cells, `is_new` and `whole` (its fact's line).
    line_extras: ClassVar[tuple[tuple[str, str], ...]] = ()

    @classmethod
    def lines(cls) -> str:
        """The session's table of lines."""
        return f"work_{cls.key}_lines"

    @classmethod
    def line_columns(cls) -> tuple[Column, ...]:
        return tuple(column for column in cls.columns if column.item is not None)

    @classmethod
    def rows(cls, load: Load) -> tuple[int, int]:
        """References, not rows; a row without one counts by itself."""
        return load.fetch(
            "WITH bad AS (SELECT DISTINCT line FROM ingest_errors), rows AS (SELECT"
            " coalesce(nullif(btrim(s.reference), ''), 'line ' || line) AS name, b.line IS NOT NULL AS is_bad"
            f" FROM {load.staging} s FULL JOIN bad b USING (line))"
            " SELECT count(DISTINCT name), count(DISTINCT name) FILTER (WHERE is_bad) FROM rows"
        )[0]

    @classmethod
    def find_repeated(cls, load: Load) -> None:
        """A fact may be there once; flat rows of one are its lines, and each of them must have one."""
        keys = [f"coalesce(s.{name}, '') <> ''" for name in cls.line_keys if name in load.said]
        is_line = f"s.item IS NULL AND ({' OR '.join(keys)})" if keys else "false"
        load.execute(
            "WITH r AS MATERIALIZED (SELECT btrim(s.reference) AS reference"
            f" FROM {load.staging} s WHERE s.reference <> '' GROUP BY 1"
            f" HAVING count(DISTINCT s.line) > 1 AND NOT bool_and({is_line}))"
            " INSERT INTO ingest_errors SELECT DISTINCT w.line, NULL::integer, 'reference', 'duplicate',"
            f" left(w.reference, 80) FROM {load.staging} w JOIN r ON r.reference = btrim(w.reference)"
        )
        load.execute(
            "INSERT INTO ingest_errors SELECT DISTINCT s.line, NULL::integer, 'reference', 'required', NULL"
            f" FROM {load.staging} s WHERE coalesce(btrim(s.reference), '') = ''"
        )

    @classmethod
    def fill_wholes(cls, load: Load, values: Mapping[str, str], joins: str) -> None:
        """One work row a reference, from the cells of all its rows; `values` (column → SQL) and joins are over `s`."""
        own = [name for column in cls.own_columns() for name in column.staged]
        whole = ", ".join(f"max(s.{n}) AS {n}" if n in load.said else f"NULL::text AS {n}" for n in own)
        load.execute(
            f"WITH s AS MATERIALIZED (SELECT min(s.line) AS line, {whole} FROM {load.staging} s"
            " WHERE s.reference <> '' GROUP BY btrim(s.reference))"
            f" INSERT INTO {load.work} (line, {', '.join(own)}, is_bad, {', '.join(values)})"
            f" SELECT s.line, {', '.join(f's.{n}' for n in own)}, false, {', '.join(values.values())} FROM s{joins}"
        )

    @classmethod
    def fill_lines(cls, load: Load, values: Mapping[str, str], joins: str = "") -> None:
        """The lines of the work rows `w`; `values` (column → SQL) and joins are over the staged row `s` and `w`."""
        table = cls.lines()
        cells = [name for column in cls.line_columns() for name in column.staged]
        if load.fetch(f"SELECT to_regclass('pg_temp.{table}') IS NULL")[0][0]:
            texts = "".join(f", {name} text" for name in cells)
            extras = "".join(f", {name} {kind}" for name, kind in cls.line_extras)
            load.execute(
                f"CREATE TEMP TABLE {table} (line bigint, item integer{texts}, is_new boolean, whole bigint{extras})"
                " ON COMMIT DELETE ROWS"
            )
        else:
            load.execute(f"DELETE FROM {table}")
        something = " OR ".join(f"s.{name} <> ''" for name in cells if name in load.said) or "false"
        load.execute(
            f"INSERT INTO {table} (line, item, {', '.join(cells)}, is_new, whole, {', '.join(values)})"
            f" SELECT s.line, s.item, {', '.join(f's.{name}' for name in cells)}, true, w.line,"
            f" {', '.join(values.values())} FROM {load.staging} s"
            f" JOIN {load.work} w ON btrim(w.reference) = btrim(s.reference){joins}"
            f" WHERE s.item IS NOT NULL OR {something}"
        )

    @classmethod
    def check_contradictions(cls, load: Load) -> None:
        """Flat rows of one fact must agree on it, or leave it to one of them."""
        names = [n for c in cls.own_columns() for n in c.staged if n in load.said and n != "reference"]
        if not names or not load.fetch(f"SELECT 1 FROM {cls.lines()} WHERE item IS NULL AND line <> whole LIMIT 1"):
            return
        cells = ", ".join(f"('{name}', s.{name}, w.{name})" for name in names)
        load.execute(
            "INSERT INTO ingest_errors SELECT s.line, NULL, e.column_name, 'contradicts', left(e.cell, 80)"
            f" FROM {load.staging} s JOIN {load.work} w ON btrim(w.reference) = btrim(s.reference)"
            f" CROSS JOIN LATERAL (VALUES {cells}) AS e(column_name, cell, whole)"
            " WHERE e.cell <> '' AND e.cell <> e.whole"
        )

    @classmethod
    def mark_bad(cls, load: Load) -> None:
        """Whatever has an error in one of its rows is bad."""
        load.execute(
            f"UPDATE {load.work} w SET is_bad = true FROM ingest_errors e JOIN {load.staging} s ON s.line = e.line"
            " WHERE btrim(s.reference) = btrim(w.reference) AND NOT w.is_bad"
        )

    @classmethod
    def drop(cls, load: Load) -> None:
        load.execute(f"DELETE FROM {cls.lines()} l USING {load.work} w WHERE w.line = l.whole AND w.is_bad")
        load.execute(f"DELETE FROM {load.work} WHERE is_bad")
