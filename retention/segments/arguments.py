"""What conditions ask their arguments with: numbers with an operator, windows relative to now, lists of words.

Each is an ordinary Django form field, so that the console, the API and stored rules are checked by the same code.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django import forms
from django.core.validators import ProhibitNullCharactersValidator
from django.utils.translation import gettext_lazy as _

from retention import clock, money
from retention.shop.models import Shop

AT_LEAST, AT_MOST, BETWEEN, EXACTLY = "at_least", "at_most", "between", "exactly"
RANGES = [(AT_LEAST, _("at least")), (AT_MOST, _("at most")), (BETWEEN, _("between"))]
COUNTS = [*RANGES, (EXACTLY, _("exactly"))]
EVER, LAST, BEFORE, DATES = "ever", "last", "before", "dates"
WINDOWS = [(LAST, _("in the last … days")), (BEFORE, _("more than … days ago")), (DATES, _("between two dates"))]
FAR = 36_500
MOST_WORDS = 200


def shop_zone() -> str:
    return Shop.objects.values_list("time_zone", flat=True).first() or "UTC"


def shop_currency() -> str:
    return Shop.objects.values_list("currency", flat=True).first() or "EUR"


def shop_day(now: dt.datetime) -> dt.date:
    """The day it is in the shop's zone."""
    return now.astimezone(clock.zone(shop_zone())).date()


class WordsField(forms.Field):
    """A list of texts, as a list or separated by commas.

    `suggest` names the list of known values that the console offers while she types; `among` closes the list to
    these (value, label) pairs, or to what it yields when called.
    """

    default_error_messages = {
        "not_words": _("This must be a list of texts."),
        "too_many": _("At most %(most)s values."),
        "too_long": _("“%(word)s…” is longer than 200 characters."),
        "stranger": _("“%(word)s” is not one of the choices."),
    }
    check_null = ProhibitNullCharactersValidator()

    def __init__(self, *, suggest: str = "", among: Any = None, upper: bool = False, **kwargs: Any) -> None:
        self.suggest, self.among, self.upper = suggest, among, upper
        super().__init__(**kwargs)

    def pairs(self) -> list[tuple[str, str]]:
        return list(self.among() if callable(self.among) else self.among or ())

    def to_python(self, value: Any) -> list[str]:
        if value in self.empty_values:
            return []
        words = value.split(",") if isinstance(value, str) else value
        if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
            raise forms.ValidationError(self.error_messages["not_words"], code="not_words")
        words = [word.strip().upper() if self.upper else word.strip() for word in words]
        return list(dict.fromkeys(word for word in words if word))

    def validate(self, value: list[str]) -> None:
        super().validate(value)
        if len(value) > MOST_WORDS:
            raise forms.ValidationError(self.error_messages["too_many"], "too_many", {"most": MOST_WORDS})
        for word in value:
            self.check_null(word)
            if len(word) > 200:
                raise forms.ValidationError(self.error_messages["too_long"], "too_long", {"word": word[:20]})
        if self.among is not None:
            self.refuse_strangers(value, {key for key, _label in self.pairs()})

    def refuse_strangers(self, words: Iterable[str], known: set[str]) -> None:
        for word in words:
            if word not in known:
                raise forms.ValidationError(self.error_messages["stranger"], "stranger", {"word": word})


class AmountField(forms.IntegerField):
    """Money of the shop's base currency in minor units; the console shows it in major ones."""

    default_error_messages = {"invalid": _("Enter an amount of money.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": 10**13, **kwargs})


class DayField(forms.DateField):
    """A day as 2026-05-31."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%d"], **kwargs)


class Arguments(forms.Form):
    """A condition's arguments. `shown_if` says which fields belong to which choice of another field."""

    #: field → (another field, its values that show this one): required then, and dropped otherwise.
    shown_if: ClassVar[Mapping[str, tuple[str, tuple[str, ...]]]] = {}
    #: What is asked for comes first, then how many, then when.
    TAIL = ("operator", "number", "number_to", "window", "days", "since", "until")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        first = [name for name in self.field_order or () if name in self.fields]
        own = [name for name in self.fields if name not in self.TAIL and name not in first]
        self.order_fields([*first, *own, *self.TAIL])

    @classmethod
    def visibility(cls) -> dict[str, tuple[str, tuple[str, ...]]]:
        """`shown_if` of this form and of all it is made of."""
        return {name: rule for part in reversed(cls.__mro__) for name, rule in vars(part).get("shown_if", {}).items()}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name, (other, choices) in self.visibility().items():
            if cleaned.get(other) not in choices:
                cleaned[name] = None
            elif cleaned.get(name) in (None, "", []) and name not in self.errors:
                self.add_error(name, forms.ValidationError(_("This field is required."), code="required"))
        return cleaned


