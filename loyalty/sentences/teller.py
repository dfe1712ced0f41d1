"""Who tells rules to one reader: her language, how amounts and days look in it, and what keys are called."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.lists import format_list
from babel.numbers import format_decimal

from loyalty.sentences.kinds import KINDS
from loyalty.sentences.words import WORDS
from retention import money
from retention.ledger.units import UnitRule

#: So many of a list are named.
_MOST = 4


@dataclass(frozen=True)
class Teller:
    """Pure: everything that has to be read is told it.

    Attributes:
        unit: what is earned; without it amounts are bare numbers.
        kinds: what kinds of activities are called in the shop.
        tiers, rules: what customers call a programme's tiers and earning rules, by their keys.
    """

    language: str = "en"
    currency: str = "EUR"
    unit: UnitRule | None = None
    kinds: Mapping[str, str] = field(default_factory=dict)
    tiers: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)

    @property
    def spoken(self) -> str:
        """The language of the words; English stands in for those that have none."""
        plain = self.language.partition("-")[0]
        return plain if plain in WORDS else "en"

    def say(self, key: str, count: int | None = None, /, **parts: Any) -> str:
        """A phrase with its parts put in, in the form that a count asks for."""
        phrase = WORDS[self.spoken][key]
        if isinstance(phrase, str):
            return phrase.format(count=count, **parts)
        form = Locale.parse(self.spoken).plural_form(count or 0)
        return phrase.get(form, phrase["other"]).format(count=count, **parts)

    def amount(self, amount: int) -> str:
        """So much of the unit."""
        return self.unit.show(amount, self.spoken) if self.unit else str(amount)

    def money(self, minor: int) -> str:
        """So much of the shop's currency, with its digits."""
        return money.show(minor, self.currency, self.spoken)

    def day(self, day: dt.date) -> str:
        return format_date(day, "long", locale=self.spoken)

    def day_of_year(self, month: int, day: int) -> str:
        return format_skeleton("MMMMd", dt.date(2024, month, day), locale=self.spoken)

    def hour(self, at: dt.time, *, is_end: bool = False) -> str:
        return "24:00" if is_end and at == dt.time.min else f"{at:%H:%M}"

    def number(self, number: Decimal) -> str:
        return format_decimal(number, locale=self.spoken)

    def listed(self, words: Iterable[str], *, style: Literal["standard", "or"] = "standard") -> str:
        """`A, B and C`, or `A, B or C`."""
        return format_list(list(words), style=style, locale="en_GB" if self.spoken == "en" else self.spoken)

    def any_of(self, words: Iterable[str]) -> str:
        """`A, B or C`; of many `A, B, C, D and 12 more`."""
        named = list(words)
        if len(named) <= _MOST:
            return self.listed(named, style="or")
        return self.say("some", len(named) - _MOST, some=", ".join(named[:_MOST]))

    def kind(self, key: str, *, is_object: bool = False) -> str:
        """What an activity is called: as a noun of the language, or as the shop calls it.

        Args:
            is_object: after a word that asks for another case, where the language has cases.
        """
        known = KINDS.get(key, {}).get(self.spoken)
        if known is None:
            return self.say("quoted", what=self.kinds.get(key, key))
        name, _bar, as_object = known.partition("|")
        return as_object if is_object and as_object else name

    def tier(self, key: str) -> str:
        return self.tiers.get(key, key)

    def rule(self, key: str) -> str:
        return self.rules.get(key, key)
