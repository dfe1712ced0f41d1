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
from retention.work.ingest import IngestResult, RowError, ingest
from retention.work.ingest.files import BadFile, open_rows
from retention.work.ingest.run import NoShop

#: Errors told on the screen; the file asked for with --errors has all of them.
SHOWN = 20


class Command(BaseCommand):
    help = "Bring facts in from a file: CSV, JSON lines or XLSX, plain or gzipped."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("kind", choices=sorted(registries.ingests.keys()))
        parser.add_argument("file", type=Path)
        parser.add_argument("--good-only", action="store_true", help="Import the good rows, report the others.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would happen; change nothing.")
        parser.add_argument("--errors", type=Path, help="Write every error to this CSV file.")
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")

    def handle(self, *, kind: str, file: Path, good_only: bool, dry_run: bool, errors: Path | None, **options) -> None:
        bar = _Bar(file, options["verbosity"] > 0)
        with ExitStack() as stack:
            refusing = None
            if errors is not None:
                out = csv.writer(stack.enter_context(errors.open("w", newline="", encoding="utf-8")))
                out.writerow(("line", "column", "code", "message"))

                def refusing(error: RowError) -> None:
                    out.writerow((error.line, error.column, error.code, error.message))

            try:
                source = stack.enter_context(file.open("rb"))
                bar.source = source
                result = ingest(
                    kind,
                    open_rows(source),
                    now=clock.now(),
                    by=Actor.command("ingest"),
                    good_only=good_only,
                    dry_run=dry_run,
                    progress=bar.show,
                    refusing=refusing,
                )
            except (OSError, BadFile, NoShop) as reason:
                raise CommandError(str(reason), returncode=2) from None
            finally:
                bar.close()
        self._report(result, dry_run, options["json"])
        if result.refused_rows:
            sys.exit(1)

    def _report(self, result: IngestResult, dry_run: bool, as_json: bool) -> None:
        figures = {
            "new": result.new,
            "changed": result.changed,
            "unchanged": result.unchanged,
            "refused": result.refused_rows,
            "written": result.is_written,
        }
        if as_json:
            refused = [
                {"line": e.line, "column": e.column, "code": e.code, "message": e.message} for e in result.refused
            ]
            self.stdout.write(json.dumps({**figures, "errors": refused}, ensure_ascii=False))
            return
        said = ", ".join(f"{count:,} {name}" for name, count in figures.items() if name != "written")
        if dry_run:
            end = "Nothing was written: this was a dry run."
        else:
            end = "Written." if result.is_written else "Nothing was written."
        self.stdout.write(f"{said}. {end}")
        for error in result.refused[:SHOWN]:
            self.stderr.write(f"line {error.line}, {error.column or 'row'}: {error.message} [{error.code}]")
        if len(result.refused) > SHOWN:
            self.stderr.write(f"… and more: {result.refused_rows:,} rows in all. --errors FILE keeps them.")


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
