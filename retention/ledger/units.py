"""Pure: what a unit of value is (points or money), when it expires, and what it is worth at a checkout."""

from __future__ import annotations

import calendar
import datetime as dt
from decimal import Decimal
from typing import Annotated, Any, Literal

from babel import Locale, UnknownLocaleError
from babel.numbers import format_decimal
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from retention import clock, money

#: Months of the stretches that an expiry may be rounded up to the end of.
_STRETCHES = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
_DAY = dt.timedelta(days=1)


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Never(Part):
    """It stays until it is spent."""

    kind: Literal["never"] = "never"

    def last_day(self, day: dt.date) -> dt.date | None:
        return None

    def sentence(self) -> str:
        return _("never expires")


class After(Part):
    """So long after it came, or after it became spendable; rounded up to the end of a stretch of the calendar."""

    kind: Literal["after"] = "after"
    count: Annotated[int, Field(ge=1, le=3650)]
    per: Literal["day", "month", "year"] = "month"
    rounded_to: Literal["", "month", "quarter", "half_year", "year"] = ""

    def last_day(self, day: dt.date) -> dt.date | None:
        if self.per == "day":
            last = day + self.count * _DAY
        else:
            last = months_later(day, self.count * (12 if self.per == "year" else 1))
        return end_of_stretch(last, _STRETCHES[self.rounded_to]) if self.rounded_to else last

    def sentence(self) -> str:
        words = {
            "day": ngettext("expires after one day", "expires after %(count)s days", self.count),
            "month": ngettext("expires after one month", "expires after %(count)s months", self.count),
            "year": ngettext("expires after one year", "expires after %(count)s years", self.count),
        }[self.per] % {"count": self.count}
        ends = {
            "month": _("the end of that month"),
            "quarter": _("the end of that quarter"),
            "half_year": _("the end of that half year"),
            "year": _("the end of that year"),
        }
        return words + (_(", at %(end)s") % {"end": ends[self.rounded_to]} if self.rounded_to else "")


class EachYear(Part):
    """On one day of every year; what came within `least_days` before it lives until the next."""

    kind: Literal["each_year"] = "each_year"
    month: Annotated[int, Field(ge=1, le=12)]
    day: Annotated[int, Field(ge=1, le=31)]
    least_days: Annotated[int, Field(ge=0, le=365)] = 0

    @model_validator(mode="after")
    def is_a_day(self) -> EachYear:
        if self.day > calendar.monthrange(2024, self.month)[1]:
            raise ValueError("there is no such day in any year")
        return self

    def last_day(self, day: dt.date) -> dt.date | None:
        least = day + self.least_days * _DAY
        year = least.year if self._of(least.year) >= least else least.year + 1
        return self._of(year)

    def _of(self, year: int) -> dt.date:
        return dt.date(year, self.month, min(self.day, calendar.monthrange(year, self.month)[1]))

    def sentence(self) -> str:
        return _("expires every year after %(day)s.%(month)s.") % {"day": self.day, "month": self.month}


Expiry = Annotated[Never | After | EachYear, Field(discriminator="kind")]
Goods = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
#: Forms of a noun beside a number, as Unicode's plural rules call them.
Plural = Literal["zero", "one", "two", "few", "many", "other"]
_PLURALS: tuple[Plural, ...] = ("zero", "one", "two", "few", "many", "other")


