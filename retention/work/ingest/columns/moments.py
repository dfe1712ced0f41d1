"""Columns of time: instants, days, and birthdays whose year may be unknown."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from retention.work.ingest.columns.base import LAST_YEAR, Column


@dataclass(frozen=True)
class Instant(Column):
    """A date and time, ISO 8601; without a zone it is the shop's local time."""

    blank: str = "NULL"
    is_past: bool = False
    accepts: tuple[type, ...] = field(default=(dt.datetime, dt.date), kw_only=True)

    def is_safe(self, row: str) -> str | None:
        cell = f"{row}.{self.name}"
        return f"({cell} ~ %(instant)s AND pg_input_is_valid({cell}, 'timestamptz'))"

    def checks(self, row: str) -> list[tuple[str, str]]:
        found = [
            ("not_a_time", f"NOT {self.is_safe(row)}"),
            ("out_of_range", f"{row}.{self.name} < '1900' OR {row}.{self.name} >= '{LAST_YEAR}'"),
        ]
        if self.is_past:
            cell = f"{row}.{self.name}"
            found.append(("in_the_future", f"{cell} >= %(yesterday)s AND {cell}::timestamptz > %(tomorrow)s"))
        return found

    def value(self, row: str) -> str:
        return f"nullif({row}.{self.name}, '')::timestamptz"


@dataclass(frozen=True)
class Day(Column):
    """A date, ISO 8601."""

    blank: str = "NULL"
    accepts: tuple[type, ...] = field(default=(dt.date,), kw_only=True)

    def is_safe(self, row: str) -> str | None:
        cell = f"{row}.{self.name}"
        return rf"({cell} ~ '^\d{{4}}-\d{{2}}-\d{{2}}$' AND pg_input_is_valid({cell}, 'date'))"

    def checks(self, row: str) -> list[tuple[str, str]]:
        return [
            ("not_a_date", f"NOT {self.is_safe(row)}"),
            ("out_of_range", f"{row}.{self.name} < '1900' OR {row}.{self.name} >= '{LAST_YEAR}'"),
        ]

    def value(self, row: str) -> str:
        return f"nullif({row}.{self.name}, '')::date"


@dataclass(frozen=True)
class Birthday(Column):
    """`1990-05-17`, or `05-17` where the year is not known; three columns of the table."""

    blank: str = "NULL"
    accepts: tuple[type, ...] = field(default=(dt.date,), kw_only=True)

    def checks(self, row: str) -> list[tuple[str, str]]:
        cell = f"{row}.{self.name}"
        day = f"CASE WHEN length({cell}) = 10 THEN {cell} ELSE '2000-' || right({cell}, 5) END"
        return [
            (
                "not_a_birthday",
                f"NOT {self.is_safe(row)} OR NOT pg_input_is_valid({day}, 'date')",
            ),
            ("out_of_range", f"length({cell}) = 10 AND ({cell} < '1880' OR {cell} > %(today)s)"),
        ]

    def is_safe(self, row: str) -> str | None:
        return rf"{row}.{self.name} ~ '^(\d\d\d\d-|--)?\d\d-\d\d$'"

    def values(self, row: str) -> dict[str, str]:
        cell = f"{row}.{self.name}"
        return {
            "birth_year": f"CASE WHEN length({cell}) = 10 THEN left({cell}, 4)::smallint END",
            "birth_month": f"nullif(left(right({cell}, 5), 2), '')::smallint",
            "birth_day": f"nullif(right({cell}, 2), '')::smallint",
        }
