"""Imports in the background: started at a door, run by a worker under a lease, cancelled, found again when lost."""

import csv
import datetime as dt
import io
import os
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, cast

from django.core.files import File
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from retention import registries
from retention.actors import Actor
from retention.refusals import Refused
from retention.work.bell import ring_on_commit
from retention.work.ingest import Cancelled, RowError, ingest
from retention.work.ingest.feeds import Brought, bring
from retention.work.ingest.files import harmless, open_rows
from retention.work.ingest.layouts import feeds_of
from retention.work.models import Import

#: A single statement of a large import takes minutes; a dead worker's import waits no longer than this.
LEASE = "15 minutes"
ATTEMPTS = 3
TASK = "work.run_import"
#: How long a file waits to be looked at.
KEPT_PREPARED = dt.timedelta(days=1)
#: How long the files of an ended import may be looked at.
KEPT_ENDED = dt.timedelta(days=30)


class NothingToCancel(Refused):
    code = "work.nothing_to_cancel"
    sentence = _("This import has ended already.")


class AlreadyStarted(Refused):
    code = "work.already_started"
    sentence = _("This import has been started already.")


class TakenOver(Exception):
    """Another worker has this import now; everything done here is undone."""


def prepare_import(
    *,
    kind: str,
    file: BinaryIO,
    file_name: str,
    size: int,
    layout: Mapping[str, Any] | None = None,
    source: str = "",
    now: dt.datetime,
    by: Actor,
) -> Import:
    """Keep the file, to be looked at and then brought in or forgotten.

    Raises:
        UnknownKey: there is no such kind.
    """
    registries.ingests[kind]
    row = Import(
        kind=kind,
        source=source[:80],
        layout=layout or {},
        state=Import.State.PREPARED,
        file_name=os.path.basename(file_name)[:200],
        bytes_total=size,
        by_id=by.staff_id,
        created_at=now,
    )
    row.file.save(f"{kind}.upload", File(file), save=False)
    row.save(force_insert=True)
    return row


def choose_columns(*, import_id: int, layout: Mapping[str, Any], source: str) -> None:
    """Say how a prepared file is to be read.

    Raises:
        AlreadyStarted
    """
    prepared = Import.objects.filter(pk=import_id, state=Import.State.PREPARED)
    if not prepared.update(layout=layout, source=source[:80]):
        raise AlreadyStarted()


def start_import(*, import_id: int, good_only: bool) -> None:
    """Put a prepared import in line and ring for a worker; without one the next tick finds it.

    Raises:
        AlreadyStarted
    """
    prepared = Import.objects.filter(pk=import_id, state=Import.State.PREPARED)
    if not prepared.update(state=Import.State.WAITING, good_only=good_only):
        raise AlreadyStarted()
    ring_on_commit(TASK, (import_id,), "bulk")


def bring_file(row: Import, file: BinaryIO, **options: Any) -> list[Brought]:
    """Bring a kept file in by its own columns or by the layout chosen for it; `options` are those of `ingest`."""
    if row.layout:
        return bring(feeds_of(row.kind, row.layout), file, **options)
    file.seek(0)
    return [Brought(row.kind, ingest(row.kind, open_rows(file), **options))]


def forget_files(*, now: dt.datetime) -> int:
    """Throw away files that nobody brought in within a day, and those of imports that ended a month ago; how many.

    They hold people's data, and what was to be kept of them is in the tables.
    """
    left = Import.objects.filter(state=Import.State.PREPARED, created_at__lt=now - KEPT_PREPARED)
    ended = Import.objects.filter(ended_at__lt=now - KEPT_ENDED).exclude(file="", errors="")
    count = 0
    for row in (*left, *ended):
        row.file.delete(save=False)
        row.errors.delete(save=False)
        count += 1
    left.delete()
    ended.update(file="", errors="")
    return count


def cancel_import(*, import_id: int, now: dt.datetime) -> None:
    """Ask the worker to stop; an import that waits ends at once.

    Raises:
        NothingToCancel
    """
    waiting = Import.objects.filter(pk=import_id, state=Import.State.WAITING)
    if waiting.update(state=Import.State.CANCELLED, ended_at=now):
        return
    if not Import.objects.filter(pk=import_id, state=Import.State.RUNNING).update(is_cancelling=True):
        raise NothingToCancel()


def due_imports() -> list[int]:
    """Imports that wait, and those whose worker died."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM work_import WHERE state = 'waiting'"
            " OR state = 'running' AND lease_until < now() ORDER BY id"
        )
        return [pk for (pk,) in cursor.fetchall()]


def is_lost(*, import_id: int) -> bool:
    """Whether its worker has died and nobody has taken it up yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM work_import WHERE id = %s AND state = 'running' AND lease_until < now()", [import_id]
        )
        return cursor.fetchone() is not None


