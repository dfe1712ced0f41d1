"""Members as people look at them: where they stand, how they came there, and what can be done for them by hand."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminSelectWidget

from loyalty import operations
from loyalty.forecasts import forecasts, show_counted
from loyalty.models import Claim, Earning, Member, Programme, Tier, TierChange
from loyalty.rules.tiers import Forecast
from loyalty.versions import rule_of
from retention import clock
from retention.customers.admin.customers import Facts, on_customer_page
from retention.doors.console import ConfirmForm, DaysFilter, FactAdmin, acting, confirm
from retention.doors.console.words import actor_words
from retention.ledger.forms import ReasonForm, read_amount
from retention.ledger.models import Account
from retention.ledger.querysets import Balance, balances
from retention.ledger.versions import rule_of as unit_rule_of
from retention.refusals import Refused
from retention.shop.models import Shop


def balance_of(member: Member) -> Balance | None:
    account = Account.objects.filter(customer=member.customer_id, unit=member.programme.unit_id).first()
    return balances([account.pk], now=clock.now())[0] if account else None


def show(member: Member, amount: int) -> str:
    """So much of her programme's unit."""
    return unit_rule_of(member.programme.unit).show(amount, get_language() or "en")


def show_measure(member: Member, amount: int, currency: str = "") -> str:
    """So much of what counts for her tier; `currency`: the shop's, where it is known already."""
    rules, language = rule_of(member.programme.version_id).tiers, get_language() or "en"
    currency = currency or Shop.objects.values_list("currency", flat=True).get()
    text = show_counted(rules, amount, unit=unit_rule_of(member.programme.unit), currency=currency, language=language)
    return str(_("%(n)s orders") % {"n": text}) if rules.measure == "orders" else text


def ahead_words(member: Member, ahead: Forecast) -> list[str]:
    """What lies ahead of her, in sentences."""
    names = dict(Tier.objects.filter(programme=member.programme_id).values_list("key", "name"))
    then = date_format(ahead.then_until) if ahead.then_until else ""
    words = []
    if ahead.next:
        missing = {"missing": show_measure(member, ahead.missing), "tier": names[ahead.next]}
        words.append(str(_("%(missing)s to %(tier)s.") % missing))
    if ahead.last_day is not None:
        words.append(str(_("Hers until %(day)s.") % {"day": date_format(ahead.last_day)}))
    if ahead.to_keep:
        kept = {"missing": show_measure(member, ahead.to_keep), "tier": names[ahead.tier], "day": then}
        words.append(str(_("%(missing)s by then to stay %(tier)s until %(day)s.") % kept))
    elif ahead.to_keep == 0:
        words.append(str(_("She has done enough to keep it until %(day)s.") % {"day": then}))
    return words


class EarningsTab(Facts):
    model = Earning
    fields = readonly_fields = ("earned_at", "rule", "shown_given", "shown_amount", "tier")
    verbose_name_plural = _("Earned")

    @display(description=_("earned"))
    def shown_given(self, earning: Earning) -> str:
        return show(earning.member, earning.given)

    @display(description=_("stands"))
    def shown_amount(self, earning: Earning) -> str:
        return show(earning.member, earning.amount)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("member__programme__unit").order_by("-earned_at")


class ClaimsTab(Facts):
    model = Claim
    fields = readonly_fields = ("claimed_at", "reward", "shown_price", "state")
    verbose_name_plural = _("Rewards taken")

    @display(description=_("paid"))
    def shown_price(self, claim: Claim) -> str:
        return show(claim.member, claim.price) if claim.price else str(_("given"))

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("member__programme__unit", "reward").order_by("-pk")


class TierChangesTab(Facts):
    model = TierChange
    fields = readonly_fields = ("changed_at", "before", "after", "why", "shown_counted", "reason", "shown_by")
    verbose_name_plural = _("Tiers")

    @display(description=_("counted then"))
    def shown_counted(self, change: TierChange) -> str:
        return show_measure(change.member, change.qualifying)

    @display(description=_("by"))
    def shown_by(self, change: TierChange) -> str:
        return actor_words(change.by)

    def get_queryset(self, request: HttpRequest) -> Any:
        related = ("member__programme__unit", "before", "after")
        return super().get_queryset(request).select_related(*related).order_by("-pk")


