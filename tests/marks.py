"""Waiting until what was written can be followed by its mark."""

from django.db import connection

from retention.marks import safe_mark
from tests.processes import wait_until


def settle() -> None:
    """Wait until no transaction is open that began before: another one on this server holds marks back.

    Even PostgreSQL's own upkeep is one, while it writes down what a table holds.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        mine = int(cursor.fetchone()[0])
    wait_until(lambda: safe_mark() > mine, what="older transactions of this server")
