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


def written(items: list[Any]) -> str | None:
    """Such a list as PostgreSQL reads an array; None where its items are not plain values of one kind."""
    kinds = set(map(type, items))
    kinds.discard(NoneType)
    if not kinds:
        return f"{{{_bare(items)}}}"
    write = _WRITERS.get(kinds.pop()) if len(kinds) == 1 else None
    return f"{{{write(items)}}}" if write else None


class _ListDumper(ListDumper):
    def dump(self, obj: list[Any]) -> Buffer | None:
        text = written(obj)
        return super().dump(obj) if text is None else text.encode()


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
