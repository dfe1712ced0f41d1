"""Accounts with what is left in them, entries to be read, and corrections that say why."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from retention import clock
from retention.customers.admin.customers import Facts, on_customer_page
from retention.doors.console import DaysFilter, FactAdmin, acting, confirm
from retention.doors.console.words import actor_words, behalf
from retention.ledger import operations
from retention.ledger.days import shop_zone
from retention.ledger.forms import AdjustForm, ReasonForm
from retention.ledger.models import Account, Entry, Hold, Lot
from retention.ledger.querysets import balances
from retention.ledger.units import day_end
from retention.ledger.versions import rule_of


def owner_words(account: Account) -> Any:
    """Whose account it is, in words."""
    if account.kind == Account.Kind.SYSTEM:
        return account.get_purpose_display()
    return account.customer or behalf(account.origin, account.origin_id)


class LotsTab(Facts):
    model = Lot
    fields = readonly_fields = ("shown_amount", "shown_left", "active_at", "pending_event", "expires_at")
    verbose_name_plural = _("Parts")

    @display(description=_("came"))
    def shown_amount(self, lot: Lot) -> str:
        return rule_of(lot.account.unit).show(lot.amount)

    @display(description=_("left"))
    def shown_left(self, lot: Lot) -> str:
        return rule_of(lot.account.unit).show(lot.remaining)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(remaining__gt=0).select_related("account__unit")


class HoldsTab(Facts):
    model = Hold
    fields = readonly_fields = ("shown_amount", "state", "placed_at", "expires_at", "ended_at")
    verbose_name_plural = _("Holds")

    @display(description=_("amount"))
    def shown_amount(self, hold: Hold) -> str:
        return rule_of(hold.account.unit).show(hold.amount)


@on_customer_page
class AccountsTab(Facts):
    model = Account
    fields = readonly_fields = ("unit", "shown_balance", "shown_available", "is_frozen")
    verbose_name_plural = _("Balances")
    show_change_link = True

    @display(description=_("Balance"))
    def shown_balance(self, account: Account) -> str:
        return rule_of(account.unit).show(account.balance)

    @display(description=_("Can be spent"))
    def shown_available(self, account: Account) -> str:
        (found,) = balances([account.pk], now=clock.now())
        return rule_of(account.unit).show(found.available)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("unit")


@admin.register(Account)
class AccountAdmin(FactAdmin):
    list_display = ("id", "owner", "unit", "shown_balance", "is_frozen")
    list_filter = (("unit", AutocompleteSelectFilter), "kind", "is_frozen")
    list_select_related = ("unit", "customer")
    search_fields = ("customer__email_normal__exact", "customer__reference__exact")
    search_help_text = _("Email or reference of the customer, whole")
    fields = ("owner", "unit", "shown_balance", "shown_available", "shown_held", "is_frozen", "statement", "opened_at")
    readonly_fields = ("owner", "shown_balance", "shown_available", "shown_held", "statement")
    inlines = (LotsTab, HoldsTab)
    actions_detail = ("adjust", "freeze", "thaw")
    empty_hint = _("An account opens when something is first given: credit, points, a gift card.")

    @display(description=_("Whose"))
    def owner(self, account: Account) -> Any:
        return owner_words(account)

    @display(description=_("Balance"))
    def shown_balance(self, account: Account) -> str:
        return "—" if account.kind == Account.Kind.SYSTEM else rule_of(account.unit).show(account.balance)

    @display(description=_("Can be spent"))
    def shown_available(self, account: Account) -> str:
        (found,) = balances([account.pk], now=clock.now())
        return rule_of(account.unit).show(found.available)

    @display(description=_("Held for orders"))
    def shown_held(self, account: Account) -> str:
        return rule_of(account.unit).show(account.held)

    @display(description=_("Entries"))
    def statement(self, account: Account) -> Any:
        url = f"{reverse('admin:ledger_entry_changelist')}?account={account.pk}"
        return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, _("Show them"))

    def buttons_of(self, obj: Account) -> tuple[str, ...]:
        if obj.kind == Account.Kind.SYSTEM:
            return ()
        return ("adjust", "thaw" if obj.is_frozen else "freeze")

    @confirm(
        title=_("Correct the balance"), permissions=["ledger.adjust_account"], form_class=AdjustForm, icon="edit_note"
    )
    def adjust(self, request: HttpRequest, form: AdjustForm, obj: Account) -> str:
        typed = form.cleaned_data
        operations.adjust(
            account_id=obj.pk, amount=typed["amount"], source=f"{typed['source']}:{obj.pk}", reason=typed["reason"],
            expires_at=day_end(typed["expires_on"], shop_zone()), **acting(request),
        )  # fmt: skip
        return str(_("Corrected by %s.") % rule_of(obj.unit).show(typed["amount"]))

    @confirm(
        title=_("Block this account"), description=_("Nothing can be spent from it until it is freed."),
        permissions=["ledger.freeze_account"], form_class=ReasonForm, icon="lock",
    )  # fmt: skip
    def freeze(self, request: HttpRequest, form: ReasonForm, obj: Account) -> str:
        operations.freeze(account_id=obj.pk, is_frozen=True, reason=form.cleaned_data["reason"], **acting(request))
        return str(_("Blocked."))

    @confirm(
        title=_("Free this account"), permissions=["ledger.freeze_account"], form_class=ReasonForm, icon="lock_open"
    )
    def thaw(self, request: HttpRequest, form: ReasonForm, obj: Account) -> str:
        operations.freeze(account_id=obj.pk, is_frozen=False, reason=form.cleaned_data["reason"], **acting(request))
        return str(_("Freed."))


class OfAccount(admin.SimpleListFilter):
    """Entries on either side of one account; reached by links."""

    title = _("account")
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(self.value(), self.value())] if self.value() else []

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value()
        if not value or not value.isdecimal() or len(value) > 18:
            return queryset
        return queryset.filter(Q(from_account=int(value)) | Q(to_account=int(value)))


@admin.register(Entry)
class EntryAdmin(FactAdmin):
    list_display = ("recorded_at", "unit", "shown_from", "shown_to", "shown_amount", "verb", "behalf")
    list_filter = (("unit", AutocompleteSelectFilter), "verb", ("recorded_at", DaysFilter), OfAccount)
    list_select_related = ("unit", "from_account__customer", "to_account__customer")
    search_fields = ("source__exact",)
    search_help_text = _("Idempotency key, whole")
    fields = (
        "unit", "shown_from", "shown_to", "shown_amount", "verb", "reason", "behalf", "reverses", "effective_at",
        "recorded_at", "shown_by", "source",
    )  # fmt: skip
    readonly_fields = ("shown_from", "shown_to", "shown_amount", "behalf", "shown_by")
    labels = {"source": _("Idempotency key")}
    actions_detail = ("reverse",)
    empty_hint = _("Whatever is given, spent, returned or expires is an entry here; none is ever changed.")

    @display(description=_("From"))
    def shown_from(self, entry: Entry) -> Any:
        return owner_words(entry.from_account)

    @display(description=_("To"))
    def shown_to(self, entry: Entry) -> Any:
        return owner_words(entry.to_account)

    @display(description=_("Amount"))
    def shown_amount(self, entry: Entry) -> str:
        return rule_of(entry.unit).show(entry.amount)

    @display(description=_("On behalf of"))
    def behalf(self, entry: Entry) -> Any:
        return behalf(entry.origin, entry.origin_id) if entry.origin else "—"

    @display(description=_("By"))
    def shown_by(self, entry: Entry) -> str:
        return actor_words(entry.by)

    @confirm(
        title=_("Undo this entry"), description=_("Another entry answers it, as far as there is something to take."),
        permissions=["ledger.reverse_entry"], form_class=ReasonForm, icon="undo",
    )  # fmt: skip
    def reverse(self, request: HttpRequest, form: ReasonForm, obj: Entry) -> str:
        done = operations.reverse(
            entry_id=obj.pk, source=f"reverse:{obj.pk}", reason=form.cleaned_data["reason"], **acting(request)
        )
        show = rule_of(obj.unit).show
        return str(_("%(amount)s of %(wanted)s undone.") % {"amount": show(done.amount), "wanted": show(done.wanted)})
