"""Rows of any source on their way into the staging table: as lines of text COPY, as fast as they can be joined."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Any

from django.db import connection
from psycopg import sql

from retention.work.ingest.columns import Column, Document

#: Rows joined and handed over at a time.
BLOCK = 1_000
#: Rows between two looks at "was it cancelled?", for nobody can ask while a COPY runs.
STRETCH = 20_000
#: What no cell may hold; a line break and a tab only where the column says so.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
CONTROL_BUT_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
#: The apostrophe that keeps a spreadsheet from reading a cell as a formula (see `files.harmless`).
_DEFUSED = re.compile(r"^'(?='*[=+\-@\t\r])")
#: A row that says nothing about a column.
UNSAID = "\\N"


@dataclass(frozen=True)
class BadRow:
    """A row that could not even be read."""

    line: int
    code: str
    value: str


@dataclass
class Sheet:
    """Rows of one file: cells as text in the header's order, each with the line of the file it begins on.

    `bad` fills with the rows that are none, while the others are read.
    """

    columns: Sequence[str]
    lines: Iterable[tuple[int, Sequence[str]]]
    bad: list[BadRow] = field(default_factory=list)

    def __iter__(self) -> Iterator[Mapping[str, str]]:
        return (dict(zip(self.columns, cells, strict=True)) for _, cells in self.lines)


@dataclass
class Records:
    """Rows of one file as mappings (or `BadRow`), each with its line."""

    lines: Iterable[tuple[int, Any]]

    def __iter__(self) -> Iterator[Any]:
        return (row for _line, row in self.lines)


@dataclass(frozen=True)
class CellError:
    """Something wrong with a cell that the database never gets to see."""

    line: int
    item: int | None
    column: str
    code: str
    value: str = ""


@dataclass
class Stager:
    """Streams rows into one staging table.

    Attributes:
        table: has `line bigint, item integer` and a text column for each staged column.
        items: name of the nested list that becomes one staged row an item, or "".
        rows: how many rows came (nested ones count once).
        said: staged columns that at least one row said something about.
        errors: cells refused here.
    """

    table: str
    columns: Sequence[Column]
    items: str = ""
    hidden: frozenset[str] = frozenset()
    rows: int = 0
    said: set[str] = field(default_factory=set)
    errors: list[CellError] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.names = [name for column in self.columns for name in column.staged]
        self.by_name = {name: column for column in self.columns for name in column.staged}
        self.documents = {column.name for column in self.columns if isinstance(column, Document)}
        self.item_names = {
            column.item + name.removeprefix(column.name): name
            for column in self.columns
            if column.item is not None
            for name in column.staged
        }

    def unknown(self, names: Iterable[str]) -> list[str]:
        """Names that no column answers to."""
        return [name for name in names if name in self.hidden or not self._is_known(str(name))]

    def _is_known(self, name: str) -> bool:
        head, dot, key = name.partition(".")
        return name in self.by_name or bool(dot and key and head in self.documents) or bool(self.items == name != "")

    def stage(self, rows: Iterable[Mapping[str, Any]] | Sheet | Records, between: Callable[[int], None]) -> None:
        """COPY every row; `between(rows so far)` is called between stretches and may raise to stop."""
        if isinstance(rows, Sheet):
            self.bad = rows.bad
        if isinstance(rows, Sheet) and set(rows.columns) <= self.by_name.keys():
            self.said.update(rows.columns)
            source = iter(rows.lines)
            blocks: Iterator[str] = iter(lambda: self._sheet_block(rows, list(islice(source, BLOCK))), "")
            self._copy(rows.columns, blocks, between)
        else:
            self._copy(self.names, self._mapping_blocks(rows), between)

    def take_errors(self) -> list[CellError]:
        """What was refused since this was asked before; rows that are none count as rows from here on."""
        errors, self.errors = self.errors, []
        self.rows += len(self.bad)
        errors += [CellError(row.line, None, "", row.code, row.value) for row in self.bad]
        self.bad.clear()
        return errors

    def _copy(self, names: Sequence[str], blocks: Iterator[str], between: Callable[[int], None]) -> None:
        statement = sql.SQL("COPY {} (line, item, {}) FROM STDIN").format(
            sql.Identifier(self.table), sql.SQL(", ").join(map(sql.Identifier, names))
        )
        block = next(blocks, "")
        while block:
            until = self.rows + STRETCH
            with connection.cursor() as cursor, cursor.cursor.copy(statement) as copy:
                while block and self.rows < until:
                    copy.write(block.encode())
                    block = next(blocks, "")
                if block:
                    copy.write(block.encode())
            between(self.rows)
            block = next(blocks, "") if block else ""

    def _sheet_block(self, sheet: Sheet, rows: list[tuple[int, Sequence[str]]]) -> str:
        self.rows += len(rows)
        text = "".join([f"{line}\t\\N\t" + "\t".join(cells) + "\n" for line, cells in rows])
        # Nothing to escape and nothing to refuse: the usual case, told by three scans at memory speed.
        tabs = len(rows) * (len(sheet.columns) + 1)
        if text.count("\\") == len(rows) and text.count("\t") == tabs and text.count("\n") == len(rows):
            if "\t'" not in text and text.replace("\t", " ").replace("\n", " ").isprintable():
                return text
        return "".join(
            f"{line}\t\\N\t"
            + "\t".join(
                self._text(line, None, name, _DEFUSED.sub("", cell)).translate(_ESCAPES)
                for name, cell in zip(sheet.columns, cells, strict=True)
            )
            + "\n"
            for line, cells in rows
        )

    def _mapping_blocks(self, rows: Iterable[Mapping[str, Any]] | Sheet | Records) -> Iterator[str]:
        if isinstance(rows, Sheet):
            numbered: Iterator = (
                (line, dict(zip(rows.columns, (_DEFUSED.sub("", cell) for cell in cells), strict=True)))
                for line, cells in rows.lines
            )
        else:
            numbered = iter(rows.lines) if isinstance(rows, Records) else enumerate(rows, start=1)
        while block := list(islice(numbered, BLOCK)):
            self.rows += len(block)
            yield "".join(part for line, row in block for part in self._staged(line, row))

    def _staged(self, line: int, row: Any) -> Iterator[str]:
        """The staged lines of one row: one, or one for each nested item."""
        if not isinstance(row, Mapping):
            code, value = (row.code, row.value) if isinstance(row, BadRow) else ("not_an_object", "")
            self.errors.append(CellError(line, None, "", code, value))
            return
        cells = self._cells(line, None, row, {name: name for name in self.by_name if name not in self.hidden})
        if not self.items or self.items not in row:
            yield self._join(line, None, cells)
            return
        items = row[self.items]
        if not isinstance(items, (list, tuple)) or not items:
            self.errors.append(CellError(line, None, self.items, "not_a_list"))
            yield self._join(line, None, cells)
            return
        for at, item in enumerate(items):
            if not isinstance(item, Mapping):
                self.errors.append(CellError(line, at, self.items, "not_an_object"))
                item = {}
            own = self._cells(line, at, item, self.item_names)
            yield self._join(line, at, {**(cells if at == 0 else self._key(cells)), **own})

    def _key(self, cells: dict[str, str]) -> dict[str, str]:
        """What the second and later items of a row repeat: what names it."""
        return {"reference": cells["reference"]} if "reference" in cells else {}

    def _cells(self, line: int, item: int | None, row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, str]:
        cells: dict[str, str] = {}
        dotted: dict[str, dict[str, Any]] = {}
        for said, value in row.items():
            name = names.get(said)
            if name is not None:
                cells[name] = self._text(line, item, name, value)
                continue
            head, dot, key = str(said).partition(".")
            if dot and key and head in self.documents and item is None:
                if value not in ("", None):
                    dotted.setdefault(head, {})[key] = value
                else:
                    dotted.setdefault(head, {})
            elif item is not None or said != self.items:
                self.errors.append(CellError(line, item, _printable(str(said)[:80]), "unknown_column"))
        for head, document in dotted.items():
            cells[head] = self._text(line, item, head, document)
        self.said.update(cells)
        return cells

    def _join(self, line: int, item: int | None, cells: Mapping[str, str]) -> str:
        texts = [cells[name].translate(_ESCAPES) if name in cells else UNSAID for name in self.names]
        return f"{line}\t{UNSAID if item is None else item}\t" + "\t".join(texts) + "\n"

    def _text(self, line: int, item: int | None, name: str, value: Any) -> str:
        """A cell as staged text; what cannot be staged is refused here and goes in blank."""
        column = self.by_name[name]
        text = _as_text(value, column)
        if text is None:
            self.errors.append(CellError(line, item, name, "wrong_type", type(value).__name__))
            return ""
        if not text.isprintable():
            control = (CONTROL_BUT_LINES if column.is_multiline else CONTROL).search(text)
            if control:
                self.errors.append(CellError(line, item, name, "control_character", f"U+{ord(control[0]):04X}"))
                return ""
        return text


def _printable(text: str) -> str:
    """A name that nobody vouches for, as it can be shown and stored."""
    return text if text.isprintable() else CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def _as_text(value: Any, column: Column) -> str | None:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return ("true" if value else "false") if bool in column.accepts else None
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if not isinstance(value, column.accepts):
        return None
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, dt.date):
        return value.isoformat()
    # Keys of JSON may hold anything that text may not: what PostgreSQL refuses, the checks refuse.
    return json.dumps(value, default=_json_default, ensure_ascii=False)


def _json_default(value: Any) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)
