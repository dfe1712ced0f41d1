"""Columns of words, numbers, choices and addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from retention.work.ingest.columns.base import Column


@dataclass(frozen=True)
class Email(Column):
    limit: int = 254
    is_null: bool = True

    def checks(self, row: str) -> list[tuple[str, str]]:
        cell = f"lower(btrim({row}.{self.name}))"
        bad = f"{cell} !~ %(email)s OR {cell} LIKE '%%-%%' AND {cell} ~ %(bad_domain)s"
        return [*super().checks(row), ("not_an_email", bad)]


@dataclass(frozen=True)
class Phone(Column):
    """Normalised to E.164 by the load before it is checked; what could not be read is still as it came."""

    limit: int = 40
    is_null: bool = True

    @classmethod
    def is_normal(cls, cell: str) -> str:
        """SQL: the cell is E.164 as it stands. A bounded repetition in the pattern would take three times as long."""
        return rf"({cell} ~ '^\+[1-9][0-9]*$' AND length({cell}) BETWEEN 8 AND 16)"

    def checks(self, row: str) -> list[tuple[str, str]]:
        return [*super().checks(row), ("not_a_phone", f"NOT {self.is_normal(f'{row}.{self.name}')}")]


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
