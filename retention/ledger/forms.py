"""A unit's rule as a form, and the dialogs of corrections."""

import uuid
from decimal import Decimal, InvalidOperation
from typing import Any

from babel import Locale
from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError as RuleError
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from retention import money
from retention.doors.console import ConfirmForm
from retention.ledger.models import Unit
from retention.ledger.units import Plural, UnitRule, example_of, plurals
from retention.ledger.versions import rule_of
from retention.shop.models import Shop

_EXPIRIES = [
    ("never", _("never")),
    ("day", _("so many days after it came")),
    ("month", _("so many months after it came")),
    ("year", _("so many years after it came")),
    ("each_year", _("every year on one day")),
]
_ROUNDED = [
    ("", _("to the day")),
    ("month", _("to the end of that month")),
    ("quarter", _("to the end of that quarter")),
    ("half_year", _("to the end of that half year")),
    ("year", _("to the end of that year")),
]


def _number(label: Any, least: int, most: int, *, help_text: Any = "", **options: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, min_value=least, max_value=most, required=False, help_text=help_text,
        widget=UnfoldAdminIntegerFieldWidget, **options,
    )  # fmt: skip


def _words(label: Any) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=4_000, required=False, widget=UnfoldAdminTextInputWidget,
        help_text=_("With commas between them."),
    )  # fmt: skip


