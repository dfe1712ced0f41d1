"""`manage.py run_jobs`: every due job once, here and now, with a progress bar and a report; or what it would do."""

import datetime as dt
import json
import sys

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from retention import clock, registries
from retention.work import operations

COLUMNS = ("due", "touched", "granted", "queued", "sent")


def _width() -> int:
    return max(map(len, registries.jobs.keys())) + 2


class Command(BaseCommand):
    help = (
        "Runs every due job once in the foreground and reports one line a job. "
        "Exit code 0: all went well; 1: a job failed; 2: the command was wrong."
    )

    def add_arguments(self, parser):
        parser.add_argument("--job", action="append", default=[], metavar="KEY", help="Only this one, due or not.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done; change nothing.")
        parser.add_argument("--at", metavar="TIME", help="With --dry-run: at this ISO time, such as 2026-11-24T09:00Z.")
        parser.add_argument("--json", action="store_true", help="One JSON object a line, on standard output.")

    def handle(self, *args, **options):
        if options["at"] and not options["dry_run"]:
            raise CommandError("--at goes with --dry-run: nothing can really be done at another time.", returncode=2)
        now = self._instant(options["at"]) if options["at"] else clock.now()
        failed = False
        if not options["json"]:
            names = "".join(f"{name:>9}" for name in COLUMNS)
            self.stdout.write(f"{'job':<{_width()}}{'outcome':<10}{names}{'seconds':>9}  skipped")
        try:
            for report in self._reports(now, options):
                failed |= report.outcome in ("failed", "busy")
                self.stdout.write(self._as_json(report) if options["json"] else self._as_line(report))
        except operations.NoSuchJob as refused:
            raise CommandError(str(refused), returncode=2) from None
        if failed:
            raise SystemExit(1)

    def _instant(self, text):
        try:
            at = dt.datetime.fromisoformat(text)
        except ValueError:
            raise CommandError(f"{text!r} is not an ISO time such as 2026-11-24T09:00Z.", returncode=2) from None
        return at if at.tzinfo else at.replace(tzinfo=dt.UTC)

    def _reports(self, now, options):
        if options["dry_run"]:
            yield from operations.preview_due(now=now, keys=options["job"])
            return
        # Only people watch a bar: in a file each of its steps would be a line.
        bar = tqdm(disable=True if options["verbosity"] == 0 else None, file=sys.stderr, leave=False, unit="")

        def progress(key, done, total):
            bar.set_description(key, refresh=False)
            bar.total, bar.n = max(total, done), done
            bar.refresh()

        try:
            for report in operations.run_due(now=now, keys=options["job"], progress=progress, clock=clock.now):
                bar.clear()
                yield report
        finally:
            bar.close()

    def _as_line(self, report):
        figures = report.figures
        line = f"{report.key:<{_width()}}{report.outcome:<10}"
        line += "".join(f"{figures.get(name, ''):>9}" for name in COLUMNS) + f"{figures.get('seconds', ''):>9}  "
        line += ", ".join(f"{reason} {count}" for reason, count in sorted((figures.get("skipped") or {}).items()))
        return f"{line}{report.error}".rstrip()

    def _as_json(self, report):
        return json.dumps(
            {"job": report.key, "outcome": report.outcome, "error": report.error, **report.figures}, default=str
        )
