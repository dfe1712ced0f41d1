"""`ingest` itself: one load from its rows to its result, in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from retention import clock, registries
from retention.actors import Actor
from retention.bulk import copy_rows
from retention.refusals import Refused
from retention.shop.models import Shop
from retention.work.ingest.columns import params
from retention.work.ingest.kinds import Kind
from retention.work.ingest.load import ERRORS_KEPT, Counts, Difference, Load, RowError
from retention.work.ingest.sentences import SENTENCES
from retention.work.ingest.staging import Records, Sheet, Stager
from retention.work.operations import facts_came

#: Below this many rows statistics cost more than the better plan saves.
WORTH_ANALYZING = 2_000


class Cancelled(Refused):
    code = "work.import_cancelled"
    sentence = _("The import was cancelled; nothing was written.")


class NoShop(Refused):
    code = "work.no_shop"
    sentence = _("Say first what shop this is: its zone and currency decide how facts are read.")


@dataclass(frozen=True)
class IngestResult:
    """What a load did, or with `dry_run` would do.

    Attributes:
        new, changed, unchanged: rows (orders and returns, not their lines).
        refused: what is wrong, by line; the first 10,000 of them.
        refused_rows: how many rows are refused.
        is_written: whether it is in the database now.
        samples: the first differences, where asked for.
    """

    new: int
    changed: int
    unchanged: int
    refused: tuple[RowError, ...]
    refused_rows: int = 0
    is_written: bool = False
    samples: tuple[Difference, ...] = ()

    def __bool__(self) -> bool:
        return not self.refused


class _RollBack(Exception):
    """Leaves the transaction with a result and no trace."""

    def __init__(self, result: IngestResult) -> None:
        self.result = result


def ingest(
    kind: str,
    rows: Iterable[Mapping[str, Any]] | Sheet | Records,
    *,
    now: dt.datetime,
    by: Actor,
    good_only: bool = False,
    dry_run: bool = False,
    samples: int = 0,
    progress: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    refusing: Callable[[RowError], None] | None = None,
    is_own: bool = False,
) -> IngestResult:
    """Bring rows of one kind in.

    Args:
        kind: key of `registries.ingests`.
        rows: mappings of column → value, streamed; they must not use this database connection while they are read.
        good_only: write the good rows and return the rest; otherwise one bad row stops all.
        dry_run: do everything, then undo it: the preview is what would happen.
        samples: how many differences to return.
        progress: called with the number of rows read so far.
        cancelled: asked now and then; a yes undoes everything.
        refusing: called with every error, for files with more of them than the result keeps.
        is_own: the rows come from one of our own operations and may fill hidden columns.

    Raises:
        UnknownKey: there is no such kind.
        NoShop: the installation does not know its shop yet.
        Cancelled: `cancelled` said yes.
    """
    cls = registries.ingests[kind]
    assert issubclass(cls, Kind)
    refused = _unknown_columns(cls, rows)
    if refused:
        return IngestResult(0, 0, 0, refused, refused_rows=len(refused))
    shop = Shop.objects.first()
    if shop is None:
        raise NoShop()
    load = Load(kind=cls, now=now, by=by, is_dry=dry_run, params=_params(shop, now))

    def between(rows_read: int) -> None:
        if cancelled is not None and cancelled():
            raise Cancelled()
        if progress is not None:
            progress(rows_read)

    try:
        with transaction.atomic(), _session(shop.time_zone):
            result = _run(load, rows, good_only, samples, between, refusing, is_own)
            if not result.is_written:
                raise _RollBack(result)
            return result
    except _RollBack as undone:
        return undone.result


def _params(shop: Shop, now: dt.datetime) -> dict[str, Any]:
    """What every statement may name."""
    return {
        **params(),
        "now": now,
        "tomorrow": now + dt.timedelta(days=1),
        "today": now.astimezone(clock.zone(shop.time_zone)).date().isoformat(),
        "yesterday": (now - dt.timedelta(days=1)).date().isoformat(),
        "base_currency": shop.currency,
        "shop_country": shop.country,
    }


def _unknown_columns(cls: type[Kind], rows: Any) -> tuple[RowError, ...]:
    if not isinstance(rows, Sheet):
        return ()
    stager = Stager("", cls.columns, cls.items, cls.hidden)
    return tuple(
        RowError(1, name, "unknown_column", str(SENTENCES["unknown_column"])) for name in stager.unknown(rows.columns)
    )


class _session:
    """Settings of the session while a load runs: the shop's zone for local times, and plans for big joins."""

    SETTINGS = ("timezone", "jit", "work_mem")

    def __init__(self, zone: str) -> None:
        self.wanted = (zone, "off", "64MB")

    def __enter__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT " + ", ".join(f"current_setting('{name}')" for name in self.SETTINGS))
            self.before = cursor.fetchone()
        self._set(self.wanted)

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        # A failed transaction takes its own settings with it.
        if kind is None:
            self._set(self.before)

    def _set(self, values: Iterable[str]) -> None:
        calls = ", ".join(f"set_config('{name}', %s, true)" for name in self.SETTINGS)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {calls}", list(values))


