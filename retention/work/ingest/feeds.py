"""Feeds: what one file says about one or more kinds of fact, and the load that brings all of them in or none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, BinaryIO

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from psycopg import sql

from retention import registries
from retention.actors import Actor
from retention.work.ingest.files import BadFile, foreign_names, open_rows
from retention.work.ingest.load import RowError
from retention.work.ingest.run import IngestResult, ingest
from retention.work.ingest.staging import BadRow, Records, Sheet

#: A row of a file by its columns' names.
Cells = Mapping[str, str]
#: Rows that belong together, each with its line.
Group = Sequence[tuple[int, Cells]]


@dataclass(frozen=True)
class Feed:
    """What a file says about one kind.

    Attributes:
        kind: key of `registries.ingests`.
        lay: makes our rows, each under the line of the file that it comes from, out of the file's.
        names: our column → the file's, for what is told of errors.
        only_new: our column that names a row; rows whose name is known already, or was there before, are left out.
    """

    kind: str
    lay: Callable[[Sheet], Sheet | Records]
    names: Mapping[str, str] = field(default_factory=dict)
    only_new: str = ""


def per_row(kind: str, rule: Callable[[Cells], Iterable[Cells]], names: Mapping[str, str]) -> Feed:
    """A feed by a pure function of one row to our rows; a blank cell says nothing, so that no stored value goes."""

    def rule_of_group(group: Group) -> Iterator[tuple[int, Cells]]:
        return ((line, row) for line, cells in group for row in rule(cells))

    return Feed(kind, lambda sheet: Records(_told(sheet, ((row,) for row in _by_name(sheet)), rule_of_group)), names)


def per_group(
    kind: str,
    key: str,
    rule: Callable[[Group], Iterable[tuple[int, Cells]]],
    names: Mapping[str, str],
    only_new: str = "",
) -> Feed:
    """A feed by a pure function of neighbouring rows that have the same `key`, such as the lines of one order."""

    def lay(sheet: Sheet) -> Records:
        groups = (tuple(rows) for _key, rows in groupby(_by_name(sheet), key=lambda row: row[1].get(key)))
        return Records(_told(sheet, groups, rule))

    return Feed(kind, lay, names, only_new)


def _by_name(sheet: Sheet) -> Iterator[tuple[int, Cells]]:
    return ((line, dict(zip(sheet.columns, cells, strict=True))) for line, cells in sheet.lines)


def _told(
    sheet: Sheet, groups: Iterable[Group], rule: Callable[[Group], Iterable[tuple[int, Cells]]]
) -> Iterator[tuple[int, Any]]:
    for group in groups:
        for line, cells in rule(group):
            yield line, {name: text for name, text in cells.items() if text}
    for bad in sheet.bad:
        yield bad.line, bad


@dataclass(frozen=True)
class Brought:
    """What became of one kind's rows."""

    kind: str
    result: IngestResult

    @property
    def label(self) -> Any:
        return registries.ingests[self.kind].label

    @property
    def figures(self) -> dict[str, Any]:
        done = self.result
        counts = {"new": done.new, "changed": done.changed, "unchanged": done.unchanged, "refused": done.refused_rows}
        return {"kind": self.kind, **counts}


class _RollBack(Exception):
    """Undoes every kind's rows."""


def bring(
    feeds: Sequence[Feed],
    file: BinaryIO,
    *,
    now: dt.datetime,
    by: Actor,
    good_only: bool = False,
    dry_run: bool = False,
    samples: int = 0,
    progress: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    refusing: Callable[[RowError], None] | None = None,
) -> list[Brought]:
    """Bring in what a file says, kind after kind in one transaction; the file is read once for each.

    With `dry_run` or `good_only` a line that one kind refuses is not asked for the next kind. Otherwise the first kind
    with an error ends it, and nothing is written. See `ingest` for the rest.

    Raises:
        BadFile, NoShop, Cancelled
    """
    done: list[Brought] = []
    bad: set[int] = set()
    is_partial = good_only or dry_run
    with suppress(_RollBack), transaction.atomic():
        for feed in feeds:
            file.seek(0)

            def refuse(error: RowError, feed: Feed = feed) -> None:
                bad.add(error.line)
                if refusing is not None:
                    refusing(_named(error, feed))

            result = ingest(
                feed.kind,
                _laid(feed, file, bad),
                now=now,
                by=by,
                good_only=is_partial,
                samples=samples,
                progress=progress,
                cancelled=cancelled,
                refusing=refuse,
            )
            refused = tuple(_named(error, feed) for error in result.refused)
            is_written = result.is_written and not dry_run
            done.append(Brought(feed.kind, replace(result, refused=refused, is_written=is_written)))
            if not (result.is_written or is_partial):
                break
        if dry_run or (bad and not good_only):
            raise _RollBack
    if bad and not is_partial:
        done = [replace(one, result=_undone(one.result)) for one in done]
    return done


def _undone(result: IngestResult) -> IngestResult:
    return replace(result, new=0, changed=0, unchanged=0, is_written=False)


def _named(error: RowError, feed: Feed) -> RowError:
    return replace(error, column=feed.names.get(error.column, error.column))


def _laid(feed: Feed, file: BinaryIO, bad: set[int]) -> Sheet | Records:
    """The file's rows as ours, but those that an earlier kind has refused."""
    source = open_rows(file, foreign_names)
    if not isinstance(source, Sheet):
        raise BadFile(reason=_("it has no columns to choose from."))
    laid = feed.lay(source)
    if bad:
        refused = frozenset(bad)
        laid.lines = (row for row in laid.lines if row[0] not in refused)
    if feed.only_new:
        laid.lines = _only_new(laid.lines, feed)
    return laid


def _only_new(lines: Iterable[tuple[int, Any]], feed: Feed) -> Iterator[tuple[int, Any]]:
    """Rows whose name nobody has yet, the first of each name; what is known is asked before the first is read."""
    table = getattr(registries.ingests[feed.kind], "table", "")
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT {} FROM {}").format(sql.Identifier(feed.only_new), sql.Identifier(table)))
        known = {name for (name,) in cursor.fetchall()}

    def first_of_each() -> Iterator[tuple[int, Any]]:
        for line, row in lines:
            name = "" if isinstance(row, BadRow) else row.get(feed.only_new, "").strip()
            if name not in known:
                # Rows without a name are all told, to be refused.
                known.update({name} - {""})
                yield line, row

    return first_of_each()
