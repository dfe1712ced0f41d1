"""Sets, not loops: COPY into staging tables, chunks by id range, and random text by the million."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from django.db import connection
from psycopg import sql


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence]) -> int:
    """Stream rows into a table by binary-safe text COPY; returns how many.

    The connection must be inside the caller's transaction; types are PostgreSQL's to check.
    """
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    count = 0
    with connection.cursor() as cursor, cursor.cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


@contextmanager
def staging(name: str, columns: Sequence[tuple[str, str]]) -> Iterator[str]:
    """A temporary table for one load, with a `line` number first; dropped at the end or with the transaction."""
    body = ", ".join(f"{connection.ops.quote_name(column)} {kind}" for column, kind in columns)
    table = f"staging_{name}"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{table}")
        cursor.execute(f"CREATE TEMP TABLE {table} (line bigint NOT NULL, {body}) ON COMMIT DROP")
    yield table
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{table}")


def chunks(low: int, high: int, size: int) -> Iterator[tuple[int, int]]:
    """Half-open id ranges [from, to) that cover low..high inclusive."""
    for start in range(low, high + 1, size):
        yield start, min(start + size, high + 1)


def batches(items: Iterable, size: int) -> Iterator[list]:
    batch: list = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
