"""Lists arrive in PostgreSQL as they were, whatever is in them."""

import datetime as dt
import enum
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from psycopg.types.array import ListDumper
from psycopg.types.json import Jsonb

from retention.arrays import _ListDumper

pytestmark = pytest.mark.django_db

WORDS = [
    '"',
    "\\",
    '\\"',
    "{",
    "}",
    ",",
    "",
    " ",
    "NULL",
    "null",
    "None",
    "a'b",
    "$1",
    "%s",
    "\n\t",
    "ü 한 🎁",
    '{"a": "\\u0000"}',
]
INSTANT = dt.datetime(2026, 3, 29, 2, 30, 0, 5, tzinfo=dt.UTC)


class Word(enum.StrEnum):
    ONE = "one, two"


LISTS = {
    "bigint[]": [[], [None], [1, None, -(2**62)], [None, 0]],
    "boolean[]": [[True, None, False]],
    "text[]": [[None], WORDS, [*WORDS, None], [Word.ONE, "plain"], ["None", None]],
    "timestamptz[]": [[INSTANT, None], [INSTANT.astimezone(ZoneInfo("Asia/Kathmandu")), INSTANT]],
    "date[]": [[dt.date(2026, 2, 28), None]],
    "bigint[][]": [[[1, 2], [3, None]]],
}


def test_lists_arrive_as_they_were():
    with connection.cursor() as cursor:
        for kind, lists in LISTS.items():
            for items in lists:
                cursor.execute(f"SELECT %s::{kind}", [items])
                assert cursor.fetchone() == (items,), kind
        cursor.execute("SELECT %s::jsonb[]", [[Jsonb({"a": 'b"\\'})]])
        assert cursor.fetchone()[0] == ['{"a": "b\\"\\\\"}']


def test_they_are_written_in_one_go():
    """Every connection of the product has this writer, and it is asked in place of psycopg's for plain lists."""
    with connection.cursor() as cursor:
        adapters = cursor.cursor.adapters
        assert all(adapters.get_dumper(list, form) is _ListDumper for form in ("s", "t"))
    plain = _ListDumper(list)
    assert plain.dump(["a", None]) == b'{"a",NULL}'
    assert ListDumper(list).dump([1, None]) == plain.dump([1, None]) == b"{1,NULL}"
