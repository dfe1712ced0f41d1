"""A new gift in a few words, for somebody who has never written an incentive: what it is, how much, for how long."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from retention import money
from retention.customers.models import OrderLine, Product
from retention.incentives.facts import shop_currency
from retention.incentives.models import Incentive
from retention.incentives.rules import IncentiveRule

KINDS = [
    ("coupon", _("Coupon")), ("gift_card", _("Gift card")), ("credit", _("Store credit")),
    ("product", _("Product or sample")), ("experience", _("Experience")), ("donation", _("Donation")),
]  # fmt: skip
#: Field → for which kinds it is asked, as the theme's conditions have it.
SHOWN_FOR = {
    "off": "kind == 'coupon'",
    "percent": "kind == 'coupon' && off == 'percent'",
    "amount": "(kind == 'coupon' && off == 'amount') || kind == 'gift_card' || kind == 'credit'",
    "product": "kind == 'product'",
    "work": "kind == 'experience' || kind == 'donation'",
    "days": "kind == 'coupon' || kind == 'gift_card' || kind == 'credit' || kind == 'product'",
}


class _ProductPicker(AutocompleteSelect):
    def __init__(self) -> None:
        # Any foreign key to products tells the picker where to search.
        product = OrderLine._meta.get_field("product")
        super().__init__(product, admin.site, attrs={"class": "unfold-admin-autocomplete"})


class GiftFields(forms.Form):
    """The fields of a new gift beside its kind and name; `gift` makes its rule of what was typed."""

    off = forms.ChoiceField(
        label=_("Takes off"), required=False, widget=UnfoldAdminSelectWidget,
        choices=[("percent", _("so many percent")), ("amount", _("an amount")), ("shipping", _("the shipping"))],
    )  # fmt: skip
    percent = forms.DecimalField(
        label=_("Percent"), required=False, min_value=0, max_value=100, max_digits=5, decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget,
    )  # fmt: skip
    amount = forms.DecimalField(
        label=_("Amount"), required=False, min_value=0, max_value=10**9, widget=UnfoldAdminDecimalFieldWidget,
        help_text=_("In the shop's currency."),
    )  # fmt: skip
    product = forms.ModelChoiceField(
        Product.objects.filter(archived_at=None), label=_("Product"), required=False, widget=_ProductPicker,
        help_text=_("It comes with her next order, for nothing."),
    )  # fmt: skip
    work = forms.CharField(
        label=_("What is to be done"), required=False, max_length=1_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=_("For your people: each one that is given comes onto their work-list."),
    )  # fmt: skip
    days = forms.IntegerField(
        label=_("Good for so many days"), required=False, min_value=1, max_value=3_660,
        widget=UnfoldAdminIntegerFieldWidget, help_text=_("From when she gets it. Empty: it does not end."),
    )  # fmt: skip

    def gift(self, *, kind: str, name: str) -> IncentiveRule | None:
        """The rule with a code for each customer; None where something is missing, which its field says then."""
        typed, effect = self.cleaned_data, self._effect(kind, name[:120])
        if effect is None or self.errors:
            return None
        ends = {"hours_after_given": 24 * typed["days"]} if typed["days"] and "days" not in effect else {}
        return IncentiveRule.model_validate({"name": name[:120], "effects": [effect], "validity": ends})

    def _effect(self, kind: str, name: str) -> dict[str, Any] | None:
        typed = self.cleaned_data
        match kind, typed.get("off"):
            case ("coupon", "shipping"):
                return {"kind": "free_shipping"}
            case ("coupon", "percent"):
                percent = self._filled("percent")
                return percent and {"kind": "percent", "basis_points": int(percent * 100)}
            case ("coupon", _):
                amounts = self._amounts()
                return amounts and {"kind": "amount", "amounts": amounts}
            case ("gift_card" | "credit", _):
                amounts = self._amounts()
                given = "gift_card" if kind == "gift_card" else "store_credit"
                return amounts and {"kind": given, "amounts": amounts, "days": typed.get("days")}
            case ("product", _):
                product = self._filled("product")
                return product and {"kind": "free_product", "products": [product.sku]}
        return {"kind": "experience", "name": name, "instructions": typed["work"]}

    def _amounts(self) -> Any:
        """The amount by currency; None where it is missing or none of the currency's."""
        typed, currency = self._filled("amount"), shop_currency()
        try:
            return typed and {currency: money.to_minor(typed, currency)}
        except money.BadMoney as bad:
            self.add_error("amount", str(bad))
            return None

    def _filled(self, name: str) -> Any:
        if not (value := self.cleaned_data.get(name)) and name not in self.errors:
            self.add_error(name, _("Fill this in."))
        return value or None


class GiftForm(forms.ModelForm, GiftFields):
    """A new incentive by the few words of a gift, where the whole builder would be too much."""

    name = forms.CharField(
        label=_("Name"), max_length=120, widget=UnfoldAdminTextInputWidget, help_text=_("Customers may read it.")
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=KINDS, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = Incentive
        fields: tuple[str, ...] = ()

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or self.cleaned_data
        if not self.errors:
            typed["rule"] = self.gift(kind=typed["kind"], name=typed["name"])
        return typed

    def _get_validation_exclusions(self) -> set[str]:
        # The kind is the gift's; the row's own follows from the rule.
        return {field.name for field in self._meta.model._meta.get_fields()}
