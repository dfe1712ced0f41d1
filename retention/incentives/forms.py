"""The console's form for a rule: fields a marketer fills in, and their way to and from the rule."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError as RuleError
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from retention import money
from retention.incentives.baskets import amount_text
from retention.incentives.facts import shop_currency
from retention.incentives.models import Incentive
from retention.incentives.rules import IncentiveRule
from retention.incentives.versions import rule_of


class AmountsField(forms.CharField):
    """`10.00 EUR, 12 USD` → {"EUR": 1000, "USD": 1200}; without a currency, the shop's."""

    widget = UnfoldAdminTextInputWidget

    def to_python(self, value: Any) -> dict[str, int]:
        found: dict[str, int] = {}
        for part in filter(None, (part.strip() for part in re.split(r"[,;/\n]", super().to_python(value)))):
            matched = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]{3})?", part)
            if not matched:
                raise forms.ValidationError(_("“%(part)s” is not an amount like 10.00 EUR."), params={"part": part})
            currency = (matched[2] or shop_currency()).upper()
            try:
                found[currency] = money.to_minor(matched[1], currency)
            except money.BadMoney as bad:
                raise forms.ValidationError(str(bad)) from None
        return found

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return ", ".join(amount_text(minor, currency) for currency, minor in value.items())
        return value


class LinesField(forms.CharField):
    """One word or path a line."""

    widget = UnfoldAdminTextareaWidget

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}), **options)

    def to_python(self, value: Any) -> list[str]:
        return [line.strip() for line in super().to_python(value).splitlines() if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, (list, tuple)) else value


def _count(label: Any, help_text: Any = "", least: int = 1) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, required=False, min_value=least, help_text=help_text, widget=UnfoldAdminIntegerFieldWidget
    )


def _switch(label: Any, help_text: Any = "") -> forms.BooleanField:
    return forms.BooleanField(label=label, required=False, help_text=help_text, widget=UnfoldBooleanSwitchWidget)


def _choice(label: Any, *choices: tuple[str, Any], help_text: Any = "") -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, help_text=help_text, widget=UnfoldAdminSelectWidget)


