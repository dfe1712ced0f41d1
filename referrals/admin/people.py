"""Advocates and referrals, to be read; who is blocked, and why each referral is where it is, in sentences."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from referrals import operations
from referrals.admin.review import review_view
from referrals.models import Advocate, Referral
from referrals.querysets import with_counts
from referrals.reasons import sentences
from referrals.reports.views import estimate_view, reports_view
from referrals.sharing import link_of
from retention.customers.admin.customers import Facts, on_customer_page
from retention.doors.console import ConfirmForm, DaysFilter, FactAdmin, acting, button, confirm
from retention.doors.console.words import actor_words

_TONES = {
    "claimed": "info", "pending": "info", "hold": "warning", "review": "danger", "approved": "success",
    "rewarded": "success", "rejected": "default", "lapsed": "default", "reversed": "default",
}  # fmt: skip


def short(state: str) -> str:
    """“pending: what must happen…” → “pending”."""
    return str(Referral.State(state).label).partition(":")[0]


def link_to(advocate: Advocate) -> str:
    """Her name, leading to her page."""
    url = reverse("admin:referrals_advocate_change", args=[advocate.pk])
    who = advocate.customer or advocate.partner
    return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, who)


TONES = {short(state): tone for state, tone in _TONES.items()}


class WhyForm(ConfirmForm):
    why = forms.CharField(label=_("Why"), required=False, max_length=300, widget=UnfoldAdminTextInputWidget)


@admin.register(Advocate)
class AdvocateAdmin(FactAdmin):
    list_display = ("code", "who", "scheme", "shown_visited", "shown_referred", "shown_rewarded", "joined_at")
    list_filter = (("scheme", AutocompleteSelectFilter), ("joined_at", DaysFilter))
    list_filter_submit = True
    list_select_related = ("scheme", "customer", "partner")
    search_fields = ("code__exact", "customer__email_normal__exact", "customer__reference__exact")
    search_help_text = _("Code; or email or reference of the customer, whole")
    fields = ("who", "scheme", "link", "shown_visited", "shown_referred", "shown_rewarded", "joined_at", "blocked_at",
              "hers")  # fmt: skip
    readonly_fields = ("who", "link", "shown_visited", "shown_referred", "shown_rewarded", "hers")
    actions_detail = ("block", "unblock")
    empty_hint = _("Customers become advocates when they open their link, or all of a segment at once over the API.")

    def get_queryset(self, request: HttpRequest) -> Any:
        return with_counts(super().get_queryset(request))

    def buttons_of(self, obj: Advocate) -> tuple[str, ...]:
        return ("unblock",) if obj.blocked_at else ("block",)

    @display(description=_("who"))
    def who(self, obj: Advocate) -> Any:
        return obj.customer or obj.partner

    @display(description=_("visits"))
    def shown_visited(self, obj: Any) -> int:
        return obj.visited

    @display(description=_("friends"))
    def shown_referred(self, obj: Any) -> int:
        return obj.referred

    @display(description=_("rewarded"))
    def shown_rewarded(self, obj: Any) -> int:
        return obj.rewarded

    @display(description=_("link"))
    def link(self, obj: Advocate) -> str:
        return link_of(obj.code)

    @display(description=_("referrals"))
    def hers(self, obj: Advocate) -> Any:
        url = f"{reverse('admin:referrals_referral_changelist')}?advocate__id__exact={obj.pk}"
        return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, _("Show them"))

    @confirm(
        title=_("Block"), description=_("Link and code bring nobody from now on. What was promised is kept."),
        permissions=["referrals.review_referral"], form_class=WhyForm, icon="block", variant=ActionVariant.DANGER,
    )  # fmt: skip
    def block(self, request, form, obj):
        why = form.cleaned_data["why"]
        operations.block_advocate(advocate_id=obj.pk, is_blocked=True, why=why, **acting(request))
        return _("The link and code bring nobody now.")

    @confirm(
        title=_("Unblock"), description=_("Link and code bring friends again."),
        permissions=["referrals.review_referral"], form_class=WhyForm, icon="lock_open",
    )  # fmt: skip
    def unblock(self, request, form, obj):
        why = form.cleaned_data["why"]
        operations.block_advocate(advocate_id=obj.pk, is_blocked=False, why=why, **acting(request))
        return _("The link and code bring friends again.")


@admin.register(Referral)
class ReferralAdmin(FactAdmin):
    list_display = ("id", "claimed_at", "scheme", "who", "friend", "shown_state", "shown_score", "why")
    list_filter = (("scheme", AutocompleteSelectFilter), "state", ("claimed_at", DaysFilter))
    list_filter_submit = True
    list_select_related = ("scheme", "advocate__customer", "advocate__partner", "friend")
    search_fields = ("friend__email_normal__exact", "friend__reference__exact", "advocate__code__exact")
    search_help_text = _("Email or reference of the friend, or code of the advocate, whole")
    fields = ("shown_state", "scheme", "who", "friend", "score", "story", "order", "level", "friend_grant",
              "advocate_grant", "due_at")  # fmt: skip
    readonly_fields = ("shown_state", "who", "why", "story")
    labels = {"due_at": _("Looked at again"), "score": _("Suspicion, points")}
    actions_detail = ("approve", "reject")

    class Media:
        css = {"all": ["referrals/referrals.css"]}

    empty_hint = _("A friend who comes by an advocate's link and signs up or orders is listed here.")

    def get_urls(self):
        def page(name, view):
            wrapped = self.admin_site.admin_view(lambda request: view(self, request))
            return path(f"{name}/", wrapped, name=f"referrals_{name}")

        pages = {"review": review_view, "reports": reports_view, "estimate": estimate_view}
        return [*(page(name, view) for name, view in pages.items()), *super().get_urls()]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "advocate__id__exact" or super().lookup_allowed(lookup, value, request)

    def buttons_of(self, obj: Referral) -> tuple[str, ...]:
        if obj.state == Referral.State.REVIEW:
            return ("approve", "reject")
        return ("reject",) if obj.state in Referral.OPEN else ()

    @display(description=_("advocate"))
    def who(self, obj: Referral) -> Any:
        return link_to(obj.advocate)

    @display(description=_("suspicion"), ordering="score")
    def shown_score(self, obj: Referral) -> str:
        return ngettext("%(n)s point", "%(n)s points", obj.score) % {"n": obj.score} if obj.score else "–"

    @display(description=_("state"), label=TONES, ordering="state")
    def shown_state(self, obj: Referral) -> str:
        return short(obj.state)

    @display(description=_("why"))
    def why(self, obj: Referral) -> str:
        # Without their parameters: a list tells the kind, the page the numbers.
        return ", ".join(code.partition(".")[2].replace("_", " ") for code in obj.reasons)

    @display(description=_("step by step"))
    def story(self, obj: Referral) -> Any:
        return format_html(
            '<ol class="ref-story">{}</ol>',
            format_html_join(
                "",
                "<li><span class='font-medium text-important'>{}</span> {} · {}{}</li>",
                (
                    (
                        capfirst(short(step.state)),
                        date_format(localtime(step.at), "DATETIME_FORMAT"),
                        actor_words(step.by),
                        format_html_join("", "<br>{}", ((said,) for said in sentences(step.reasons, step.params))),
                    )
                    for step in obj.steps.order_by("pk")
                ),
            ),
        )

    approve = button(
        operations.approve, of="referral_id", takes=["why"], done=_("Approved."), title=_("Approve"),
        description=_("It is fine: the friend gets her welcome, the advocate her reward when the rest has happened."),
        permissions=["referrals.review_referral"], form_class=WhyForm, icon="check", variant=ActionVariant.PRIMARY,
    )  # fmt: skip
    reject = button(
        operations.reject, of="referral_id", takes=["why"], done=_("Rejected."), title=_("Reject"),
        description=_("Nothing more is given for it, and a welcome that was not used is taken back."),
        permissions=["referrals.review_referral"], form_class=WhyForm, icon="close", variant=ActionVariant.DANGER,
    )  # fmt: skip


@on_customer_page
class BroughtTab(Facts):
    """Who brought her."""

    model = Referral
    fk_name = "friend"
    fields = readonly_fields = ("scheme", "who", "state", "claimed_at")
    verbose_name_plural = _("Brought by")
    show_change_link = True

    @display(description=_("advocate"))
    def who(self, obj: Referral) -> Any:
        return link_to(obj.advocate)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("scheme", "advocate__customer", "advocate__partner")
