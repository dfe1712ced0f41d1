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
)

from retention import money


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