def _run(
    load: Load,
    rows: Any,
    good_only: bool,
    samples: int,
    between: Callable[[int], None],
    refusing: Callable[[RowError], None] | None,
    is_own: bool,
) -> IngestResult:
    cls = load.kind
    _make_tables(load)
    stager = Stager(load.staging, cls.columns, cls.items, frozenset() if is_own else cls.hidden)

    def after_a_stretch(rows_read: int) -> None:
        # A file that is wrong in every row takes no more memory than a good one.
        copy_rows(
            "ingest_errors",
            ("line", "item", "column_name", "code", "value"),
            ((e.line, e.item, e.column, e.code, e.value) for e in stager.take_errors()),
        )
        between(rows_read)

    stager.stage(rows, after_a_stretch)
    after_a_stretch(stager.rows)
    load.rows, load.said = stager.rows, stager.said
    if load.rows >= WORTH_ANALYZING:
        keys = ", ".join(sorted(load.said & {"reference", "email", *cls.identity}))
        load.execute(f"ANALYZE {load.staging} (line{', ' + keys if keys else ''})")
    for step in (cls.find_repeated, cls.fill, cls.prepare, cls.check):
        step(load)
        between(load.rows)
    is_bad = load.has_errors()
    if is_bad and not (good_only or load.is_dry):
        return _result(load, Counts(), is_written=False, refusing=refusing)
    if is_bad:
        cls.drop(load)
    if load.rows >= WORTH_ANALYZING:
        load.execute(f"ANALYZE {load.work} (line, is_new, id)")
    differences = tuple(cls.differences(load, samples))
    counts = cls.write(load)
    between(load.rows)
    # Some things come to light only while writing: somebody else took the email meanwhile.
    is_written = not load.is_dry and (good_only or not load.has_errors())
    if is_written and (counts.new or counts.changed):
        facts_came(cls.key)
    return _result(load, counts, is_written=is_written, refusing=refusing, samples=differences)


def _result(
    load: Load,
    counts: Counts,
    *,
    is_written: bool,
    refusing: Callable[[RowError], None] | None,
    samples: tuple[Difference, ...] = (),
) -> IngestResult:
    errors = load.errors(None if refusing else ERRORS_KEPT)
    if refusing is not None:
        for error in errors:
            refusing(error)
    rows, refused_rows = load.kind.rows(load)
    if not is_written and not load.is_dry:
        counts, rows = Counts(), refused_rows
    return IngestResult(
        new=counts.new,
        changed=counts.changed,
        unchanged=rows - refused_rows - counts.new - counts.changed,
        refused=tuple(errors[:ERRORS_KEPT]),
        refused_rows=refused_rows,
        is_written=is_written,
        samples=samples,
    )


def _make_tables(load: Load) -> None:
    """The session's own tables for this kind, made once a connection and empty again at every commit."""
    staged = ", ".join(f"{name} text" for column in load.kind.columns for name in column.staged)
    extras = "".join(f", {name} {kind}" for name, kind in load.kind.extras)
    head = "line bigint NOT NULL, item integer"
    tables = {
        load.staging: f"{head}, {staged}",
        load.work: f"{head}, {staged}, is_new boolean, id bigint{extras}",
        "ingest_errors": f"{head}, column_name text, code text, value text",
    }
    for name, body in tables.items():
        if load.fetch("SELECT to_regclass(%(name)s) IS NULL", name=f"pg_temp.{name}")[0][0]:
            load.execute(f"CREATE TEMP TABLE {name} ({body}) ON COMMIT DELETE ROWS")
        else:
            load.execute(f"DELETE FROM {name}")