class UnitRule(Part):
    """All that people decide about a unit, as the JSON of its version. Amounts are whole numbers of its smallest part.

    Attributes:
        digits: decimal places of an amount; those of the currency where it is money.
        counted: of points, how they are called beside a number: by language and plural form, {"en": {"one": "point",
            "other": "points"}}. Where nothing is said for a reader's language, or not for a form, `name` stands in.
        most_basis_points: the most of an order that may be paid with it, in hundredths of a percent.
        worth_points, worth: so many points are worth so much at a checkout, in minor units by currency.
        excluded_products, excluded_categories: nothing of these is paid with it.
        least_days_after_return: what comes back to a customer after it expired lives so many days more.
    """

    name: Name
    counted: dict[Language, dict[Plural, Name]] = {}
    kind: Literal["points", "money"]
    currency: Currency | Literal[""] = ""
    digits: Annotated[int, Field(ge=0, le=4)] = 0
    expiry: Expiry = Never()
    most_basis_points: Annotated[int, Field(ge=1, le=10_000)] = 10_000
    excluded_products: Annotated[tuple[Goods, ...], Field(max_length=500)] = ()
    excluded_categories: Annotated[tuple[Goods, ...], Field(max_length=100)] = ()
    worth_points: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    worth: dict[Currency, Annotated[int, Field(ge=1, le=10**12)]] = {}
    may_be_negative: bool = False
    least_days_after_return: Annotated[int, Field(ge=0, le=3650)] = 30

    @model_validator(mode="after")
    def parts_fit(self) -> UnitRule:
        for code in [*self.worth, *([self.currency] if self.currency else [])]:
            if code not in money.currency_codes():
                raise ValueError(f"{code} is not a currency")
        for language, forms in self.counted.items():
            if unknown := set(forms) - set(plurals(language)):
                raise ValueError(f"{language} has no plural form {min(unknown)}")
        if self.kind == "money":
            if self.counted:
                raise ValueError("money is called by its currency")
            if not self.currency:
                raise ValueError("money needs a currency")
            if self.worth:
                raise ValueError("money is worth itself")
            if self.digits != money.digits(self.currency):
                raise ValueError(f"{self.currency} has {money.digits(self.currency)} decimal places")
        elif self.currency:
            raise ValueError("points have no currency; say what they are worth instead")
        if self.may_be_negative and self.expiry.kind != "never":
            raise ValueError("what may be owed cannot expire")
        return self

    def is_payable_in(self, currency: str) -> bool:
        return currency == self.currency if self.kind == "money" else currency in self.worth

    def pays_for(self, sku: str, category: str) -> bool:
        """Whether it may pay for a product; a category holds those below it."""
        excluded = (category == path or category.startswith(path + "/") for path in self.excluded_categories)
        return sku not in self.excluded_products and not any(excluded)

    def in_minor(self, amount: int, currency: str) -> int:
        """What an amount pays at a checkout, rounded down: never more than it is worth."""
        return amount if self.kind == "money" else amount * self.worth[currency] // self.worth_points

    def for_minor(self, minor: int, currency: str) -> int:
        """The least amount that pays so much: rounded up."""
        return minor if self.kind == "money" else -(-minor * self.worth_points // self.worth[currency])

    def expires_at(self, at: dt.datetime, zone: str) -> dt.datetime | None:
        """The midnight of the shop after its last day; None: never."""
        return day_end(self.expiry.last_day(at.astimezone(clock.zone(zone)).date()), zone)

    def show(self, amount: int, language: str = "") -> str:
        """The amount as readers of the language, else of this request, read it: “€12.30”, “12,30 €”, “1 point”."""
        language = language or get_language() or "en"
        if self.kind == "money":
            return money.show(amount, self.currency, language)
        pattern = f"#,##0.{'0' * self.digits}" if self.digits else "#,##0"
        number = Decimal(amount).scaleb(-self.digits)
        shown = format_decimal(number, format=pattern, locale=language.replace("-", "_"))
        return f"{shown} {self.noun_of(amount, language)}"

    def noun_of(self, amount: int, language: str) -> str:
        """What so much of it is called, without its currency: “points”, “балла”, “Store credit”."""
        forms = self.counted.get(language) or self.counted.get(language.partition("-")[0]) or {}
        if not forms:
            return self.name.removesuffix(f" {self.currency}") if self.currency else self.name
        form: Any = Locale.parse(language, sep="-").plural_form(Decimal(amount).scaleb(-self.digits))
        return forms.get(form) or forms.get("other") or self.name

    def sentence(self) -> str:
        words = [self.expiry.sentence()]
        if self.most_basis_points < 10_000:
            words.append(_("pays at most %(share)s %% of an order") % {"share": f"{self.most_basis_points / 100:g}"})
        for currency, minor in self.worth.items():
            words.append(
                _("%(points)s are worth %(amount)s")
                % {"points": self.worth_points, "amount": money.show(minor, currency)}
            )
        if excluded := [*self.excluded_categories, *self.excluded_products]:
            words.append(_("not for %(what)s") % {"what": ", ".join(excluded)})
        if self.may_be_negative:
            words.append(_("may be owed"))
        return f"{self.name}: {', '.join(words)}"


def plurals(language: str) -> list[Plural]:
    """The plural forms of a language, in the order in which they are asked for; just `other` of an unknown one."""
    try:
        known = Locale.parse(language, sep="-").plural_form.tags
    except (UnknownLocaleError, ValueError):
        known = frozenset()
    return [form for form in _PLURALS if form in known or form == "other"]


def example_of(form: Plural, language: str) -> str:
    """A number that asks for a plural form: `2` of the Russian few."""
    rule = Locale.parse(language, sep="-").plural_form
    tried = [*range(1, 101), 0, Decimal("1.5"), 1_000_000]
    return str(next((number for number in tried if rule(number) == form), "…"))


def day_end(day: dt.date | None, zone: str) -> dt.datetime | None:
    """The instant at which a day of the zone has ended."""
    return clock.local_instant(day + _DAY, dt.time(), zone) if day else None


def months_later(day: dt.date, months: int) -> dt.date:
    """The same day so many months later, or the last one of that month: 31 January and one month is 28 February."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def end_of_stretch(day: dt.date, months: int) -> dt.date:
    """The last day of the month, quarter, half year or year in which the day lies."""
    month = (day.month - 1) // months * months + months
    return dt.date(day.year, month, calendar.monthrange(day.year, month)[1])
