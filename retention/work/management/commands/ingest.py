"""`manage.py ingest KIND FILE`: facts from a file, streamed; exit code 0: all in, 1: some rows refused, 2: not read."""

import argparse
import csv
import json
import sys
from contextlib import ExitStack
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from retention import clock, registries
from retention.actors import Actor
from retention.work.bell import bell
from retention.work.column_maps import NoSuchMap, layout_called
from retention.work.ingest import RowError, ingest
from retention.work.ingest.feeds import Brought, bring
from retention.work.ingest.files import BadFile, open_rows
from retention.work.ingest.layouts import feeds_of
from retention.work.ingest.run import NoShop

#: Errors told on the screen; the file asked for with --errors has all of them.
SHOWN = 20


class Command(BaseCommand):
    help = "Bring facts in from a file: CSV, JSON lines or XLSX, plain or gzipped."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("kind", choices=sorted(registries.ingests.keys()))
        parser.add_argument("file", type=Path)
        parser.add_argument("--map", dest="source", help="Read it by the columns kept under this name, or by a preset.")
        parser.add_argument("--good-only", action="store_true", help="Import the good rows, report the others.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would happen; change nothing.")
        parser.add_argument("--errors", type=Path, help="Write every error to this CSV file.")
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")

    def handle(self, *, kind: str, file: Path, source: str | None, errors: Path | None, **options) -> None:
        bar = _Bar(file, options["verbosity"] > 0)
        with ExitStack() as stack:
            refusing = None
            if errors is not None:
                out = csv.writer(stack.enter_context(errors.open("w", newline="", encoding="utf-8")))
                out.writerow(("line", "column", "code", "message"))

                def refusing(error: RowError) -> None:
                    out.writerow((error.line, error.column, error.code, error.message))

            asked = {"now": clock.now(), "by": Actor.command("ingest"), "progress": bar.show, "refusing": refusing}
            asked |= {name: options[name] for name in ("good_only", "dry_run")}
            try:
                feeds = feeds_of(kind, layout_called(kind, source)) if source else ()
                bar.source = stack.enter_context(file.open("rb"))
                if feeds:
                    done = bring(feeds, bar.source, **asked)
                else:
                    done = [Brought(kind, ingest(kind, open_rows(bar.source), **asked))]
            except (OSError, BadFile, NoShop, NoSuchMap) as reason:
                raise CommandError(str(reason), returncode=2) from None
            finally:
                bar.close()
        self._report(done, **options)
        # Or this process would end with the bell's thread, and what the facts wake would wait for the tick.
        bell.wait()
        if any(one.result.refused_rows for one in done):
            sys.exit(1)

    def _report(self, done: list[Brought], *, dry_run: bool, **options) -> None:
        kinds = [one.figures for one in done]
        figures = {name: sum(each[name] for each in kinds) for name in ("new", "changed", "unchanged", "refused")}
        is_written = all(one.result.is_written for one in done)
        refused = [error for one in done for error in one.result.refused]
        if options["json"]:
            errors = [{"line": e.line, "column": e.column, "code": e.code, "message": e.message} for e in refused]
            by_kind = {"kinds": kinds} if len(kinds) > 1 else {}
            told = {**figures, "written": is_written, **by_kind, "errors": errors}
            self.stdout.write(json.dumps(told, ensure_ascii=False))
            return
        said = ", ".join(f"{count:,} {name}" for name, count in figures.items())
        if dry_run:
            end = "Nothing was written: this was a dry run."
        else:
            end = "Written." if is_written else "Nothing was written."
        self.stdout.write(f"{said}. {end}")
        for error in refused[:SHOWN]:
            self.stderr.write(f"line {error.line}, {error.column or 'row'}: {error.message} [{error.code}]")
        if len(refused) > SHOWN:
            self.stderr.write(f"… and more: {figures['refused']:,} rows in all. --errors FILE keeps them.")


class _Bar:
    """A bar on stderr where somebody watches it: share of the file read, and rows."""

    def __init__(self, file: Path, is_wanted: bool) -> None:
        self.size = file.stat().st_size if file.exists() else 0
        self.is_shown = is_wanted and sys.stderr.isatty()
        self.source = None

    def show(self, rows: int) -> None:
        if not self.is_shown or self.source is None:
            return
        share = min(1.0, self.source.tell() / self.size) if self.size else 1.0
        what = f"{rows:>11,} rows" + (", writing" if share == 1 else "")
        sys.stderr.write(f"\r[{'#' * int(share * 40):<40}] {share:4.0%} {what}")
        sys.stderr.flush()

    def close(self) -> None:
        if self.is_shown:
            sys.stderr.write("\n")