@on_customer_page
class MembershipsTab(Facts):
    model = Member
    fields = readonly_fields = ("programme", "shown_balance", "tier", "joined_at", "left_at")
    verbose_name_plural = _("Programmes")
    show_change_link = True

    @display(description=_("Can be spent"))
    def shown_balance(self, member: Member) -> str:
        found = balance_of(member)
        return show(member, found.available if found else 0)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("programme__unit", "tier")


class TierForm(ConfirmForm):
    """Which tier of her programme, until when, and why."""

    tier = forms.ChoiceField(label=_("Tier"), required=False, widget=UnfoldAdminSelectWidget)
    until = forms.DateField(
        label=_("Last day"), required=False, widget=UnfoldAdminDateWidget,
        help_text=_("Empty: for as long as the programme's rules say."),
    )  # fmt: skip
    reason = forms.CharField(
        label=_("Why"), max_length=120, widget=ReasonForm.base_fields["reason"].widget,
        help_text=_("It stays for good: no names."),
    )  # fmt: skip

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        member = Member.objects.select_related("tier").filter(pk=options.get("object_id")).first()
        if member is not None:
            field = self.fields["tier"]
            rows = Tier.objects.filter(programme=member.programme_id, archived_at=None).values_list("key", "name")
            field.choices = [("", _("none")), *rows]
            field.initial = member.tier.key if member.tier else ""


class PointsForm(ConfirmForm):
    """How much, and why: she reads both in a mail. Sent twice it corrects once."""

    amount = forms.CharField(
        label=_("Amount"), max_length=20, widget=ReasonForm.base_fields["reason"].widget,
        help_text=_("Such as 50; with a minus it is taken away."),
    )  # fmt: skip
    reason = forms.CharField(
        label=_("Why"), max_length=120, widget=ReasonForm.base_fields["reason"].widget,
        help_text=_("She reads it, and it stays for good: no names."),
    )  # fmt: skip
    source = forms.CharField(widget=forms.HiddenInput, max_length=100)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["source"].initial = f"console:{uuid.uuid4().hex}"

    def clean_amount(self) -> int:
        return read_amount(self.cleaned_data["amount"], self.obj.programme.unit)


