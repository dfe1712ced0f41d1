"""Columns of what the world has lists of: zones, countries, languages, currencies, and money itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from retention.work.ingest.columns.base import Column, scale


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
        shape = "'^[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?$'"
        return [
            *super().checks(row),
            (
                "unknown_language",
                # Most cells are bare codes, told without a pattern.
                f"NOT {row}.{self.name} = ANY(%(languages)s)"
                f" AND ({cell} !~ {shape} OR NOT lower(split_part({cell}, '-', 1)) = ANY(%(languages)s))",
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
