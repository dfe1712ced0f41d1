"""Layouts: which column of a foreign file is which of ours, and how it writes dates, amounts and choices.

A layout is stored as JSON: `columns` {the file's column: ours}, `constants` {ours: text}, `words` {ours: {the file's
word: ours}}, `dates` and `has_decimal_comma`. Columns of a kind's companion are named with it: `consents.event`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from retention import registries
from retention.work.ingest.columns import Birthday, Choice, Column, Day, Document, Instant, Money
from retention.work.ingest.feeds import Feed
from retention.work.ingest.files import BadFile
from retention.work.ingest.staging import Sheet

#: In which order a date's numbers stand; ISO 8601 where nothing is said.
DATES = {
    "": _("2026-05-17 14:30 (year first)"),
    "day": _("17.05.2026 14:30 (day first)"),
    "month": _("05/17/2026 2:30 PM (month first)"),
}
_DATE = re.compile(
    r"(\d{1,4})[./-](\d{1,2})[./-](\d{1,4})"
    r"(?:[ T,]+(\d{1,2}):(\d\d)(?::(\d\d))?(?:\.\d+)?\s*(?:([AaPp])\.?[Mm]\.?)?)?\s*(Z|UTC|[+-]\d\d:?\d\d)?"
)
_DAY_OF_YEAR = re.compile(r"(\d{1,2})[./-](\d{1,2})\.?")
#: Two digits of a year up to this are of this century.
_THIS_CENTURY = 30
_AMOUNT = re.compile(r"[^\d.,'-]*(-?\d[\d.,'\s]*)[^\d.,'-]*")
_POINTED = re.compile(r"-?\d{1,3}(\.\d{3})+")
_GROUPED = re.compile(r"-?\d{1,3}([,' ]\d{3})+(\.\d*)?")

Convert = Callable[[str], str]


def columns_of(kind: str) -> list[Column]:
    """The columns of a kind that a file may fill."""
    cls: Any = registries.ingests[kind]
    return [column for column in cls.columns if column.name not in cls.hidden]


def names_of(kind: str) -> list[str]:
    """Our names that a file's columns may be given: of the kind, of documents' keys, and of the kind's companion."""
    cls = registries.ingests[kind]
    names = [name for column in columns_of(kind) for name in column.staged] + cls.more_columns()
    if cls.companion is not None:
        other, keys = cls.companion
        names += [f"{other}.{column.name}" for column in columns_of(other) if column.name not in keys]
    return names


def column_of(kind: str, name: str) -> tuple[str, Column]:
    """(kind, column) that a name stands for.

    Raises:
        KeyError: there is none.
    """
    head, dot, rest = name.partition(".")
    companion = registries.ingests[kind].companion
    if dot and companion is not None and head == companion[0]:
        return column_of(head, rest)
    for column in columns_of(kind):
        if name in column.staged or (dot and rest and head == column.name and isinstance(column, Document)):
            return kind, column
    raise KeyError(name)


def feeds_of(kind: str, layout: Mapping[str, Any]) -> tuple[Feed, ...]:
    """The feeds of a stored layout; `{"preset": key}` are those of a preset."""
    if "preset" in layout:
        return registries.presets[layout["preset"]].feeds
    sources = {ours: header for header, ours in layout.get("columns", {}).items()}
    constants = dict(layout.get("constants", {}))
    companion = registries.ingests[kind].companion
    if companion is None:
        return (_feed(kind, sources, constants, layout),)
    other, keys = companion
    start = f"{other}."
    theirs = {name.removeprefix(start): header for name, header in sources.items() if name.startswith(start)}
    fixed = {name.removeprefix(start): text for name, text in constants.items() if name.startswith(start)}
    mine = {name: header for name, header in sources.items() if not name.startswith(start)}
    first = _feed(kind, mine, {n: text for n, text in constants.items() if not n.startswith(start)}, layout)
    if not theirs and not fixed:
        return (first,)
    needed = tuple(theirs)
    theirs |= {key: mine[own] for key, own in keys.items() if own in mine}
    words = {name.removeprefix(start): of for name, of in layout.get("words", {}).items() if name.startswith(start)}
    return first, _feed(other, theirs, fixed, {**layout, "words": words}, needed)


