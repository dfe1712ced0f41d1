"""What agents type at the sorry desk, as Python values."""

import uuid
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from retention import money
from retention.customers.models import Customer, Order, OrderLine
from retention.shop.models import Shop
from retention.support.models import Reason

CHANNELS = [("phone", _("Phone")), ("chat", _("Chat")), ("mail", _("Mail")), ("shop", _("In the shop"))]


def read_amount(text: str, currency: str) -> int:
    """Minor units of an amount typed in major units; a comma is a point.

    Raises:
        ValidationError: not an amount, or with more digits than the currency has.
    """
    try:
        return money.to_minor(text.strip().replace(",", "."), currency)
    except money.BadMoney as error:
        raise ValidationError(_("Write an amount such as %(example)s."), params={"example": "12.50"}) from error


class ComplaintForm(forms.Form):
    """One complaint with what is given for it. `about` is empty, `order-7` or `line-31`: one click chooses either."""

    token = forms.CharField(max_length=40, widget=forms.HiddenInput)
    reason = forms.ModelChoiceField(
        Reason.objects.filter(is_active=True), error_messages={"required": _("Choose a reason.")}
    )
    about = forms.RegexField(r"^(order|line)-\d{1,18}$", required=False)
    only_product = forms.BooleanField(required=False)
    amount = forms.CharField(max_length=20, error_messages={"required": _("Write an amount.")})
    words = forms.CharField(max_length=1000, required=False, widget=forms.Textarea)
    channel = forms.ChoiceField(choices=[("", ""), *CHANNELS], required=False)
    is_confirmed = forms.BooleanField(required=False)

    def __init__(self, *args: Any, customer: Customer, shop: Shop, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.customer, self.shop = customer, shop

    @staticmethod
    def new_token() -> str:
        return uuid.uuid4().hex

    def clean_amount(self) -> int:
        return read_amount(self.cleaned_data["amount"], self.shop.currency)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        order, line = chosen(self.customer, cleaned.get("about", ""))
        cleaned["order"], cleaned["line"] = order, line
        if cleaned.get("only_product") and line is None:
            raise ValidationError(_("Choose the line whose product the coupon is to be good for."))
        return cleaned


def chosen(customer: Customer, about: str) -> tuple[Order | None, OrderLine | None]:
    """The order and the line that an `about` names, where they are this customer's."""
    kind, _dash, number = (about or "").partition("-")
    if not number.isdecimal():
        return None, None
    if kind == "line":
        lines = OrderLine.objects.select_related("order", "product")
        line = lines.filter(pk=int(number), order__customer=customer).first()
        return (line.order, line) if line else (None, None)
    return Order.objects.filter(pk=int(number), customer=customer).first(), None