class RuleForm(forms.ModelForm):
    """Everything of a rule, in the fields that its kind needs."""

    kind = _choice(
        _("Kind"), ("percent", _("Percent off")), ("amount", _("Amount off")), ("free_shipping", _("Free shipping"))
    )
    percent = forms.DecimalField(
        label=_("Percent"),
        required=False,
        min_value=Decimal("0.01"),
        max_value=100,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget,
    )
    amounts = AmountsField(
        label=_("Amount"),
        required=False,
        help_text=_("Like 10.00 EUR; more currencies after a comma. Baskets in other currencies get nothing."),
    )
    is_from_grant = _switch(_("Set for each customer when it is given"), _("As at the sorry desk."))
    cap = AmountsField(label=_("At most"), required=False, help_text=_("Like 50.00 EUR. Empty: no cap."))
    also_free_shipping = _switch(_("And free shipping"))
    shipping_cap = AmountsField(
        label=_("Shipping up to"), required=False, help_text=_("Like 9.00 EUR. Empty: all of it.")
    )

    scope = _choice(_("Works on"), ("order", _("The whole order")), ("lines", _("Some products")))
    categories = LinesField(label=_("Categories"), help_text=_("One a line, such as Music/Jazz; with all below it."))
    products = LinesField(label=_("Products"), help_text=_("SKUs, one a line."))
    tags = LinesField(label=_("Tags"), help_text=_("One a line."))
    without_categories = LinesField(label=_("But not categories"))
    without_products = LinesField(label=_("But not products"))
    without_tags = LinesField(label=_("But not tags"))
    without_low_margin = _switch(_("Not low-margin products"))
    without_discounted = _switch(_("Not on sale items"))

    minimum = AmountsField(
        label=_("Basket from"), required=False, help_text=_("Goods before discounts, without shipping: 50.00 EUR.")
    )
    first_order = _switch(_("First order only"))
    countries = forms.CharField(
        label=_("Delivered to"),
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Country codes such as DE, AT. Empty: everywhere."),
    )
    channels = forms.CharField(
        label=_("Channels"), required=False, widget=UnfoldAdminTextInputWidget, help_text=_("Such as web, app.")
    )
    has_products = LinesField(label=_("With any of these products"), help_text=_("SKUs, one a line."))
    products_quantity = _count(_("At least so many of them"))
    has_categories = LinesField(label=_("With something from"), help_text=_("Categories, one a line."))
    categories_quantity = _count(_("At least so many of it"))

    total = _count(_("Uses in all"), _("“First 500 shoppers”."))
    per_customer = _count(_("Uses per customer"))
    budget = AmountsField(
        label=_("Budget"), required=False, help_text=_("All discounts together, in one currency: 1000 EUR.")
    )
    per_code = _count(_("Uses per code"), _("Empty: a customer's own code once, a public one without limit."))
    issued = _count(_("Given in all"))
    issued_per_customer = _count(_("Given per customer"))

    code_kind = _choice(
        _("Codes"), ("unique", _("One code for each customer")), ("public", _("One public code for everybody"))
    )
    text = forms.CharField(label=_("Public code"), required=False, max_length=60, widget=UnfoldAdminTextInputWidget)
    pattern = forms.CharField(
        label=_("Looks like"),
        required=False,
        max_length=40,
        initial="##########",
        widget=UnfoldAdminTextInputWidget,
        help_text=_("# is a random symbol; a check symbol is added. For example SPRING-####-####."),
    )
    charset = _choice(
        _("Symbols"),
        ("letters_and_digits", _("Letters and digits")),
        ("letters", _("Letters")),
        ("digits", _("Digits")),
        help_text=_("None that look alike."),
    )
    is_from_pool = _switch(_("Give codes from a pool"), _("Made or imported before, instead of made on the spot."))
    warn_below = _count(_("Tell when fewer codes are left than"), _("Empty: 100. 0: never."), least=0)
    is_bound = _switch(_("Only its customer can use it"))
    is_usable_again = _switch(_("Usable again when the order is cancelled"))
    hours_after_given = _count(_("Hours from being given"), _("48: each code works for two days."))

    class Meta:
        model = Incentive
        fields = ["name", "kind", "code_kind", "starts_at", "ends_at"]
        widgets = {"starts_at": UnfoldAdminSplitDateTimeWidget, "ends_at": UnfoldAdminSplitDateTimeWidget}

    rule: IncentiveRule | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        instance = options.get("instance")
        start = {"charset": "letters_and_digits", "is_bound": True, "is_usable_again": True, "scope": "order"}
        if instance is not None and instance.version_id:
            start |= fields_of(rule_of(instance.version_id))
        options["initial"] = {**start, **(options.get("initial") or {})}
        super().__init__(*args, **options)

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if not self.errors:
            try:
                self.rule = IncentiveRule.model_validate(rule_data(given))
            except RuleError as error:
                for found in error.errors():
                    self.add_error(_field_at(found["loc"], given), found["msg"].removeprefix("Value error, "))
        return given


def rule_data(given: Mapping[str, Any]) -> dict[str, Any]:
    """The rule's data out of the form's cleaned fields."""
    effects = [_goods_effect(given)] if given["kind"] != "free_shipping" else []
    if given["kind"] == "free_shipping" or given["also_free_shipping"]:
        effects.append({"kind": "free_shipping", "cap": given["shipping_cap"]})
    return {
        "name": given["name"],
        "effects": effects,
        "conditions": _conditions(given),
        "limits": _limits(given),
        "codes": _codes(given),
        "validity": {
            "starts_at": given["starts_at"],
            "ends_at": given["ends_at"],
            "hours_after_given": given["hours_after_given"] if given["code_kind"] == "unique" else None,
        },
    }