class InvitationForm(forms.Form):
    """Which tier of theirs, until when, and why."""

    tier = forms.ChoiceField(label=_("Tier"), widget=UnfoldAdminSelectWidget)
    until = TierForm.base_fields["until"]
    reason = TierForm.base_fields["reason"]

    def __init__(self, programme_id: int, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        rows = Tier.objects.filter(programme=programme_id, archived_at=None)
        self.fields["tier"].choices = rows.values_list("key", "name")


@admin.register(Member)
class MemberAdmin(FactAdmin):
    list_display = ("customer", "programme", "tier", "shown_counted", "joined_at", "left_at")
    list_filter = ("programme", "tier", ("joined_at", DaysFilter))
    list_select_related = ("customer", "programme__unit", "tier")
    search_fields = ("customer__email_normal__exact", "customer__reference__exact")
    search_help_text = _("Email or reference of the customer, whole")
    fields = (
        "shown_customer", "programme", "shown_balance", "shown_pending", "shown_tier", "shown_ahead", "shown_earned",
        "joined_at", "left_at", "statement",
    )  # fmt: skip
    readonly_fields = (
        "shown_customer", "shown_balance", "shown_pending", "shown_tier", "shown_ahead", "shown_earned", "statement",
    )  # fmt: skip
    inlines = (TierChangesTab, EarningsTab, ClaimsTab)
    labels = {"qualifying": _("Counts for tiers")}
    actions_detail = ("adjust", "set_tier", "leave")
    actions = ("invite_many",)
    empty_hint = _("Members come with the first order or activity that earns, or by joining.")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        currency = Shop.objects.values_list("currency", flat=True).first() or ""
        for member in changelist.result_list:
            member.currency = currency
        return changelist

    @display(description=_("Counts for tiers"))
    def shown_counted(self, member: Member) -> str:
        return show_measure(member, member.qualifying, member.currency)

    @display(description=_("Customer"))
    def shown_customer(self, member: Member) -> Any:
        url = reverse("admin:customers_customer_change", args=[member.customer_id])
        return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, member.customer)

    @display(description=_("Can be spent"))
    def shown_balance(self, member: Member) -> str:
        found = balance_of(member)
        return show(member, found.available if found else 0)

    @display(description=_("Waits"))
    def shown_pending(self, member: Member) -> str:
        found = balance_of(member)
        return show(member, found.pending) if found and found.pending else "—"

    @display(description=_("Tier"))
    def shown_tier(self, member: Member) -> str:
        counted = show_measure(member, member.qualifying)
        return str(_("%(tier)s (%(counted)s count)") % {"tier": member.tier or "—", "counted": counted})

    @display(description=_("Ahead"))
    def shown_ahead(self, member: Member) -> Any:
        words = ahead_words(member, forecasts([member], now=clock.now())[member.pk])
        return format_html_join("", "<p>{}</p>", ((text,) for text in words)) or "—"

    @display(description=_("Ever earned"))
    def shown_earned(self, member: Member) -> str:
        return show(member, member.earned)

    @display(description=_("Entries"))
    def statement(self, member: Member) -> Any:
        account = Account.objects.filter(customer=member.customer_id, unit=member.programme.unit_id).first()
        if account is None:
            return "—"
        url = reverse("admin:ledger_account_change", args=[account.pk])
        words = _("Account, entries and corrections")
        return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, words)

    def buttons_of(self, obj: Member) -> tuple[str, ...]:
        is_over = obj.left_at or obj.programme.state == Programme.State.ENDED
        return ("adjust",) if is_over else ("adjust", "set_tier", "leave")

    @confirm(
        title=_("Correct her points"), permissions=["loyalty.adjust_points"], form_class=PointsForm, icon="edit_note"
    )
    def adjust(self, request: HttpRequest, form: PointsForm, obj: Member) -> str:
        typed = form.cleaned_data
        operations.adjust_points(
            member_id=obj.pk, amount=typed["amount"], reason=typed["reason"], source=typed["source"], **acting(request)
        )
        return str(_("Corrected by %s; she is told.") % show(obj, typed["amount"]))

    @confirm(title=_("Set her tier"), permissions=["loyalty.set_tier"], form_class=TierForm, icon="military_tech")
    def set_tier(self, request: HttpRequest, form: TierForm, obj: Member) -> str:
        typed = form.cleaned_data
        found = operations.set_tier(
            member_id=obj.pk, tier=typed["tier"], until=typed["until"], reason=typed["reason"], **acting(request)
        )
        return str(_("Her tier is %(tier)s now.") % {"tier": found.tier or _("none")})

    @action(description=_("Invite to a tier"), permissions=["invite"])
    def invite_many(self, request: HttpRequest, members: Any) -> HttpResponse | None:
        """Asks which tier and why, then invites everybody who was chosen in the list."""
        programmes = list(Programme.objects.filter(pk__in=members.order_by().values("programme"))[:2])
        if len(programmes) != 1:
            messages.error(request, _("Choose members of one programme; the filter beside the list helps."))
            return None
        (programme,) = programmes
        form = InvitationForm(programme.pk, request.POST if "invite" in request.POST else None)
        if form.is_valid():
            customers = list(members.order_by("pk").values_list("customer", flat=True))
            try:
                done = operations.invite(
                    programme_id=programme.pk, customer_ids=customers, **form.cleaned_data, **acting(request)
                )
            except Refused as refused:
                form.add_error(None, str(refused))
            else:
                passed = len(customers) - done.up
                said = _("%(n)s were invited; %(passed)s had the tier or a higher one, or have left.")
                messages.success(request, said % {"n": done.up, "passed": passed})
                return None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Invite to a tier"),
            "subtitle": programme.name,
            "opts": self.opts,
            "form": form,
            "count": members.count(),
            "chosen": request.POST.getlist("_selected_action"),
            "select_across": request.POST.get("select_across", "0"),
        }
        return render(request, "loyalty/invite.html", context)

    def has_invite_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("loyalty.set_tier"))

    @confirm(
        title=_("Let her leave"),
        description=_("She earns nothing from now on and has no tier; what she has stays hers to spend."),
        permissions=["loyalty.change_member"], icon="logout",
    )  # fmt: skip
    def leave(self, request: HttpRequest, form: ConfirmForm, obj: Member) -> str:
        operations.leave(programme_id=obj.programme_id, customer_ids=[obj.customer_id], **acting(request))
        return str(_("She has left."))
