"""The form of the try-it panel: a basket, a shopper and a moment."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from retention import money


def _word(label: Any, help_text: Any = "", most: int = 40) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, max_length=most, widget=UnfoldAdminTextInputWidget, help_text=help_text
    )


class TryForm(forms.Form):
    """A basket, a shopper and a moment, to see what an offer would do."""

    lines = forms.CharField(
        label=_("Basket"),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=_(
            "A product a line: SKU, quantity, price. The catalogue knows the rest; “sale” at the end marks one."
        ),
    )
    is_together = forms.BooleanField(
        label=_("Together with everything that is live"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    codes = _word(_("Other codes typed"), _("After commas; they count when it is tried together."), most=300)
    customer = _word(_("Customer"), _("Her email or the shop's number. Empty: a stranger."), most=254)
    at = forms.DateTimeField(
        label=_("At"),
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("2026-12-24 18:00 by the shop's clock. Empty: now."),
    )
    currency = forms.CharField(label=_("Currency"), max_length=3, widget=UnfoldAdminTextInputWidget)
    shipping = forms.DecimalField(
        label=_("Shipping"), required=False, min_value=0, max_value=10**6, widget=UnfoldAdminDecimalFieldWidget
    )
    country = _word(_("Delivered to"), _("Such as DE."), most=2)
    channel = _word(_("Channel"))
    region = _word(_("Region"))
    store = _word(_("Store"))
    payment_method = _word(_("Paid by"))

    #: Where the order comes from, as conditions may ask.
    PLACES = ("country", "region", "channel", "store", "payment_method")

    def clean_country(self) -> str:
        return self.cleaned_data["country"].upper()

    def clean_codes(self) -> list[str]:
        return [code for code in map(str.strip, re.split(r"[,;\n]", self.cleaned_data["codes"])) if code][:10]

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