def _goods_effect(given: Mapping[str, Any]) -> dict[str, Any]:
    scope = {
        "on": given["scope"],
        **({name: given[name] for name in ("categories", "products", "tags")} if given["scope"] == "lines" else {}),
        **{
            name: given[name]
            for name in (
                "without_categories",
                "without_products",
                "without_tags",
                "without_low_margin",
                "without_discounted",
            )
        },
    }
    if given["kind"] == "percent":
        points = int(given["percent"] * 100) if given["percent"] else 0
        return {"kind": "percent", "basis_points": points, "scope": scope, "cap": given["cap"]}
    amounts = {} if given["is_from_grant"] else given["amounts"]
    return {"kind": "amount", "amounts": amounts, "is_from_grant": given["is_from_grant"], "scope": scope}


def _conditions(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    countries = [code.upper() for code in re.split(r"[\s,;]+", given["countries"]) if code]
    channels = [name for name in re.split(r"[\s,;]+", given["channels"]) if name]
    wanted = [
        (given["minimum"], {"kind": "minimum_amount", "amounts": given["minimum"]}),
        (given["first_order"], {"kind": "first_order"}),
        (countries, {"kind": "in_countries", "countries": countries}),
        (channels, {"kind": "in_channels", "channels": channels}),
    ]
    for kind, names in (("has_products", "products"), ("has_categories", "categories")):
        quantity = given[f"{names}_quantity"] or 1
        wanted.append((given[kind], {"kind": kind, names: given[kind], "quantity": quantity}))
    return [condition for is_wanted, condition in wanted if is_wanted]


def _limits(given: Mapping[str, Any]) -> dict[str, Any]:
    budget = [{"amount_minor": minor, "currency": currency} for currency, minor in given["budget"].items()]
    if len(budget) > 1:
        raise forms.ValidationError({"budget": _("A budget is in one currency.")})
    names = ("total", "per_customer", "per_code", "issued", "issued_per_customer")
    return {**{name: given[name] for name in names}, "money": budget[0] if budget else None}


def _codes(given: Mapping[str, Any]) -> dict[str, Any]:
    if given["code_kind"] == "public":
        return {"kind": "public", "text": given["text"], "is_usable_again": given["is_usable_again"]}
    names = ("charset", "is_from_pool", "is_bound", "is_usable_again", "warn_below")
    said = {name: given[name] for name in names if given[name] is not None}
    return {"kind": "unique", "pattern": given["pattern"] or "##########", **said}


def fields_of(rule: IncentiveRule) -> dict[str, Any]:
    """The form's fields as they say this rule."""
    goods = next((effect for effect in rule.effects if effect.kind != "free_shipping"), None)
    shipping = next((effect for effect in rule.effects if effect.kind == "free_shipping"), None)
    found: dict[str, Any] = {
        "kind": goods.kind if goods else "free_shipping",
        "also_free_shipping": bool(goods and shipping),
        "cap": getattr(goods, "cap", {}),
        "shipping_cap": shipping.cap if shipping else {},
        "code_kind": rule.codes.kind,
        **rule.limits.model_dump(exclude={"money"}),
        **rule.codes.model_dump(exclude={"kind"}),
        **rule.validity.model_dump(),
    }
    if rule.limits.money:
        found["budget"] = {rule.limits.money.currency: rule.limits.money.amount_minor}
    if goods:
        found |= {"scope": goods.scope.on, **goods.scope.model_dump(exclude={"on"})}
    if goods and goods.kind == "percent":
        found["percent"] = Decimal(goods.basis_points) / 100
    elif goods:
        found |= {"amounts": goods.amounts, "is_from_grant": goods.is_from_grant}
    for condition in rule.conditions:
        found |= _CONDITION_FIELDS[condition.kind](condition)
    return found


_CONDITION_FIELDS = {
    "minimum_amount": lambda condition: {"minimum": condition.amounts},
    "first_order": lambda condition: {"first_order": True},
    "in_countries": lambda condition: {"countries": ", ".join(condition.countries)},
    "in_channels": lambda condition: {"channels": ", ".join(condition.channels)},
    "has_products": lambda condition: {"has_products": condition.products, "products_quantity": condition.quantity},
    "has_categories": lambda condition: {
        "has_categories": condition.categories,
        "categories_quantity": condition.quantity,
    },
}


def _field_at(place: tuple, given: Mapping[str, Any]) -> str | None:
    """The field that a place in the rule came from; None for the whole."""
    named = {"basis_points": "percent", "amounts": "amounts", "money": "budget", "on": "scope", "text": "text"}
    if place[:1] == ("effects",) and place[-1:] == ("scope",):
        return "scope"
    if place[:1] == ("effects",) and place[-1:] == ("amount",):
        return "amounts"
    if place[:1] == ("conditions",):
        kinds = {"minimum_amount": "minimum", "in_countries": "countries", "in_channels": "channels"}
        return next((kinds.get(part, part) for part in place if isinstance(part, str) and part != "conditions"), None)
    for part in reversed(place):
        name = named.get(part, part)
        if name in given:
            return name
    if place[:1] == ("validity",):
        return "ends_at"
    return None


class TryForm(forms.Form):
    """A basket, a shopper and a moment, to see what an offer would do."""

    lines = forms.CharField(
        label=_("Basket"),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=_(
            "A product a line: SKU, quantity, price. The catalogue knows the rest; “sale” at the end marks one."
        ),
    )
    currency = forms.CharField(label=_("Currency"), max_length=3, widget=UnfoldAdminTextInputWidget)
    shipping = forms.DecimalField(
        label=_("Shipping"), required=False, min_value=0, max_value=10**6, widget=UnfoldAdminDecimalFieldWidget
    )
    country = forms.CharField(
        label=_("Delivered to"),
        required=False,
        max_length=2,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Such as DE."),
    )
    channel = forms.CharField(label=_("Channel"), required=False, max_length=40, widget=UnfoldAdminTextInputWidget)
    customer = forms.CharField(
        label=_("Customer"),
        required=False,
        max_length=254,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Her email or the shop's number. Empty: a stranger."),
    )
    at = forms.DateTimeField(
        label=_("At"),
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("2026-12-24 18:00 by the shop's clock. Empty: now."),
    )

    def clean_currency(self) -> str:
        try:
            return money.check_currency(self.cleaned_data["currency"].upper())
        except money.BadMoney as bad:
            raise forms.ValidationError(str(bad)) from None

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if "lines" in given and "currency" in given:
            try:
                given["goods"] = [
                    self._goods(line, given["currency"]) for line in given["lines"].splitlines() if line.strip()
                ]
                given["shipping_minor"] = money.to_minor(given.get("shipping") or 0, given["currency"])
            except money.BadMoney as bad:
                raise forms.ValidationError({"lines": str(bad)}) from None
        return given

    def _goods(self, line: str, currency: str) -> tuple[str, int, int, bool]:
        parts = [part.strip() for part in re.split(r"[,;\t]", line)]
        is_sale = parts[-1].lower() == "sale"
        parts = parts[:-1] if is_sale else parts
        if len(parts) != 3 or not parts[0] or not parts[1].isdigit() or not 1 <= int(parts[1]) <= 1_000_000:
            raise forms.ValidationError(
                {"lines": _("“%(line)s” is not like: SKU, 2, 19.99") % {"line": line.strip()[:60]}}
            )
        price = money.to_minor(parts[2], currency)
        if not 0 <= price <= 10**12:
            raise forms.ValidationError({"lines": _("“%(line)s” has no sane price.") % {"line": line.strip()[:60]}})
        return parts[0], int(parts[1]), price, is_sale


def moment(given: Mapping[str, Any], now: dt.datetime) -> dt.datetime:
    """When to try it."""
    return given.get("at") or now
