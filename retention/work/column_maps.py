"""Column maps: saved under a source's name, found again by a file's columns, archived; and how a file is to be read."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, BinaryIO

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from retention import registries
from retention.actors import Actor
from retention.audit.operations import record
from retention.refusals import Refused
from retention.work.ingest.columns import Choice
from retention.work.ingest.files import BadFile, column_names, foreign_names, open_rows
from retention.work.ingest.guesses import CONSENT_WORDS, guess, guess_dates, guess_decimal_comma
from retention.work.ingest.layouts import DATES, column_of, names_of
from retention.work.ingest.staging import Sheet
from retention.work.models import ColumnMap

#: Rows that are read to show what is in a file.
PEEKED = 1_000
#: Different words of a column that people are asked about; more of them are no choice.
WORDS = 30


class UnknownOurColumn(Refused):
    code = "work.unknown_our_column"
    sentence = _("There is no column “%(name)s” for this kind of facts.")


class ColumnTwice(Refused):
    code = "work.column_twice"
    sentence = _("“%(name)s” is filled twice; leave one of its columns out.")


class NothingChosen(Refused):
    code = "work.nothing_chosen"
    sentence = _("No column of the file is used.")


class OfAnotherKind(Refused):
    code = "work.of_another_kind"
    sentence = _("“%(name)s” is kept for another kind of facts already; take another name.")


class NoSuchMap(Refused):
    code = "work.no_such_map"
    sentence = _("No columns are kept for %(kind)s under “%(name)s”, and no preset of %(kind)s is called so.")
    status = 404


@dataclass(frozen=True)
class Peek:
    """The beginning of a file.

    Attributes:
        headers: as the file has them; empty for JSON lines, whose names are ours.
        rows: the first cells of each row.
        is_ours: every column is one of ours by its own name.
    """

    headers: Sequence[str]
    rows: Sequence[Sequence[str]] = field(default=())
    is_ours: bool = False

    def values(self, at: int, limit: int) -> list[str]:
        """The first different values of a column that say something."""
        return list(islice(dict.fromkeys(cells[at].strip() for cells in self.rows if cells[at].strip()), limit))


def peek(file: BinaryIO, kind: str) -> Peek:
    """Look into an open file.

    Raises:
        BadFile
    """
    file.seek(0)
    sheet = open_rows(file, foreign_names)
    if not isinstance(sheet, Sheet):
        return Peek((), is_ours=True)
    rows = [cells for _line, cells in islice(sheet.lines, PEEKED)]
    return Peek(sheet.columns, rows, _is_ours(sheet.columns, kind))


def _is_ours(headers: Sequence[str], kind: str) -> bool:
    try:
        for name in column_names(headers):
            column_of(kind, name)
    except (BadFile, KeyError):
        return False
    return True


def known_layout(kind: str, headers: Sequence[str], file_name: str) -> tuple[str, dict[str, Any]] | None:
    """(name, layout) of the map that was kept for such files, else of the preset that they are of."""
    kept = ColumnMap.objects.filter(kind=kind, headers=sorted(headers), archived_at=None)
    if (chosen := kept.order_by("-saved_at").first()) is not None:
        return chosen.name, chosen.layout
    for preset in registries.presets:
        if preset.kind == kind and preset.fits(headers, file_name):
            return str(preset.label), {"preset": preset.key}
    return None


def layout_called(kind: str, name: str) -> dict[str, Any]:
    """The layout kept under a source's name, or that of the preset with this key.

    Raises:
        NoSuchMap
    """
    kept = ColumnMap.objects.filter(kind=kind, name=name, archived_at=None).first()
    if kept is not None:
        return kept.layout
    if name in registries.presets and registries.presets[name].kind == kind:
        return {"preset": name}
    raise NoSuchMap(kind=kind, name=name)


def guessed_layout(kind: str, seen: Peek) -> dict[str, Any]:
    """What the columns and words of an unknown file probably mean, and how it writes dates and amounts."""
    columns = guess(seen.headers, names_of(kind))
    cells = [cell for row in seen.rows for cell in row]
    return {
        "columns": columns,
        "words": guessed_words(kind, columns, seen),
        "dates": guess_dates(cells),
        "has_decimal_comma": guess_decimal_comma(cells),
    }


def guessed_words(kind: str, columns: Mapping[str, str], seen: Peek) -> dict[str, dict[str, str]]:
    """Our column → {the file's word: ours} for the words of choices that are known by another name."""
    found: dict[str, dict[str, str]] = {}
    for _header, name, words in words_asked(kind, columns, seen):
        _kind, column = column_of(kind, name)
        assert isinstance(column, Choice)
        choices = {choice: choice for choice in column.choices}
        known = {**(CONSENT_WORDS if "given" in choices else {}), **choices}
        found[name] = {word.casefold(): known[word.casefold()] for word in words if word.casefold() in known}
    return found


def words_asked(kind: str, columns: Mapping[str, str], seen: Peek) -> list[tuple[str, str, list[str]]]:
    """(the file's column, ours, its different words) for each column that is a choice among a few."""
    found = []
    for header, name in columns.items():
        if isinstance(column_of(kind, name)[1], Choice) and header in seen.headers:
            found.append((header, name, seen.values(list(seen.headers).index(header), WORDS)))
    return found


def checked_layout(kind: str, layout: Mapping[str, Any]) -> dict[str, Any]:
    """The layout with nothing but what belongs there.

    Raises:
        UnknownOurColumn, ColumnTwice, NothingChosen
    """
    columns = {str(header): str(ours) for header, ours in layout.get("columns", {}).items() if ours}
    constants = {
        str(ours): str(text).strip() for ours, text in layout.get("constants", {}).items() if str(text).strip()
    }
    known = set(names_of(kind))
    filled = [*columns.values(), *constants]
    for name in filled:
        if name not in known:
            raise UnknownOurColumn(name=name)
        if filled.count(name) > 1:
            raise ColumnTwice(name=name)
    if not columns:
        raise NothingChosen()
    words = {
        ours: {str(word).casefold(): str(choice) for word, choice in of.items() if choice}
        for ours, of in layout.get("words", {}).items()
        if ours in columns.values()
    }
    dates = layout.get("dates", "")
    return {
        "columns": columns,
        "constants": constants,
        "words": words,
        "dates": dates if dates in DATES else "",
        "has_decimal_comma": bool(layout.get("has_decimal_comma")),
    }


@transaction.atomic
def save_column_map(
    *, name: str, kind: str, headers: Sequence[str], layout: Mapping[str, Any], now: dt.datetime, by: Actor
) -> ColumnMap:
    """Keep a layout under its source's name; the same name again replaces what was kept.

    Raises:
        UnknownOurColumn, ColumnTwice, NothingChosen, OfAnotherKind
    """
    values = {"layout": checked_layout(kind, layout), "headers": sorted(headers)}
    kept = ColumnMap.objects.select_for_update().filter(name=name.strip()).first()
    if kept is not None and kept.kind != kind:
        raise OfAnotherKind(name=kept.name)
    before = {"layout": kept.layout, "headers": kept.headers} if kept else None
    if kept and before == values and kept.archived_at is None:
        return kept
    row, _is_new = ColumnMap.objects.update_or_create(
        name=name.strip(),
        defaults={**values, "kind": kind, "by_id": by.staff_id, "saved_at": now, "archived_at": None},
    )
    # Headers and columns name no person; constants are the shop's own words.
    record(verb="work.save_column_map", by=by, now=now, subject=row, before=before, after=values)
    return row


@transaction.atomic
def archive_column_map(*, column_map: ColumnMap, now: dt.datetime, by: Actor) -> None:
    """Choose it no more; its imports stay as they are."""
    if ColumnMap.objects.filter(pk=column_map.pk, archived_at=None).update(archived_at=now):
        record(verb="work.archive_column_map", by=by, now=now, subject=column_map)