def _feed(
    kind: str,
    sources: Mapping[str, str],
    constants: Mapping[str, str],
    layout: Mapping[str, Any],
    needed: Sequence[str] = (),
) -> Feed:
    """One kind's feed: cells picked, converted and filled up; a row in which all `needed` are blank says nothing."""
    converts = [converter(column_of(kind, name)[1], name, layout) for name in sources]
    tail = list(constants.values())

    def lay(sheet: Sheet) -> Sheet:
        places = {header: at for at, header in enumerate(sheet.columns)}
        missing = next((header for header in sources.values() if header not in places), None)
        if missing is not None:
            raise BadFile(reason=_("it has no column “%s”.") % missing)
        picks = [(places[header], convert) for header, convert in zip(sources.values(), converts, strict=True)]
        asked = [places[sources[name]] for name in needed]
        lines = (
            (line, [convert(cells[at]) for at, convert in picks] + tail)
            for line, cells in sheet.lines
            if not asked or any(cells[at].strip() for at in asked)
        )
        return Sheet([*sources, *constants], lines, sheet.bad)

    return Feed(kind, lay, dict(sources))


def converter(column: Column, name: str, layout: Mapping[str, Any]) -> Convert:
    """What makes a cell of the file one that the column reads; what it cannot read stays, to be refused by name."""
    if isinstance(column, (Instant, Day, Birthday)) and layout.get("dates"):
        is_day_first = layout["dates"] == "day"
        return lambda cell: date_text(bare(cell), is_day_first=is_day_first)
    if isinstance(column, Money) and not name.endswith("_minor"):
        has_comma = bool(layout.get("has_decimal_comma"))
        return lambda cell: amount_text(bare(cell), has_decimal_comma=has_comma)
    if isinstance(column, Choice) and (words := layout.get("words", {}).get(name)):
        return lambda cell: words.get(cell.strip().casefold(), cell)
    return bare


def bare(cell: str) -> str:
    """Without the apostrophe that exports put before a number or a formula, to keep spreadsheets from reading it."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in "+-=@0123456789" else cell


def date_text(cell: str, *, is_day_first: bool) -> str:
    """`17.05.2026 14:30` as `2026-05-17 14:30:00`, `17.05.` as `05-17`; anything else as it came."""
    text = cell.strip()
    if found := _DAY_OF_YEAR.fullmatch(text):
        first, second = int(found[1]), int(found[2])
        month, day = (second, first) if is_day_first else (first, second)
        return f"{month:02}-{day:02}"
    found = _DATE.fullmatch(text)
    if found is None or len(found[1]) == 4:
        return cell
    first, second, year = int(found[1]), int(found[2]), int(found[3])
    if len(found[3]) <= 2:
        year += 2000 if year < _THIS_CENTURY else 1900
    month, day = (second, first) if is_day_first else (first, second)
    date = f"{year:04}-{month:02}-{day:02}"
    if found[4] is None:
        return date
    hour = int(found[4])
    if found[7]:
        hour = hour % 12 + (12 if found[7] in "Pp" else 0)
    return f"{date} {hour:02}:{found[5]}:{found[6] or '00'}{(found[8] or '').replace('UTC', 'Z')}"


def amount_text(cell: str, *, has_decimal_comma: bool) -> str:
    """`€ 1.234,50` or `1,234.50 USD` as `1234.50`; anything else as it came."""
    found = _AMOUNT.fullmatch(cell.strip())
    if found is None:
        return cell
    digits = found[1].strip().replace("\N{NO-BREAK SPACE}", " ")
    # A workbook writes its numbers with a point in every country.
    if has_decimal_comma and ("," in digits or _POINTED.fullmatch(digits)):
        return digits.replace(".", "").replace(" ", "").replace("'", "").replace(",", ".")
    return re.sub(r"[,' ]", "", digits) if _GROUPED.fullmatch(digits) else digits
