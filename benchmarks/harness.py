"""What every benchmark shares: a throw-away database, fair alternation with the floor, and one line for the reader.

Importing it sets Django up, so a benchmark imports it first and runs as `python -m benchmarks.NAME`:

    with harness.database():
        harness.compare("codes", ours=generate, floor=copy_ready_codes, unit="codes")
"""

import datetime as dt
import gc
import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection, connections  # noqa: E402

RESULTS = Path(__file__).parent / "results"
#: One side of a comparison: does the work once and returns how many units it did.
Work = Callable[[], int]


@dataclass(frozen=True)
class Figures:
    """Units per second of one side over all rounds."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, rates: list[float]) -> "Figures":
        return cls(statistics.median(rates), min(rates), max(rates))

    def __str__(self) -> str:
        return f"{_short(self.median)}/s ({_short(self.lowest)}–{_short(self.highest)})"


@dataclass(frozen=True)
class Comparison:
    """Ours beside its floor; `ratio` is the median of ours ÷ floor, round by round, so 1 is as fast as the floor."""

    name: str
    unit: str
    units: int
    rounds: int
    ours: Figures
    floor: Figures
    ratio: float
    ratio_lowest: float
    ratio_highest: float


def size(full: int, *, least: int = 1_000) -> int:
    """How many units to measure with: `full`, times BENCH_SCALE (such as 0.1 for a quick look), at least `least`."""
    return max(least, int(full * float(os.environ.get("BENCH_SCALE", "1"))))


@contextmanager
def database(name: str = "bench") -> Iterator[str]:
    """A migrated database that is dropped at the end; DATABASE_URL names it meanwhile, for servers a benchmark starts.

    Yields that URL.
    """
    url = os.environ["DATABASE_URL"]
    original = settings.DATABASES["default"]["NAME"]
    test = connection.settings_dict["TEST"]
    test["NAME"] = f"{name}_{os.getpid()}"
    created = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {connection.ops.quote_name(created)} SET retention.may_truncate = 'on'")
        cursor.execute("SET retention.may_truncate = 'on'")
    os.environ["DATABASE_URL"] = urlunsplit(urlsplit(url)._replace(path=f"/{created}"))
    try:
        yield os.environ["DATABASE_URL"]
    finally:
        os.environ["DATABASE_URL"] = url
        connections.close_all()
        connection.creation.destroy_test_db(original, verbosity=0)


def empty(*tables: str) -> None:
    """Empty these tables and all that hang on them, between rounds."""
    names = ", ".join(connection.ops.quote_name(table) for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE")


@contextmanager
def filling(*tables: str) -> Iterator[None]:
    """Fill large tables in a fraction of the time: meanwhile without triggers, foreign keys and all indexes but few.

    What is put into them is the caller's to have right. Needs a role that may do so, as the embedded server's.
    """
    with connection.cursor() as cursor:
        cursor.execute(_INDEXES, [list(tables)])
        indexes = cursor.fetchall()
        for table, index, _definition, is_constraint in indexes:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {index}" if is_constraint else f"DROP INDEX {index}")
        cursor.execute("SET session_replication_role = replica")
        yield
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("SET maintenance_work_mem = '1GB'")
        for table, index, definition, is_constraint in indexes:
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {index} {definition}" if is_constraint else definition)
        cursor.execute("RESET maintenance_work_mem")


# Those of primary keys, and others that foreign keys rest on, stay.
_INDEXES = """
SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text,
       coalesce(pg_get_constraintdef(c.oid), pg_get_indexdef(i.indexrelid)), c.oid IS NOT NULL
FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype = 'u'
WHERE i.indrelid = ANY(%s::regclass[]) AND NOT i.indisprimary
  AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.conindid = i.indexrelid AND f.contype = 'f')
ORDER BY 1, 2
"""


def settle() -> None:
    """Leave no debt of one side to the other: write out dirty pages, refresh the planner's figures."""
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
        cursor.execute("ANALYZE")


def compare(
    name: str,
    ours: Work,
    floor: Work,
    *,
    rounds: int = 5,
    unit: str = "rows",
    prepare: Callable[[], None] | None = None,
    warm_up: bool = True,
    clock: Callable[[], float] = time.perf_counter,
) -> Comparison:
    """Run both sides in turn, swapping who goes first, print both and the ratio, and keep a line under `results/`.

    Args:
        prepare: called before every run of either side and not timed, for instance to empty tables.
        warm_up: run each side once before the rounds that count.
        clock: what times a run; `time.process_time` where all the work is this process's own, on one core.
    """
    rates: dict[str, list[float]] = {"ours": [], "floor": []}
    units = 0
    sides = {"ours": ours, "floor": floor}
    for turn in range(-1 if warm_up else 0, rounds):
        for side in ("ours", "floor") if turn % 2 else ("floor", "ours"):
            done, seconds = _timed(sides[side], prepare, clock)
            if turn >= 0:
                rates[side].append(done / seconds)
                units = done
    ratios = [mine / theirs for mine, theirs in zip(rates["ours"], rates["floor"], strict=True)]
    result = Comparison(
        name, unit, units, rounds, Figures.of(rates["ours"]), Figures.of(rates["floor"]),
        statistics.median(ratios), min(ratios), max(ratios),
    )  # fmt: skip
    report(result)
    return result


def report(result: Comparison) -> None:
    """Print one comparison and append it to `results/NAME.jsonl`; also for figures that a benchmark took itself."""
    print(f"{result.name}: {result.units:,} {result.unit} × {result.rounds} rounds")
    print(f"  ours   {result.ours}")
    print(f"  floor  {result.floor}")
    print(f"  ratio  {result.ratio:.2f} ({result.ratio_lowest:.2f}–{result.ratio_highest:.2f})", flush=True)
    line = {"at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), **asdict(result), **_machine()}
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / f"{result.name}.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def _timed(work: Work, prepare: Callable[[], None] | None, clock: Callable[[], float]) -> tuple[int, float]:
    if prepare is not None:
        prepare()
    gc.collect()
    start = clock()
    done = work()
    return done, clock() - start


def _machine() -> dict[str, str | int | None]:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (postgres,) = cursor.fetchone()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "postgres": postgres,
        "commit": commit.stdout.strip() or None,
    }


def _short(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:,.2f}"