class CountedWidget(forms.Widget):
    """A line for each plural form of each language of the shop, beside a number that asks for that form."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> str:
        lines = []
        for language, form in _plurals():
            field = f"{name}_{language}_{form}"
            line = UnfoldAdminTextInputWidget().render(
                field, (value or {}).get(language, {}).get(form, ""), {"id": f"id_{field}"}, renderer
            )
            called = Locale.parse(language, sep="-").get_display_name()
            lines.append((f"id_{field}", called, example_of(form, language), line))
        return format_html_join(
            "",
            '<div class="flex items-center gap-3 mb-2"><label class="shrink-0 w-32" for="{}">{}: {}</label>'
            '<div class="grow">{}</div></div>',
            lines,
        )

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, dict[str, str]]:
        said: dict[str, dict[str, str]] = {}
        for language, form in _plurals():
            if text := data.get(f"{name}_{language}_{form}", "").strip():
                said.setdefault(language, {})[form] = text
        return said

    def id_for_label(self, id_: str) -> str:
        language, form = _plurals()[0]
        return f"{id_}_{language}_{form}"


class CountedField(forms.Field):
    widget = CountedWidget

    def say(self, value: Any) -> str:
        """`1 point, 2 points; 1 балл, …`."""
        said = [
            ", ".join(f"{example_of(form, language)} {nouns[form]}" for form in plurals(language) if form in nouns)
            for language, nouns in (value or {}).items()
        ]
        return "; ".join(said) or "—"


def _plurals() -> list[tuple[str, Plural]]:
    shop = Shop.objects.first()
    return [(language, form) for language in (shop.languages if shop else ["en"]) for form in plurals(language)]


def _choice(label: Any, choices: list, **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, widget=UnfoldAdminSelectWidget, **options)


class UnitForm(forms.ModelForm):
    """What a unit is; `clean` puts the parts together as `cleaned_data["rule"]`."""

    name = forms.CharField(label=_("Name"), max_length=80, widget=UnfoldAdminTextInputWidget)
    counted = CountedField(
        label=_("Beside a number"), required=False,
        help_text=_("Of points: 1 point, 2 points, in each language. Where nothing is said the name stands there."),
    )  # fmt: skip
    expires = _choice(_("Expires"), _EXPIRIES)
    count = _number(_("After how many"), 1, 3650)
    rounded_to = _choice(_("Rounded up"), _ROUNDED, required=False)
    month = _number(_("Month"), 1, 12)
    day = _number(_("Day of the month"), 1, 31)
    least_days = _number(_("Lives at least so many days"), 0, 365, initial=0)
    most_percent = forms.DecimalField(
        label=_("Pays at most this share of an order, in percent"), min_value=Decimal("0.01"), max_value=100,
        max_digits=5, decimal_places=2, initial=100, widget=UnfoldAdminTextInputWidget,
    )  # fmt: skip
    excluded_categories = _words(_("Not for these categories"))
    excluded_products = _words(_("Not for these products"))
    worth_points = _number(_("So many points"), 1, 1_000_000, initial=100)
    worth = forms.CharField(
        label=_("are worth"), max_length=300, required=False, widget=UnfoldAdminTextInputWidget,
        help_text=_("At a checkout, by currency, such as 1.00 EUR, 1.10 USD. Empty: nothing can be paid with them."),
    )  # fmt: skip
    may_be_negative = forms.BooleanField(
        label=_("May be owed"), required=False, widget=UnfoldBooleanSwitchWidget,
        help_text=_("When points of a returned order were spent already, the customer owes them."),
    )  # fmt: skip
    least_days_after_return = _number(
        _("Days that returned value lives at least"), 0, 3650, initial=30,
        help_text=_("Value that comes back with a returned order after it expired; 0: it is gone."),
    )  # fmt: skip

    class Meta:
        model = Unit
        fields = ("key", "kind", "currency", "digits")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and self.instance.version_id:
            self.initial |= _as_fields(rule_of(self.instance))

    def clean_worth(self) -> dict[str, int]:
        worth = {}
        for part in filter(None, map(str.strip, self.cleaned_data["worth"].split(","))):
            amount, _space, currency = part.partition(" ")
            try:
                worth[currency.strip()] = money.to_minor(amount, currency.strip())
            except money.BadMoney as error:
                raise ValidationError(_("Write amounts such as 1.00 EUR, 1.10 USD.")) from error
        return worth

    def clean(self) -> dict[str, Any]:
        typed = super().clean()
        if self.errors:
            return typed
        fixed = {
            name: typed[name] if name in typed else getattr(self.instance, name)
            for name in ("kind", "currency", "digits")
        }
        if fixed["kind"] == "money" and fixed["currency"] in money.currency_codes():
            fixed["digits"] = money.digits(fixed["currency"])
        try:
            typed["rule"] = UnitRule.model_validate(
                {
                    **fixed,
                    "name": typed["name"],
                    "counted": typed["counted"] if fixed["kind"] == "points" else {},
                    "expiry": self._expiry(typed),
                    "most_basis_points": int(typed["most_percent"] * 100),
                    "excluded_categories": _parts(typed["excluded_categories"]),
                    "excluded_products": _parts(typed["excluded_products"]),
                    "worth_points": typed["worth_points"] or 100,
                    "worth": typed["worth"],
                    "may_be_negative": typed["may_be_negative"],
                    "least_days_after_return": typed["least_days_after_return"] or 0,
                }
            )
        except RuleError as error:
            raise ValidationError([found["msg"].removeprefix("Value error, ") for found in error.errors()]) from None
        return typed

    def _get_validation_exclusions(self) -> set[str]:
        # The database's rules are said by the rule itself, in words.
        return {field.name for field in Unit._meta.get_fields()} - {"key"}

    def _expiry(self, typed: dict[str, Any]) -> dict[str, Any]:
        match typed["expires"]:
            case "never":
                return {"kind": "never"}
            case "each_year":
                names = ("month", "day", "least_days")
                return {"kind": "each_year", **{name: typed[name] or 0 for name in names}}
            case per:
                words = {"count": typed["count"] or 0, "rounded_to": typed["rounded_to"]}
                return {"kind": "after", "per": per, **words}


class AdjustForm(ConfirmForm):
    """How much, and why. Sent twice it corrects once."""

    amount = forms.CharField(
        label=_("Amount"), max_length=20, widget=UnfoldAdminTextInputWidget,
        help_text=_("Such as 12.50; with a minus it is taken away."),
    )  # fmt: skip
    expires_on = forms.DateField(
        label=_("Last day"), required=False, widget=UnfoldAdminDateWidget, help_text=_("Of what is given; empty: none.")
    )
    reason = forms.CharField(
        label=_("Why"), max_length=120, widget=UnfoldAdminTextInputWidget, help_text=_("It stays for good: no names.")
    )
    source = forms.CharField(widget=forms.HiddenInput, max_length=100)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["source"].initial = f"console:{uuid.uuid4().hex}"

    def clean_amount(self) -> int:
        return read_amount(self.cleaned_data["amount"], self.obj.unit)


class ReasonForm(ConfirmForm):
    reason = forms.CharField(
        label=_("Why"), max_length=120, widget=UnfoldAdminTextInputWidget, help_text=_("It stays for good: no names.")
    )


def read_amount(text: str, unit: Unit) -> int:
    """An amount as people type it, in the unit's smallest part; a comma is a point.

    Raises:
        ValidationError: not a number, nought, or with more decimal places than the unit has.
    """
    try:
        amount = Decimal(text.strip().replace(",", ".")).scaleb(unit.digits)
    except InvalidOperation:
        raise ValidationError(_("Write an amount such as 12.50.")) from None
    if not amount.is_finite() or amount != amount.to_integral_value() or not amount or abs(amount) > 10**15:
        raise ValidationError(
            _("Write an amount with at most %(digits)s decimal places."), params={"digits": unit.digits}
        )
    return int(amount)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _as_fields(rule: UnitRule) -> dict[str, Any]:
    expiry = rule.expiry.model_dump()
    kind = expiry.pop("kind")
    return {
        **expiry,
        "name": rule.name,
        "counted": rule.counted,
        "expires": expiry.get("per", kind),
        "most_percent": Decimal(rule.most_basis_points) / 100,
        "excluded_categories": ", ".join(rule.excluded_categories),
        "excluded_products": ", ".join(rule.excluded_products),
        "worth_points": rule.worth_points,
        "worth": ", ".join(f"{money.to_major(minor, code)} {code}" for code, minor in rule.worth.items()),
        "may_be_negative": rule.may_be_negative,
        "least_days_after_return": rule.least_days_after_return,
    }
