"""What every column is: its name, its checks, its value and its difference as SQL over staged text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from babel import Locale

from retention import clock, money
from retention.places import country_codes

#: Instants with a zone; without one they are the shop's local time (the load's session zone).
#: No stricter than keeps words like `tomorrow` out: PostgreSQL reads the rest, and what is exact here is paid by row.
INSTANT = r"^\d\d\d\d-\d\d-\d\d([T ]\d\d:\d\d[0-9:. Z+-]*)?$"
#: One pattern with bounded repetitions would be right too, and nine times slower (37 µs an address).
EMAIL = r"^[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@([a-z0-9-]+\.)+[a-z][a-z0-9-]*[a-z0-9]$"
BAD_DOMAIN = r"@(.*\.)?-|@.*-\."
LAST_YEAR = 2200


@cache
def params() -> dict[str, Any]:
    """What the checks below compare with."""
    english = Locale("en")
    by_digits: dict[int, list[str]] = {}
    for code in sorted(money.currency_codes()):
        by_digits.setdefault(money.digits(code), []).append(code)
    return {
        "zones": sorted(clock.zone_names()),
        "countries": sorted(country_codes()),
        "languages": sorted(code for code in map(str, english.languages) if "_" not in code),
        "currencies": sorted(money.currency_codes()),
        "currencies_of_0": by_digits.get(0, []),
        "currencies_of_3": by_digits.get(3, []),
        "currencies_of_4": by_digits.get(4, []),
        "instant": INSTANT,
        "email": EMAIL,
        "bad_domain": BAD_DOMAIN,
    }


def scale(currency: str) -> str:
    """SQL: how many minor units one major unit of the currency has."""
    return (
        f"CASE WHEN {currency} = ANY(%(currencies_of_0)s) THEN 1 WHEN {currency} = ANY(%(currencies_of_3)s) THEN 1000"
        f" WHEN {currency} = ANY(%(currencies_of_4)s) THEN 10000 ELSE 100 END"
    )


def major(minor: str, currency: str) -> str:
    """SQL: an amount in minor units as people write it, `12.30`."""
    units = scale(currency)
    digits = f"CASE {units} WHEN 1 THEN 0 WHEN 1000 THEN 3 WHEN 10000 THEN 4 ELSE 2 END"
    return f"round({minor}::numeric / {units}, {digits})"


@dataclass(frozen=True)
class Column:
    """One column of a file; this one is a single line of text.

    Attributes:
        name: in files, at the API and in staging.
        limit: longest text.
        required: must be there where the row makes something new.
        target: the table's column, where it has another name.
        is_null: blank is stored as NULL, not as an empty text.
        item: its name inside a nested list, where the row has one (`lines`); None: a column of the row itself.
        is_multiline: line breaks and tabs are welcome.
        blank: SQL of what is stored where a new row says nothing or a row says "blank".
    """

    name: str
    limit: int = 100
    required: bool = False
    target: str = ""
    is_null: bool = False
    item: str | None = None
    is_multiline: bool = False
    blank: str = "''"
    #: Python types that may be staged as they are; everything else but a number is of the wrong type.
    accepts: tuple[type, ...] = field(default=(), kw_only=True)

    @property
    def staged(self) -> tuple[str, ...]:
        """Columns it has in staging."""
        return (self.name,)

    @property
    def params(self) -> Mapping[str, Any]:
        """For the words of its errors."""
        return {"limit": self.limit}

    def shown(self, row: str) -> str:
        """SQL: the staged name that its errors are reported under."""
        return f"'{self.name}'"

    def shown_value(self, row: str) -> str:
        """SQL: the cell as its errors show it."""
        return f"{row}.{self.name}"

    def checks(self, row: str) -> list[tuple[str, str]]:
        """(code, SQL condition that is true of a bad cell), tried in this order on cells that are not empty."""
        return [("too_long", f"length({row}.{self.name}) > {self.limit}")]

    def code(self, row: str) -> str:
        """SQL: the code of what is wrong with the cell, or NULL."""
        cell = f"{row}.{self.name}"
        whens = " ".join(f"WHEN {condition} THEN '{code}'" for code, condition in self.checks(row))
        missing = f" WHEN {cell} = '' OR {row}.is_new AND {cell} IS NULL THEN 'required'" if self.required else ""
        return f"CASE{missing} WHEN coalesce({cell}, '') = '' THEN NULL {whens} END"

    def value(self, row: str) -> str:
        """SQL: the typed value of a checked cell."""
        return f"nullif(btrim({row}.{self.name}), '')" if self.is_null else f"btrim({row}.{self.name})"

    def values(self, row: str) -> dict[str, str]:
        """Target column → SQL of what is stored of a checked cell."""
        value, blank = self.value(row), "NULL" if self.is_null else self.blank
        return {self.target or self.name: value if blank == "NULL" else f"coalesce({value}, {blank})"}

    def updates(self, row: str, current: str) -> dict[str, str]:
        """Target column → SQL of what is stored of it over the stored row `current`."""
        return self.values(row)

    def blanks(self) -> dict[str, str]:
        """Target column → SQL of what is stored in a new row when no row says anything about it."""
        return dict.fromkeys(self.values("w"), "NULL" if self.is_null else self.blank)

    def said(self, row: str) -> str:
        """SQL: the row says something here."""
        return f"{row}.{self.name} IS NOT NULL"

    def is_safe(self, row: str) -> str | None:
        """SQL: the cell can be cast without an error; None: it always can."""
        return None

    def differs(self, row: str, current: str) -> str:
        """SQL: a cell, not checked yet, says something else than what is stored."""
        values = self.values(row)
        changed = " OR ".join(f"{value} IS DISTINCT FROM {current}.{column}" for column, value in values.items())
        if safe := self.is_safe(row):
            changed = f"CASE WHEN {row}.{self.name} = '' OR {safe} THEN {changed} ELSE true END"
        return f"({self.said(row)} AND ({changed}))"