class Ranged(Arguments):
    """An operator with one number, or two for "between"; subclasses name the fields and their unit."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        low, high = cleaned.get("number"), cleaned.get("number_to")
        if low is not None and high is not None and high < low:
            self.add_error("number_to", forms.ValidationError(_("This must not be less than the first."), "order"))
        return cleaned


UP_TO = {"number_to": ("operator", (BETWEEN,))}


class Count(Ranged):
    """How many: whole numbers."""

    operator = forms.ChoiceField(label=_("how many"), choices=COUNTS, initial=AT_LEAST)
    number = forms.IntegerField(label=_("number"), min_value=0, max_value=10**9, initial=1)
    number_to = forms.IntegerField(label=_("and"), min_value=0, max_value=10**9, required=False)
    shown_if = UP_TO


class Measure(Ranged):
    """How much: numbers with decimals."""

    operator = forms.ChoiceField(label=_("how much"), choices=RANGES, initial=AT_LEAST)
    number = forms.FloatField(label=_("number"), min_value=-1e12, max_value=1e12)
    number_to = forms.FloatField(label=_("and"), min_value=-1e12, max_value=1e12, required=False)
    shown_if = UP_TO


class Amount(Ranged):
    """How much money."""

    operator = forms.ChoiceField(label=_("how much"), choices=RANGES, initial=AT_LEAST)
    number = AmountField(label=_("amount"))
    number_to = AmountField(label=_("and"), required=False)
    shown_if = UP_TO


class Share(Ranged):
    """How many percent."""

    operator = forms.ChoiceField(label=_("how much"), choices=RANGES, initial=AT_LEAST)
    number = forms.FloatField(label=_("percent"), min_value=0, max_value=100)
    number_to = forms.FloatField(label=_("and"), min_value=0, max_value=100, required=False)
    shown_if = UP_TO


WITHIN = {
    "days": ("window", (LAST, BEFORE)),
    "since": ("window", (DATES,)),
    "until": ("window", (DATES,)),
}


class When(Arguments):
    """A stretch of time: relative to now, or from one day to another, both included, in the shop's zone."""

    window = forms.ChoiceField(label=_("when"), choices=WINDOWS, initial=LAST)
    days = forms.IntegerField(label=_("days"), min_value=1, max_value=FAR, required=False, initial=30)
    since = DayField(label=_("from"), required=False)
    until = DayField(label=_("to"), required=False)
    shown_if = WITHIN

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("since") and cleaned.get("until") and cleaned["until"] < cleaned["since"]:
            self.add_error("until", forms.ValidationError(_("This day is before the first."), code="order"))
        return cleaned


class WhenEver(When):
    """As `When`, or at any time."""

    window = forms.ChoiceField(label=_("when"), choices=[(EVER, _("at any time")), *WINDOWS], initial=EVER)


def bounds(args: Mapping[str, Any]) -> tuple[Any, Any]:
    """(low, high) inclusive of an operator with its numbers; None where there is no bound."""
    operator, number = args["operator"], args["number"]
    low = number if operator != AT_MOST else None
    high = {AT_LEAST: None, BETWEEN: args["number_to"]}.get(operator, number)
    return low, high


def instants(args: Mapping[str, Any], now: dt.datetime) -> tuple[dt.datetime | None, dt.datetime | None]:
    """(since, until), half open, of a window; None where it is open."""
    match args["window"]:
        case "last":
            return now - dt.timedelta(days=args["days"]), None
        case "before":
            return None, now - dt.timedelta(days=args["days"])
        case "dates":
            zone = clock.zone(shop_zone())
            end = args["until"] + dt.timedelta(days=1)
            return (
                dt.datetime.combine(args["since"], dt.time(), zone),
                dt.datetime.combine(end, dt.time(), zone),
            )
        case _:
            return None, None


def within(column: str, args: Mapping[str, Any], now: dt.datetime) -> dict[str, dt.datetime]:
    """Lookups that keep an instant inside the window."""
    since, until = instants(args, now)
    lookups = {f"{column}__gte": since, f"{column}__lt": until}
    return {lookup: instant for lookup, instant in lookups.items() if instant is not None}


def currency_format() -> dict[str, Any]:
    """What the console needs to ask for money: the base currency and its decimal digits."""
    currency = shop_currency()
    return {"currency": currency, "digits": money.digits(currency)}
