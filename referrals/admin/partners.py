"""Partners in the console: who they are, what they earn, their links, their statement, and how they are forgotten."""

from __future__ import annotations

import csv
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from referrals.ibans import check_iban, shown
from referrals.models import Advocate, Partner, Scheme
from referrals.operations import partners as operations
from referrals.operations.commissions import ORIGIN
from referrals.operations.partners import PartnerData
from referrals.sharing import link_of
from referrals.statements.links import statement_url
from referrals.statements.reading import as_rows, statement
from retention import clock, money
from retention.doors.console import ConfirmForm, EditAdmin, acting, button
from retention.ledger.days import book_day
from retention.ledger.models import Account
from retention.ledger.querysets import balances
from retention.ledger.views import PeriodForm
from retention.shop.models import Shop

OWN = ("reference", "name", "email", "payee", "iban", "tax_number", "currency")


class PartnerForm(forms.ModelForm):
    percent = forms.DecimalField(
        label=_("Share, percent"), min_value=0, max_value=100, max_digits=5, decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget, help_text=_("Of what the friend paid, less what came back."),
    )  # fmt: skip
    least = forms.DecimalField(
        label=_("Pay out from"), required=False, min_value=0, max_digits=14, decimal_places=3,
        widget=UnfoldAdminDecimalFieldWidget, help_text=_("In her currency. Less than this waits."),
    )  # fmt: skip

    class Meta:
        model = Partner
        fields = OWN

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "iban" not in self.fields:  # who may only look gets no fields of the model
            return
        if self.instance.pk:
            self.initial["percent"] = Decimal(self.instance.basis_points) / 100
            self.initial["least"] = money.to_major(self.instance.least_minor, self.instance.currency)
        else:
            self.initial["currency"] = Shop.objects.get().currency
        self.fields["iban"].label = "IBAN"
        self.fields["iban"].max_length = 42  # as people write it, with spaces
        self.fields["iban"].validators = [check_iban]

    def data_of(self) -> PartnerData:
        told = self.cleaned_data
        return PartnerData(
            **{name: told[name] or "" for name in OWN},
            basis_points=int(told["percent"] * 100),
            least_minor=money.to_minor(told["least"] or 0, told["currency"]),
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        try:
            money.to_minor(cleaned.get("least") or 0, cleaned.get("currency") or "EUR")
        except money.BadMoney as error:
            self.add_error("least", str(error))
        return cleaned


class EnrolForm(ConfirmForm):
    scheme_id = forms.TypedChoiceField(label=_("Scheme"), coerce=int, widget=UnfoldAdminSelectWidget)
    code = forms.CharField(
        label=_("Code"), required=False, max_length=60, widget=UnfoldAdminTextInputWidget,
        help_text=_("Letters and digits. Empty: one is drawn."),
    )  # fmt: skip

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        schemes = Scheme.objects.filter(kind=Scheme.Kind.PARTNERS, archived_at=None).exclude(state="ended")
        self.fields["scheme_id"].choices = list(schemes.values_list("pk", "name"))

    def preview(self) -> str:
        return "" if self.fields["scheme_id"].choices else str(_("There is no scheme of partners yet: make one first."))


@admin.register(Partner)
class PartnerAdmin(EditAdmin):
    form = PartnerForm
    is_versioned = False
    list_display = ("name", "reference", "shown_state", "share", "owed")
    list_filter = ("is_active",)
    search_fields = ("name__istartswith", "reference__istartswith")
    actions_detail = ("enrol", "statement_of", "renew_link", "revoke_link", "pause", "resume", "archive", "forget")
    change_form_before_template = "referrals/partner.html"
    labels = {"payee": _("Holder of the account")}
    empty_hint = _("A partner brings customers from outside and is paid a share in cash.")

    class Media:
        css = {"all": ["referrals/referrals.css"]}

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and not getattr(obj, "archived_at", None)

    def get_queryset(self, request: HttpRequest) -> Any:
        accounts = Account.objects.filter(origin=ORIGIN, origin_id=OuterRef("pk"), unit__currency=OuterRef("currency"))
        return super().get_queryset(request).annotate(balance=Subquery(accounts.values("balance")[:1]))

    def get_fieldsets(self, request, obj=None):
        if not (self.has_change_permission(request, obj) if obj else self.has_add_permission(request)):
            # Where her money goes is only for those who may change it.
            return ((None, {"fields": ("reference", "name", "share", "currency", "shown_iban")}),)
        return (
            (_("Who"), {"fields": (("reference", "name"), "email")}),
            (_("What is earned"), {"fields": (("percent", "currency", "least"),)}),
            (_("Where it is paid"), {"fields": (("payee", "iban"), "tax_number")}),
        )

    def get_readonly_fields(self, request, obj=None):
        return ("share", "shown_iban")

    def operate(self, request, form, formsets, change):
        common = {"data": form.data_of(), **acting(request)}
        if change:
            return operations.save_partner(partner_id=form.instance.pk, **common)
        return operations.create_partner(**common)

    def buttons_of(self, obj):
        # What is done about the link to her statement stands beside it, on that page.
        if obj.archived_at:
            return ("statement_of", "forget") if obj.name else ("statement_of",)
        return ("enrol", "statement_of", "pause" if obj.is_active else "resume", "archive")

    def get_object(self, request, object_id, from_field=None):
        partner = super().get_object(request, object_id, from_field)
        if partner is not None:
            partner.shown = standing(partner)
        return partner

    @display(description=_("state"), label={"active": "success", "paused": "warning", "archived": "default"})
    def shown_state(self, obj: Partner) -> tuple[str, Any]:
        if obj.archived_at:
            return "archived", _("Archived")
        return ("active", _("Active")) if obj.is_active else ("paused", _("Paused"))

    @display(description=_("share"), ordering="basis_points")
    def share(self, obj: Partner) -> str:
        return f"{obj.basis_points / 100:g} %"

    @display(description=_("owed to her"))
    def owed(self, obj: Any) -> str:
        return money.show(obj.balance or 0, obj.currency)

    @display(description="IBAN")
    def shown_iban(self, obj: Partner) -> str:
        return shown(obj.iban) or "—"

    enrol = button(
        operations.enrol_partner, of="partner_id", takes=["scheme_id", "code"],
        done=_("Her link is on this page."), title=_("Give her a link"),
        description=_("Who comes by it and orders earns her a share."), permissions=["referrals.change_partner"],
        form_class=EnrolForm, icon="add_link",
    )  # fmt: skip
    renew_link = button(
        operations.renew_link, of="partner_id", done=_("Her statement has a new link; the old one is dead."),
        title=_("New link"),
        description=_("The old link to her statement is dead at once. Send her the new one."),
        permissions=["referrals.change_partner"], icon="autorenew",
    )  # fmt: skip
    revoke_link = button(
        operations.revoke_link, of="partner_id", done=_("Nobody reads her statement by a link any more."),
        title=_("Revoke link"),
        description=_("Whoever opens the link finds nothing, until you make a new one."),
        permissions=["referrals.change_partner"], icon="link_off", variant=ActionVariant.WARNING,
    )  # fmt: skip
    pause = button(
        operations.pause_partner, of="partner_id", done=_("Her links bring nobody now."), title=_("Pause"),
        description=_("Her links bring nobody until you resume her. What was brought still earns."),
        permissions=["referrals.change_partner"], icon="pause", variant=ActionVariant.WARNING,
    )  # fmt: skip
    resume = button(
        operations.resume_partner, of="partner_id", done=_("Her links bring friends again."), title=_("Resume"),
        description=_("Her links bring friends again."), permissions=["referrals.change_partner"], icon="play_arrow",
    )  # fmt: skip
    archive = button(
        operations.archive_partner, of="partner_id", done=_("She is archived; what is owed is still paid out."),
        title=_("Archive"), description=_("For good. Her links bring nobody; what is owed to her is still paid out."),
        permissions=["referrals.change_partner"], icon="archive", variant=ActionVariant.WARNING,
    )  # fmt: skip
    forget = button(
        operations.forget_partner, of="partner_id", done=_("She is forgotten."), title=_("Forget"),
        description=_("Name, email, account at the bank and tax number are blanked, for good. The books keep her"
                      " amounts by number. Save her statement first, if you must keep it."),
        permissions=["referrals.change_partner"], icon="person_off", variant=ActionVariant.DANGER,
    )  # fmt: skip

    @action(description=_("Statement"), icon="receipt_long", url_path="statement", permissions=["view"])
    def statement_of(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Of a period; `format=csv` as a file."""
        partner = self._seen(request, str(object_id))
        now = clock.now()
        today = book_day(now)
        period = {"first": today.replace(day=1), "last": today}
        form = PeriodForm(request.GET if "first" in request.GET else None, initial=period)
        if form.is_valid():
            period = form.cleaned_data
        found = statement(partner, **period, now=now)
        if request.GET.get("format") == "csv":
            return as_file(as_rows(found), f"statement-{partner.pk}-{found.first}-{found.last}")
        context = {
            **self._context(request, partner, _("Statement")), "form": form, "found": shown_statement(found),
            "link": statement_url(partner),
            "may_renew": bool(partner.name) and request.user.has_perm("referrals.change_partner"),
            "as_file": f"?first={found.first}&last={found.last}&format=csv",
        }  # fmt: skip
        return TemplateResponse(request, "referrals/statement.html", context)


def standing(partner: Partner) -> dict[str, Any]:
    """What the top of her page says: what is owed, and her links."""
    account = Account.objects.filter(origin=ORIGIN, origin_id=partner.pk, unit__currency=partner.currency).first()
    links = Advocate.objects.filter(partner=partner).select_related("scheme").order_by("pk")
    held: dict[str, Any] = {}
    if account is not None:
        (now_,) = balances([account.pk], now=clock.now())
        amounts = {"owed": now_.amount, "payable": now_.available, "pending": now_.pending, "set_aside": now_.held}
        held = {name: money.show(minor, partner.currency) for name, minor in amounts.items()}
    return {"held": held, "links": [(each.scheme, link_of(each.code), each.blocked_at) for each in links]}


def shown_statement(found: Any) -> dict[str, Any]:
    """A statement with its amounts as people read them."""

    def amount(minor: int) -> str:
        return money.show(minor, found.currency)

    lines = [
        {
            "at": line.at, "words": line.words, "amount": amount(line.amount_minor),
            "balance": amount(line.balance_minor),
            "of": _("%(share)s %% of %(of)s") % {"share": f"{line.basis_points / 100:g}", "of": amount(line.of_minor)}
            if line.of_minor is not None else "",
        }
        for line in found.lines
    ]  # fmt: skip
    sums = {verb: amount(found.sum_of(verb)) for verb in ("issue", "take_back", "pay_out")}
    return {
        "first": found.first, "last": found.last, "as_of": found.as_of, "opening": amount(found.opening_minor),
        "closing": amount(found.closing_minor), "lines": lines, **sums,
        "coming": amount(found.coming_minor) if found.coming_minor else "",
        "pending": amount(found.pending_minor) if found.pending_minor else "",
        "set_aside": amount(found.set_aside_minor) if found.set_aside_minor else "",
    }  # fmt: skip


def as_file(rows: Any, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    response = HttpResponse(content_type="text/csv; charset=utf-8", headers=headers)
    csv.writer(response).writerows(rows)
    return response