def run_import(*, import_id: int, now: dt.datetime) -> Import | None:
    """Run one import that is due; None where it is not, for somebody else has it or it has ended.

    The rows and the word that they are in are one transaction, so that a worker that dies leaves all or nothing.
    """
    attempt = _claim(import_id)
    if attempt is None:
        return None
    row = Import.objects.get(pk=import_id)
    if attempt > ATTEMPTS:
        return _end(row, attempt, now, Import.State.FAILED, error=str(_("Its worker died three times.")))
    by = Actor(f"staff:{row.by_id}", row.by_id) if row.by_id else Actor.job("work.imports")
    errors = _Errors()
    side = connection.copy()
    try:
        with row.file.open("rb") as file, transaction.atomic():
            hooks = _hooks(side, row.pk, attempt, file)
            done = bring_file(
                row, cast(BinaryIO, file), now=now, by=by, good_only=row.good_only, refusing=errors.add, **hooks
            )
            state = Import.State.DONE if all(one.result.is_written for one in done) else Import.State.FAILED
            return _end(row, attempt, now, state, done=done, errors=errors)
    except Cancelled:
        return _end(row, attempt, now, Import.State.CANCELLED)
    except TakenOver:
        return None
    except Refused as refused:
        return _end(row, attempt, now, Import.State.FAILED, error=str(refused))
    finally:
        side.close()


class _Errors:
    """Every error as a line of CSV, safe to open in a spreadsheet."""

    def __init__(self) -> None:
        self.text = io.StringIO(newline="")
        self.out = csv.writer(self.text)
        self.out.writerow(("line", "column", "code", "message"))
        self.count = 0

    def add(self, error: RowError) -> None:
        self.count += 1
        self.out.writerow((error.line, harmless(error.column), error.code, harmless(error.message)))


def _claim(import_id: int) -> int | None:
    """Take the import under a lease; which attempt this is."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE work_import SET state = 'running', lease_until = now() + %s::interval, rows_done = 0,"
            " bytes_done = 0, figures = jsonb_build_object('attempt', coalesce((figures ->> 'attempt')::int, 0) + 1)"
            " WHERE id = %s AND (state = 'waiting' OR state = 'running' AND lease_until < now())"
            " RETURNING (figures ->> 'attempt')::int",
            [LEASE, import_id],
        )
        found = cursor.fetchone()
    return found and found[0]


def _hooks(side: Any, import_id: int, attempt: int, file: Any) -> dict[str, Any]:
    """Progress and cancelling over a connection of their own: the load's own transaction is nobody's to see yet."""

    def progress(rows: int) -> None:
        with side.cursor() as cursor:
            cursor.execute(
                "UPDATE work_import SET rows_done = greatest(rows_done, %s), bytes_done = greatest(bytes_done, %s),"
                " lease_until = now() + %s::interval"
                " WHERE id = %s AND state = 'running' AND (figures ->> 'attempt')::int = %s",
                [rows, file.tell(), LEASE, import_id, attempt],
            )
            if not cursor.rowcount:
                raise TakenOver()

    def cancelled() -> bool:
        with side.cursor() as cursor:
            cursor.execute("SELECT is_cancelling FROM work_import WHERE id = %s", [import_id])
            found = cursor.fetchone()
        if found is None:
            raise TakenOver()
        return found[0]

    return {"progress": progress, "cancelled": cancelled}


def _end(
    row: Import,
    attempt: int,
    now: dt.datetime,
    state: str,
    *,
    done: Sequence[Brought] = (),
    errors: _Errors | None = None,
    error: str = "",
) -> Import:
    """Write the end of it, unless somebody else took the import over."""
    figures: dict[str, Any] = {"attempt": attempt}
    if done:
        kinds = [one.figures for one in done]
        figures |= {name: sum(each[name] for each in kinds) for name in ("new", "changed", "unchanged", "refused")}
        figures |= {"written": all(one.result.is_written for one in done), "kinds": kinds}
    if errors is not None and errors.count:
        row.errors.save(f"{row.kind}-errors-{row.pk}.csv", ContentFile(errors.text.getvalue().encode()), save=False)
    values = {"state": state, "ended_at": now, "figures": figures, "error": error, "errors": row.errors.name or ""}
    mine = Import.objects.filter(pk=row.pk, state=Import.State.RUNNING, figures__attempt=attempt)
    if not mine.update(**values, lease_until=None, bytes_done=row.bytes_total):
        raise TakenOver()
    row.refresh_from_db()
    return row
