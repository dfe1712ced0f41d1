"""How lists become PostgreSQL's arrays: plain values of one kind as a whole, everything else as psycopg has it.

Statements over thousands of rows carry their columns as lists. psycopg writes such a list item by item, in Python;
where all items are numbers, words, truths or instants, a few calls that run in C write it several times as fast.
"""

import datetime as dt
from collections.abc import Callable
from types import NoneType
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.types.array import ListDumper


def install() -> None:
    """For every connection that is opened from now on."""
    psycopg.adapters.register_dumper(list, _ListDumper)


class _ListDumper(ListDumper):
    def dump(self, obj: list[Any]) -> Buffer | None:
        kinds = set(map(type, obj))
        kinds.discard(NoneType)
        write = _WRITERS.get(kinds.pop()) if len(kinds) == 1 else None
        return super().dump(obj) if write is None else b"{%b}" % write(obj).encode()


def _bare(items: list[int | bool | None]) -> str:
    return ",".join(map(str, items)).replace("None", "NULL")


def _instants(items: list[dt.datetime | None]) -> str:
    return ",".join(["NULL" if item is None else f'"{item}"' for item in items])


def _words(items: list[str | None]) -> str:
    return ",".join(["NULL" if item is None else f'"{_escaped(item)}"' for item in items])


def _escaped(item: str) -> str:
    return item.replace("\\", "\\\\").replace('"', '\\"')


_WRITERS: dict[type, Callable[[list[Any]], str]] = {
    int: _bare,
    bool: _bare,
    dt.datetime: _instants,
    str: _words,
}
