"""Files of rows as streams: CSV, JSON lines and XLSX, plain or gzipped; told apart by what they begin with."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

import openpyxl
from django.utils.translation import gettext_lazy as _

from retention.refusals import Refused
from retention.work.ingest.staging import BadRow, Records, Sheet

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?[0-9][0-9 .,:/-]*")
Naming = Callable[[Sequence[str]], list[str]]
#: An unzipped workbook larger than this is not read: it could be a few kilobytes made to fill the memory.
MAX_WORKBOOK = 512 * 2**20


class BadFile(Refused):
    """The file as a whole cannot be read; nothing of it was."""

    code = "work.bad_file"
    sentence = _("The file cannot be read: %(reason)s")
    status = 422


def column_names(names: Sequence[str]) -> list[str]:
    """Column names as we know them: `Given name` is `given_name`.

    Raises:
        BadFile: there is none, one is nameless, or one is there twice.
    """
    columns = [name.strip() if "." in name else name.strip().lower().replace(" ", "_") for name in names]
    if not columns:
        raise BadFile(reason=_("it is empty."))
    if "" in columns:
        raise BadFile(reason=_("column %d has no name.") % (columns.index("") + 1))
    twice = next((name for at, name in enumerate(columns) if name in columns[:at]), None)
    if twice:
        raise BadFile(reason=_("column %s is there twice.") % twice[:60])
    return columns


def foreign_names(names: Sequence[str]) -> list[str]:
    """Column names as the file has them; a nameless one is called by its place, the second `Email` is `Email (2)`.

    Raises:
        BadFile: there is none.
    """
    if not names:
        raise BadFile(reason=_("it is empty."))
    seen: Counter[str] = Counter()
    columns = []
    for place, name in enumerate(names, start=1):
        name = " ".join(name.split())[:100] or f"Column {place}"
        seen[name] += 1
        columns.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return columns


def open_rows(file: BinaryIO, named: Naming = column_names) -> Sheet | Records:
    """The rows of an open file, streamed; the file must stay open while they are read.

    Args:
        named: makes the columns' names out of a table's first row.

    Raises:
        BadFile: now, or while the rows are read.
    """
    head = file.read(4)
    file.seek(0)
    if head.startswith(_ZIP):
        return _workbook(file, named)
    plain: Any = gzip.GzipFile(fileobj=file) if head.startswith(_GZIP) else file
    reader = io.BufferedReader(plain, 2**20) if isinstance(plain, gzip.GzipFile) else plain
    try:
        first = reader.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
        reader.seek(0)
    except (OSError, EOFError, zlib.error) as error:
        raise BadFile(reason=_("it is damaged.")) from error
    if b"\0" in first:
        raise BadFile(reason=_("it is not UTF-8."))
    text: Any = io.TextIOWrapper(_KeepOpen(reader), encoding="utf-8-sig", newline="")
    return _json_lines(text) if first.startswith(b"{") else _csv(text, named)


class _KeepOpen(io.RawIOBase):
    """Reads through without closing what it reads from: the door that opened the file closes it."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self.inner.read(len(buffer))
        except (OSError, EOFError, zlib.error) as error:
            raise BadFile(reason=_("it is damaged.")) from error
        buffer[: len(data)] = data
        return len(data)


def _csv(text: io.TextIOWrapper, named: Naming) -> Sheet:
    try:
        header = text.readline()
    except UnicodeDecodeError:
        raise BadFile(reason=_("it is not UTF-8.")) from None
    delimiter = max(",;\t", key=header.count)
    columns = named(next(csv.reader([header], delimiter=delimiter), []))
    sheet = Sheet(columns, [])
    sheet.lines = _csv_lines(text, delimiter, len(columns), sheet.bad)
    return sheet


def _csv_lines(text: Any, delimiter: str, width: int, bad: list[BadRow]) -> Iterator[tuple[int, Sequence[str]]]:
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    line = 2
    try:
        for cells in reader:
            if len(cells) == width:
                yield line, cells
            elif cells:
                bad.append(BadRow(line, "wrong_number_of_cells", f"{len(cells)}, {width}"))
            line = reader.line_num + 2
    except csv.Error:
        raise BadFile(reason=_("line %d is not CSV.") % line) from None
    except UnicodeDecodeError:
        raise BadFile(reason=_("it is not UTF-8 after line %d.") % line) from None


def _json_lines(text: Any) -> Records:
    return Records(_json_rows(text))


def _json_rows(text: Any) -> Iterator[tuple[int, Any]]:
    line = 0
    try:
        for line, content in enumerate(text, start=1):
            if not content.strip():
                continue
            try:
                yield line, json.loads(content, parse_constant=_no_constant)
            except (ValueError, RecursionError):
                yield line, BadRow(line, "not_json", "")
    except UnicodeDecodeError:
        raise BadFile(reason=_("it is not UTF-8 after line %d.") % line) from None


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _workbook(file: BinaryIO, named: Naming) -> Sheet:
    try:
        if sum(entry.file_size for entry in zipfile.ZipFile(file).infolist()) > MAX_WORKBOOK:
            raise BadFile(reason=_("the workbook is too large; save it as CSV."))
        file.seek(0)
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        rows = enumerate(book.worksheets[0].iter_rows(values_only=True), start=1)
        _line, header = next(rows, (1, ()))
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, IndexError) as error:
        raise BadFile(reason=_("it is not a workbook.")) from error
    names = list(header)
    while names and names[-1] is None:
        names.pop()
    columns = named(["" if name is None else str(name) for name in names])
    width = len(columns)
    return Sheet(
        columns,
        (
            (line, [cell_text(cell) for cell in (*cells, *[None] * width)[:width]])
            for line, cells in rows
            if any(cell is not None for cell in cells[:width])
        ),
    )


def cell_text(value: Any) -> str:
    """A spreadsheet's cell as the text that a CSV file would have."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(sep=" ", timespec="seconds")
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe before it, unless it is a number or a phone's.

    Reading a file takes the apostrophe away again, so that what went out comes back as it was.
    """
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def unpacked_size(file: BinaryIO) -> int | None:
    """How many bytes an open file has once it is unpacked; None where only unpacking would tell."""
    head = file.read(4)
    try:
        if head.startswith(_ZIP):
            return sum(entry.file_size for entry in zipfile.ZipFile(file).infolist())
        return None if head.startswith(_GZIP) else file.seek(0, io.SEEK_END)
    except zipfile.BadZipFile:
        return 0
    finally:
        file.seek(0)
