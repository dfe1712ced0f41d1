"""Gift cards in the console: made by hand, topped up, corrected, activated and blocked."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminTextInputWidget

from retention import clock, money
from retention.doors.console import ConfirmForm, FactAdmin, acting, confirm
from retention.incentives.codes import readings
from retention.incentives.models import GiftCard
from retention.incentives.operations import gift_cards
from retention.ledger.days import shop_zone
from retention.ledger.querysets import balances
from retention.ledger.units import day_end
from retention.shop.models import Shop

_BUTTONS = {
    GiftCard.State.INACTIVE: ("activate", "block"),
    GiftCard.State.ACTIVE: ("top_up", "adjust", "block"),
    GiftCard.State.BLOCKED: ("unblock", "adjust"),
}


class OnceForm(ConfirmForm):
    """Sent twice it acts once."""

    source = forms.CharField(widget=forms.HiddenInput, max_length=100)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["source"].initial = f"console:{uuid.uuid4().hex}"

    def in_minor(self, text: str, currency: str) -> int:
        try:
            return money.to_minor(text.strip().replace(",", "."), currency)
        except money.BadMoney as error:
            raise forms.ValidationError(_("Write an amount such as 12.50.")) from error


def _amount(help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=_("Amount"), max_length=20, widget=UnfoldAdminTextInputWidget, help_text=help_text
    )  # fmt: skip


def _why() -> forms.CharField:
    return forms.CharField(
        label=_("Why"), max_length=120, widget=UnfoldAdminTextInputWidget, help_text=_("It stays for good: no names.")
    )


class MakeForm(OnceForm):
    amount = _amount()
    currency = forms.CharField(label=_("Currency"), max_length=3, widget=UnfoldAdminTextInputWidget)
    expires_on = forms.DateField(label=_("Last day"), required=False, widget=UnfoldAdminDateWidget)
    categories = forms.CharField(
        label=_("Only for these categories"), required=False, max_length=2_000, widget=UnfoldAdminTextInputWidget,
        help_text=_("With commas between them; empty: for everything."),
    )  # fmt: skip
    products = forms.CharField(
        label=_("Only for these products"), required=False, max_length=2_000, widget=UnfoldAdminTextInputWidget,
        help_text=_("Their numbers, with commas between them."),
    )  # fmt: skip
    reason = _why()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["currency"].initial = Shop.objects.values_list("currency", flat=True).first()

    def clean(self) -> dict[str, Any]:
        typed = super().clean()
        if not self.errors:
            typed["amount_minor"] = self.in_minor(typed["amount"], typed["currency"])
            for name in ("categories", "products"):
                typed[name] = [part.strip() for part in typed[name].split(",") if part.strip()]
        return typed


class PutForm(OnceForm):
    amount = _amount()
    reason = _why()

    def clean_amount(self) -> int:
        return self.in_minor(self.cleaned_data["amount"], self.obj.currency)


class CorrectForm(PutForm):
    amount = _amount(_("With a minus it is taken away."))


class WhyForm(ConfirmForm):
    reason = _why()


@admin.register(GiftCard)
class GiftCardAdmin(FactAdmin):
    list_display = ("shown_code", "shown_balance", "shown_initial", "shown_state", "whose", "expires_at")
    list_filter = ("state",)
    list_select_related = ("code__customer", "account__unit__version")
    search_fields = ("code__code__startswith", "code__customer__email_normal__exact")
    search_help_text = _("The beginning of its code, however it is typed; email of the customer, whole")
    fields = (
        "shown_code", "state", "shown_balance", "shown_available", "shown_initial", "whose", "products",
        "categories", "expires_at", "made_at", "shown_account",
    )  # fmt: skip
    readonly_fields = (
        "shown_code", "shown_balance", "shown_available", "shown_initial", "whose", "shown_account",
    )  # fmt: skip
    actions_list = ("make",)
    actions_detail = ("top_up", "adjust", "activate", "block", "unblock")
    empty_hint = _("An offer that gives gift cards makes them, your shop through the API, or you here.")

    def get_search_results(self, request, queryset, search_term):
        begun = readings(search_term)
        return super().get_search_results(request, queryset, begun[0] if begun else search_term)

    def buttons_of(self, obj: GiftCard) -> tuple[str, ...]:
        return _BUTTONS[GiftCard.State(obj.state)]

    @display(description=_("Code"))
    def shown_code(self, card: GiftCard) -> str:
        return card.code.code

    @display(description=_("State"), label={"active": "success", "inactive": "info", "blocked": "danger"})
    def shown_state(self, card: GiftCard) -> tuple[str, Any]:
        return card.state, card.get_state_display()

    @display(description=_("Left"))
    def shown_balance(self, card: GiftCard) -> str:
        return money.show(card.account.balance, card.currency)

    @display(description=_("Can be spent"))
    def shown_available(self, card: GiftCard) -> str:
        (found,) = balances([card.account_id], now=clock.now())
        return money.show(found.available, card.currency)

    @display(description=_("Made with"))
    def shown_initial(self, card: GiftCard) -> str:
        return money.show(card.initial_minor, card.currency)

    @display(description=_("Whose"))
    def whose(self, card: GiftCard) -> Any:
        return card.code.customer or "—"

    @display(description=_("Transactions"))
    def shown_account(self, card: GiftCard) -> Any:
        url = f"{reverse('admin:ledger_entry_changelist')}?account={card.account_id}"
        return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, _("Show them"))

    @confirm(
        title=_("Make a gift card"), permissions=["incentives.make_giftcard"], form_class=MakeForm, icon="add_card"
    )
    def make(self, request: HttpRequest, form: MakeForm, obj: None) -> str:
        typed = form.cleaned_data
        names = ("amount_minor", "currency", "categories", "products", "reason", "source")
        card = gift_cards.create_card(
            **{name: typed[name] for name in names}, expires_at=day_end(typed["expires_on"], shop_zone()),
            **acting(request),
        )  # fmt: skip
        return str(_("Made: %(code)s, worth %(amount)s.")) % {
            "code": card.code.code,
            "amount": money.show(card.initial_minor, card.currency),
        }

    @confirm(title=_("Top up"), permissions=["incentives.make_giftcard"], form_class=PutForm, icon="add")
    def top_up(self, request: HttpRequest, form: PutForm, obj: GiftCard) -> str:
        typed = form.cleaned_data
        card = gift_cards.top_up(
            card_id=obj.pk, amount_minor=typed["amount"], source=f"{typed['source']}:{obj.pk}",
            reason=typed["reason"], **acting(request),
        )  # fmt: skip
        return str(_("%s are on it now.") % money.show(card.account.balance, card.currency))

    @confirm(
        title=_("Correct the balance"), permissions=["ledger.adjust_account"], form_class=CorrectForm, icon="edit_note"
    )
    def adjust(self, request: HttpRequest, form: CorrectForm, obj: GiftCard) -> str:
        typed = form.cleaned_data
        card = gift_cards.adjust_card(
            card_id=obj.pk, amount_minor=typed["amount"], source=f"{typed['source']}:{obj.pk}",
            reason=typed["reason"], **acting(request),
        )  # fmt: skip
        return str(_("%s are on it now.") % money.show(card.account.balance, card.currency))

    @confirm(title=_("Activate"), permissions=["incentives.make_giftcard"], icon="check")
    def activate(self, request: HttpRequest, form: ConfirmForm, obj: GiftCard) -> str:
        gift_cards.activate_card(card_id=obj.pk, **acting(request))
        return str(_("It can be used now."))

    @confirm(
        title=_("Block"), description=_("Nothing can be paid with it until it is freed; what is on it stays."),
        permissions=["incentives.block_giftcard"], form_class=WhyForm, icon="lock",
    )  # fmt: skip
    def block(self, request: HttpRequest, form: WhyForm, obj: GiftCard) -> str:
        gift_cards.block_card(card_id=obj.pk, reason=form.cleaned_data["reason"], **acting(request))
        return str(_("Blocked."))

    @confirm(title=_("Free"), permissions=["incentives.block_giftcard"], form_class=WhyForm, icon="lock_open")
    def unblock(self, request: HttpRequest, form: WhyForm, obj: GiftCard) -> str:
        gift_cards.unblock_card(card_id=obj.pk, reason=form.cleaned_data["reason"], **acting(request))
        return str(_("It can be used again."))
