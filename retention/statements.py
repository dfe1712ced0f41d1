"""Statements of the hot paths: planned once a connection, and sent without quoting what goes with them."""

import threading
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from psycopg.adapt import Dumper


class _Number(Dumper):
    """A whole number whose type the statement decides: one plan serves small ones, large ones and NULL."""

    def dump(self, obj: int) -> bytes:
        return b"%d" % obj


class _Cursor(psycopg.Cursor):
    """Parameters are bound by PostgreSQL, and a statement is prepared when a connection first meets it."""

    def __init__(self, to: psycopg.Connection) -> None:
        to.prepare_threshold = 0
        super().__init__(to)
        self.adapters.register_dumper(int, _Number)

    def execute(self, query: str, params: Sequence[Any] | None = None) -> "_Cursor":  # type: ignore[override]
        return super().execute(query, params, binary=True)


class _Kept(threading.local):
    """Each thread's cursors, one for a statement: how its values are written and read is found out only once."""

    def __init__(self) -> None:
        self.connection: psycopg.Connection | None = None
        self.cursors: dict[str, _Cursor] = {}


_kept = _Kept()


def fetch_row(statement: str, parameters: Sequence[Any]) -> tuple[Any, ...]:
    """The first row of a statement with `%s` for its parameters, by one round trip.

    For few, fixed texts: each stays prepared on every connection.
    """
    return _executed(statement, parameters).fetchone()


def read_row(statement: str, parameters: Sequence[Any]) -> tuple[Any, ...]:
    """The same for a statement that only reads, without asking first whether the connection is still there.

    A read may be sent twice. So where the connection was lost since the last request, it is made anew and asked again,
    and every other request is spared the round trip of Django's check.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    was_checked, connection.health_check_done = connection.health_check_done, True  # type: ignore[attr-defined]
    try:
        return _executed(statement, parameters).fetchone()
    except (OperationalError, InterfaceError):
        if was_checked or connection.in_atomic_block or connection.is_usable():
            raise
        connection.close()
        return _executed(statement, parameters).fetchone()


def array(values: Iterable[Any]) -> str:
    """Numbers, truths, None and plain words (no quotes, commas or braces in them) as PostgreSQL reads an array."""
    return "{" + ",".join([str(value) if type(value) is int else _ITEMS.get(value, value) for value in values]) + "}"


_ITEMS: dict[Any, str] = {None: "NULL", "": '""', True: "t", False: "f"}


def _executed(statement: str, parameters: Sequence[Any]) -> _Cursor:
    # Looked up once: `django.db.connection` finds this thread's connection anew at every touch.
    connection = connections[DEFAULT_DB_ALIAS]
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    if _kept.connection is not connection.connection:
        _kept.connection, _kept.cursors = connection.connection, {}
    cursor = _kept.cursors.get(statement)
    if cursor is None:
        cursor = _kept.cursors[statement] = _Cursor(connection.connection)
    watched = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    watched(cursor).execute(statement, parameters)  # type: ignore[arg-type]
    return cursor
