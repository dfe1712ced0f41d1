"""How what went wrong is written down: with its trace, and without anybody's data."""

import logging
import re
import traceback
from typing import Any

import psycopg
from django.db import Error as DatabaseError

#: Whatever looks like an address, wherever it stands.
_ADDRESS = re.compile(r"[^\s\"'<>(){}=,;:]+@[^\s\"'<>(){}=,;]+")


class PlainFormatter(logging.Formatter):
    """One line a record, and the frames of a trace.

    A database's message quotes the row that it refused, so of its errors only the kind, its number and the name of
    the constraint are written. Addresses are blotted out everywhere.
    """

    def format(self, record: logging.LogRecord) -> str:
        return _ADDRESS.sub("…@…", super().format(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 (the library's name)
        trace = traceback.TracebackException(*ei)
        _without_values(trace, ei[1])
        return "".join(trace.format()).rstrip("\n")


def _told(error: BaseException) -> str:
    """A database error without the values it quotes."""
    about = error if isinstance(error, psycopg.Error) else error.__cause__
    if isinstance(about, psycopg.OperationalError | psycopg.InterfaceError) and about.sqlstate is None:
        return str(about)  # of a connection that could not be made or was lost: no row was in hand
    if not isinstance(about, psycopg.Error):
        return "(its words are left out: they may quote a row)"
    place = about.diag.constraint_name or about.diag.column_name or about.diag.table_name
    return " ".join(filter(None, (type(about).__name__, about.sqlstate, place)))


def _without_values(trace: traceback.TracebackException | None, error: BaseException | None) -> None:
    if trace is None or error is None:
        return
    if isinstance(error, DatabaseError | psycopg.Error):
        trace._str = _told(error)  # type: ignore[attr-defined]
    _without_values(trace.__cause__, error.__cause__)
    _without_values(trace.__context__, error.__context__)
