"""Payouts in the console: drawn up, approved by another person, written for the bank, paid or cancelled."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db.models import Count, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import TabularInline
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from referrals.admin.partners import as_file
from referrals.bank_files import as_rows
from referrals.ibans import shown
from referrals.models import Partner, Payout, PayoutBatch
from referrals.operations import payouts as operations
from referrals.operations.payouts import Outlook, outlook, short_of
from retention import clock, money
from retention.doors.console import ConfirmForm, FactAdmin, acting, button, confirm

_TONES = {"draft": "info", "approved": "warning", "paid": "success", "cancelled": "default"}
TONES = {PayoutBatch.State(state).label: tone for state, tone in _TONES.items()}
BUTTONS: dict[str, tuple[str, ...]] = {
    "draft": ("approve", "cancel"),
    "approved": ("file", "pay", "cancel"),
    "paid": ("file",),
    "cancelled": (),
}


class DrawUpForm(ConfirmForm):
    currency = forms.ChoiceField(label=_("Currency"), widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        known = Partner.objects.order_by("currency").values_list("currency", flat=True).distinct()
        self.fields["currency"].choices = [(each, each) for each in known]

    def preview(self) -> str:
        currencies = [key for key, _label in self.fields["currency"].choices]
        if not currencies:
            return str(_("There are no partners yet."))
        return " ".join(words_of(outlook(currency=each, now=clock.now())) for each in currencies)


class PayForm(ConfirmForm):
    reference = forms.CharField(
        label=_("The bank's reference"), required=False, max_length=60, widget=UnfoldAdminTextInputWidget
    )


def words_of(found: Outlook) -> str:
    """What drawing up in one currency would pay, and whom it leaves out."""
    words = {
        "currency": found.currency,
        "total": money.show(found.total_minor, found.currency),
        "count": len(found.amounts),
    }
    said = [
        ngettext(
            "%(currency)s: %(total)s to %(count)s partner.",
            "%(currency)s: %(total)s to %(count)s partners.",
            len(found.amounts),
        )
        % words
    ]
    if found.low:
        said.append(str(_("%s have less than their least.")) % found.low)
    if found.bare:
        said.append(str(_("%s lack an account at a bank.")) % found.bare)
    return " ".join(said)


def _others_who_approve(request: HttpRequest) -> Any:
    """Some of the people who may approve what this one drew up."""
    may = get_user_model().objects.with_perm(
        "referrals.approve_payoutbatch", backend="django.contrib.auth.backends.ModelBackend"
    )
    return may.exclude(pk=request.user.pk).order_by("pk")[:5]


class PayoutsTab(TabularInline):
    model = Payout
    tab, extra, can_delete, per_page = True, 0, False, 50
    fields = readonly_fields = ("partner", "shown_amount", "iban")
    verbose_name_plural = _("Payouts")

    def has_add_permission(self, request, obj=None) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_view_permission(self, request, obj=None) -> bool:
        return request.user.has_perm("referrals.view_payoutbatch")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("partner", "batch")

    @display(description=_("amount"))
    def shown_amount(self, payout: Payout) -> str:
        return money.show(payout.amount_minor, payout.batch.currency)

    @display(description="IBAN")
    def iban(self, payout: Payout) -> str:
        return shown(payout.partner.iban)


@admin.register(PayoutBatch)
class PayoutBatchAdmin(FactAdmin):
    list_display = ("id", "drawn_up_at", "shown_state", "count", "total", "drawn_up_by", "approved_by", "paid_at")
    list_filter = ("state",)
    list_select_related = ("drawn_up_by", "approved_by")
    fields = (("shown_state", "total"), ("drawn_up_at", "drawn_up_by"), ("approved_at", "approved_by"),
              ("paid_at", "reference"))  # fmt: skip
    readonly_fields = ("shown_state", "total")
    inlines = (PayoutsTab,)
    actions_list = ("draw_up",)
    actions_detail = ("approve", "file", "pay", "cancel")
    change_form_before_template = "referrals/payouts.html"
    empty_hint = _("Draw up payouts, and everything that partners can be paid is set aside for the bank.")

    def get_queryset(self, request: HttpRequest) -> Any:
        sums = {"payouts_count": Count("payouts"), "total_minor": Sum("payouts__amount_minor")}
        return super().get_queryset(request).annotate(**sums)

    def buttons_of(self, obj):
        return tuple(name for name in BUTTONS[obj.state] if not (name == "approve" and obj.is_mine))

    def get_object(self, request, object_id, from_field=None):
        batch = super().get_object(request, object_id, from_field)
        if batch is not None:
            is_open = batch.state in (PayoutBatch.State.DRAFT, PayoutBatch.State.APPROVED)
            batch.short = short_of(batch).count() if is_open else 0
            batch.is_mine = batch.drawn_up_by_id == request.user.pk
            batch.approvers = ", ".join(map(str, _others_who_approve(request))) if batch.is_mine else ""
        return batch

    @display(description=_("state"), label=TONES, ordering="state")
    def shown_state(self, obj: PayoutBatch) -> str:
        return obj.get_state_display()

    @display(description=_("partners"))
    def count(self, obj: Any) -> int:
        return obj.payouts_count

    @display(description=_("total"))
    def total(self, obj: Any) -> str:
        return money.show(obj.total_minor or 0, obj.currency)

    @confirm(
        title=_("Draw up payouts"), submit=_("Draw up"), permissions=["referrals.add_payoutbatch"],
        description=_("Everything that can be paid now is set aside. Another person approves it before the bank gets"
                      " it."),
        form_class=DrawUpForm, icon="payments", variant=ActionVariant.PRIMARY,
    )  # fmt: skip
    def draw_up(self, request, form, obj):
        batch = operations.draw_up(currency=form.cleaned_data["currency"], **acting(request))
        messages.success(request, _("Drawn up. Somebody else must approve it now."))
        return HttpResponse(headers={"HX-Redirect": reverse("admin:referrals_payoutbatch_change", args=[batch.pk])})

    approve = button(
        operations.approve_payouts, of="batch_id", done=_("Approved: the file for the bank is ready."),
        title=_("Approve"), description=_("You have looked at each of them. The file for the bank is ready then."),
        permissions=["referrals.approve_payoutbatch"], icon="verified", variant=ActionVariant.PRIMARY,
    )  # fmt: skip
    pay = button(
        operations.pay_out, of="batch_id", takes=["reference"], done=_("Paid: it has left the books."),
        title=_("The bank has paid"), description=_("Press this once the bank has taken the file: the cash leaves the"
                                                    " books, and partners see it in their statements."),
        permissions=["referrals.approve_payoutbatch"], form_class=PayForm, icon="account_balance",
        variant=ActionVariant.PRIMARY,
    )  # fmt: skip
    cancel = button(
        operations.cancel_payouts, of="batch_id", done=_("Cancelled: it can be drawn up again."), title=_("Cancel"),
        description=_("Nothing is paid. What was set aside can be drawn up again. If the bank has the file already,"
                      " stop it there first."),
        permissions=["referrals.add_payoutbatch"], icon="cancel", variant=ActionVariant.DANGER,
    )  # fmt: skip

    @action(
        description=_("File for the bank"), icon="download", url_path="file",
        permissions=["referrals.approve_payoutbatch"],
    )  # fmt: skip
    def file(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One credit transfer a row; of approved payouts alone."""
        batch = self.get_object(request, str(object_id))
        if batch is None or "file" not in BUTTONS[batch.state]:
            raise Http404
        return as_file(as_rows(batch), f"payouts-{batch.pk}")
