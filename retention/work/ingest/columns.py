"""The kinds of column a file may have: each knows its checks, its value and its difference as SQL over staged text.

Staged cells are text: NULL where the row does not say anything (the stored value stays), empty where it says "blank".
A percent sign in SQL is doubled, because every statement runs with parameters (see `params`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from babel import Locale

from retention import clock, money

#: Instants with a zone; without one they are the shop's local time (the load's session zone).
INSTANT = r"^\d\d\d\d-\d\d-\d\d([T ]\d\d:\d\d[0-9:.]*( ?Z|[ +-][0-9:+-]*)?)?$"
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
        "countries": sorted(code for code in map(str, english.territories) if len(code) == 2 and code.isalpha()),
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


@dataclass(frozen=True)
class Email(Column):
    limit: int = 254
    is_null: bool = True

    def checks(self, row: str) -> list[tuple[str, str]]:
        cell = f"lower(btrim({row}.{self.name}))"
        return [*super().checks(row), ("not_an_email", f"{cell} !~ %(email)s OR {cell} ~ %(bad_domain)s")]


@dataclass(frozen=True)
class Phone(Column):
    """Normalised to E.164 by the load before it is checked; what could not be read is still as it came."""

    limit: int = 40
    is_null: bool = True

    def checks(self, row: str) -> list[tuple[str, str]]:
        return [*super().checks(row), ("not_a_phone", rf"{row}.{self.name} !~ '^\+[1-9][0-9]{{6,14}}$'")]


@dataclass(frozen=True)
class Whole(Column):
    """An integer."""

    blank: str = "NULL"
    low: int = 0
    high: int = 2_147_483_647

    @property
    def params(self) -> Mapping[str, Any]:
        return {"low": self.low, "high": self.high}

    def is_safe(self, row: str) -> str | None:
        return rf"{row}.{self.name} ~ '^-?\d{{1,18}}$'"

    def checks(self, row: str) -> list[tuple[str, str]]:
        number = f"{row}.{self.name}::bigint"
        return [
            ("not_a_whole_number", f"NOT {self.is_safe(row)}"),
            ("too_small", f"{number} < {self.low}"),
            ("too_big", f"{number} > {self.high}"),
        ]

    def value(self, row: str) -> str:
        return f"nullif({row}.{self.name}, '')::bigint"


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
            found.append(("in_the_future", f"{row}.{self.name}::timestamptz > %(tomorrow)s"))
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
        day = rf"regexp_replace({cell}, '^(--)?(?=\d\d-\d\d$)', '2000-')"
        return [
            (
                "not_a_birthday",
                rf"{cell} !~ '^(\d{{4}}-|--)?\d{{2}}-\d{{2}}$' OR NOT pg_input_is_valid({day}, 'date')",
            ),
            ("out_of_range", f"length({cell}) = 10 AND ({cell} < '1880' OR {cell} > to_char(%(now)s, 'YYYY-MM-DD'))"),
        ]

    def is_safe(self, row: str) -> str | None:
        return rf"{row}.{self.name} ~ '^(\d{{4}}-|--)?\d{{2}}-\d{{2}}$'"

    def values(self, row: str) -> dict[str, str]:
        cell = f"{row}.{self.name}"
        return {
            "birth_year": f"CASE WHEN length({cell}) = 10 THEN left({cell}, 4)::smallint END",
            "birth_month": f"nullif(left(right({cell}, 5), 2), '')::smallint",
            "birth_day": f"nullif(right({cell}, 2), '')::smallint",
        }


@dataclass(frozen=True)
class Flag(Column):
    """Yes or no."""

    blank: str = "false"
    accepts: tuple[type, ...] = field(default=(bool,), kw_only=True)

    def is_safe(self, row: str) -> str | None:
        return f"lower({row}.{self.name}) IN ('true', 'false', 'yes', 'no', '1', '0')"

    def checks(self, row: str) -> list[tuple[str, str]]:
        return [("not_yes_or_no", f"NOT {self.is_safe(row)}")]

    def value(self, row: str) -> str:
        return f"lower({row}.{self.name}) IN ('true', 'yes', '1')"


@dataclass(frozen=True)
class Choice(Column):
    choices: tuple[str, ...] = ()

    @property
    def params(self) -> Mapping[str, Any]:
        return {"choices": ", ".join(self.choices)}

    def checks(self, row: str) -> list[tuple[str, str]]:
        listed = ", ".join(f"'{choice}'" for choice in self.choices)
        return [("not_a_choice", f"lower(btrim({row}.{self.name})) NOT IN ({listed})")]

    def value(self, row: str) -> str:
        text = f"lower(btrim({row}.{self.name}))"
        return f"nullif({text}, '')" if self.is_null else text


@dataclass(frozen=True)
class Zone(Column):
    def checks(self, row: str) -> list[tuple[str, str]]:
        return [("unknown_zone", f"NOT btrim({row}.{self.name}) = ANY(%(zones)s)")]


@dataclass(frozen=True)
class Country(Column):
    def checks(self, row: str) -> list[tuple[str, str]]:
        return [("unknown_country", f"NOT upper(btrim({row}.{self.name})) = ANY(%(countries)s)")]

    def value(self, row: str) -> str:
        return f"upper(btrim({row}.{self.name}))"


@dataclass(frozen=True)
class Language(Column):
    """`pt`, `pt-BR`, `zh-Hant`."""

    limit: int = 12

    def checks(self, row: str) -> list[tuple[str, str]]:
        cell = f"replace(btrim({row}.{self.name}), '_', '-')"
        return [
            *super().checks(row),
            (
                "unknown_language",
                f"{cell} !~ '^[A-Za-z]{{2,3}}(-[A-Za-z]{{4}})?(-([A-Za-z]{{2}}|[0-9]{{3}}))?$'"
                f" OR NOT lower(split_part({cell}, '-', 1)) = ANY(%(languages)s)",
            ),
        ]

    def value(self, row: str) -> str:
        return f"replace(btrim({row}.{self.name}), '_', '-')"


@dataclass(frozen=True)
class Currency(Column):
    def checks(self, row: str) -> list[tuple[str, str]]:
        return [("unknown_currency", f"NOT upper(btrim({row}.{self.name})) = ANY(%(currencies)s)")]

    def value(self, row: str) -> str:
        return f"upper(btrim({row}.{self.name}))"


@dataclass(frozen=True)
class Money(Column):
    """An amount: `price` in major units with at most the currency's digits, or `price_minor` in minor units.

    `currency` is the SQL of the currency it is in, over the row it is checked and read from, as `{row}.…`.
    """

    blank: str = "NULL"
    currency: str = "upper(btrim({row}.currency))"

    @property
    def staged(self) -> tuple[str, ...]:
        return (self.name, f"{self.name}_minor")

    @property
    def params(self) -> Mapping[str, Any]:
        return {"minor": f"{self.item or self.name}_minor"}

    def shown(self, row: str) -> str:
        minor_only = f"coalesce({row}.{self.name}, '') = '' AND {row}.{self.name}_minor <> ''"
        return f"CASE WHEN {minor_only} THEN '{self.name}_minor' ELSE '{self.name}' END"

    def shown_value(self, row: str) -> str:
        return f"coalesce(nullif({row}.{self.name}, ''), {row}.{self.name}_minor)"

    def _scale(self, row: str) -> str:
        return scale(self.currency.format(row=row))

    def code(self, row: str) -> str:
        major, minor = f"{row}.{self.name}", f"{row}.{self.name}_minor"
        missing = (
            f" WHEN coalesce({major}, '') = '' AND coalesce({minor}, '') = ''"
            f" AND ({row}.is_new OR {self.said(row)}) THEN 'required'"
            if self.required
            else ""
        )
        amount = r"'^-?\d{1,12}(\.\d{1,9})?$'"
        return (
            f"CASE{missing} WHEN coalesce({major}, '') <> '' AND coalesce({minor}, '') <> '' THEN 'said_twice'"
            rf" WHEN {minor} <> '' AND {minor} !~ '^-?\d{{1,15}}$' THEN 'not_minor_units'"
            f" WHEN {minor} <> '' AND {minor}::bigint < 0 THEN 'negative'"
            f" WHEN coalesce({major}, '') = '' THEN NULL"
            f" WHEN {major} !~ {amount} THEN 'not_an_amount'"
            f" WHEN {major}::numeric < 0 THEN 'negative'"
            f" WHEN {major}::numeric * ({self._scale(row)}) % 1 <> 0 THEN 'too_many_digits' END".replace(
                " % 1", " %% 1"
            )
        )

    def said(self, row: str) -> str:
        return f"({row}.{self.name} IS NOT NULL OR {row}.{self.name}_minor IS NOT NULL)"

    def value(self, row: str) -> str:
        major, minor = f"{row}.{self.name}", f"{row}.{self.name}_minor"
        return (
            f"CASE WHEN {minor} <> '' THEN {minor}::bigint"
            f" WHEN {major} <> '' THEN ({major}::numeric * ({self._scale(row)}))::bigint END"
        )

    def values(self, row: str) -> dict[str, str]:
        value = self.value(row) if self.blank == "NULL" else f"coalesce({self.value(row)}, {self.blank})"
        return {self.target or f"{self.name}_minor": value}

    def differs(self, row: str, current: str) -> str:
        major, minor = f"{row}.{self.name}", f"{row}.{self.name}_minor"
        column = self.target or f"{self.name}_minor"
        return (
            f"({self.said(row)} AND CASE WHEN coalesce({minor}, '') = '' AND coalesce({major}, '') = ''"
            f" THEN {current}.{column} IS DISTINCT FROM {self.blank}"
            rf" WHEN {minor} ~ '^\d{{1,15}}$' AND coalesce({major}, '') = '' OR"
            rf" {major} ~ '^\d{{1,12}}(\.\d{{1,9}})?$' AND coalesce({minor}, '') = ''"
            f" THEN coalesce(nullif({minor}, '')::numeric, {major}::numeric * ({self._scale(row)}))"
            f" IS DISTINCT FROM {current}.{column} ELSE true END)"
        )


@dataclass(frozen=True)
class Words(Column):
    """A list of short texts: `jazz, vinyl` in files, a list at the API."""

    blank: str = "'{}'"
    limit: int = 60
    accepts: tuple[type, ...] = field(default=(list, tuple), kw_only=True)

    def is_safe(self, row: str) -> str | None:
        cell = f"{row}.{self.name}"
        return (
            f"CASE WHEN {cell} LIKE '[%%' THEN pg_input_is_valid({cell}, 'jsonb')"
            f""" AND NOT jsonb_path_exists({cell}::jsonb, '$[*] ? (@.type() != "string")') ELSE true END"""
        )

    def checks(self, row: str) -> list[tuple[str, str]]:
        return [
            ("not_words", f"NOT ({self.is_safe(row)})"),
            (
                "too_long",
                f"EXISTS (SELECT FROM unnest({self.value(row)}) AS word WHERE length(word) > {self.limit})",
            ),
        ]

    def value(self, row: str) -> str:
        cell = f"{row}.{self.name}"
        return (
            f"(CASE WHEN {cell} LIKE '[%%' THEN ARRAY(SELECT btrim(jsonb_array_elements_text({cell}::jsonb)))"
            f" WHEN btrim({cell}) = '' THEN '{{}}'::text[]"
            rf" ELSE regexp_split_to_array(btrim({cell}, ' ,'), '\s*,\s*') END)::varchar[]"
        )


@dataclass(frozen=True)
class Document(Column):
    """A JSON object; in files, one column `name.key` for each of its keys will do."""

    blank: str = "'{}'"
    limit: int = 20_000
    is_multiline: bool = True
    accepts: tuple[type, ...] = field(default=(dict,), kw_only=True)

    def is_safe(self, row: str) -> str | None:
        return f"({row}.{self.name} LIKE '{{%%' AND pg_input_is_valid({row}.{self.name}, 'jsonb'))"

    def checks(self, row: str) -> list[tuple[str, str]]:
        return [*super().checks(row), ("not_an_object", f"NOT {self.is_safe(row)}")]

    def value(self, row: str) -> str:
        return f"coalesce(nullif({row}.{self.name}, ''), '{{}}')::jsonb"
