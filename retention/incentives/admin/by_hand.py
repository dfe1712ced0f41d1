"""The console's work-list and check-in: one click each, and lists of what was done."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.http import HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from retention.doors.console import ConfirmForm, DaysFilter, FactAdmin, acting, confirm
from retention.doors.console.words import actor_words
from retention.incentives import operations, views
from retention.incentives.models import Fulfilment, Ticket

TONES = {"open": "info", "done": "success", "cancelled": "danger"}


class NoteForm(ConfirmForm):
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Such as the number of the parcel."),
    )


class StateFilter(admin.SimpleListFilter):
    """What is to be done, unless somebody asks for more."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return [("done", _("Done")), ("cancelled", _("Cancelled")), ("all", _("All"))]

    def choices(self, changelist):
        for choice in super().choices(changelist):
            yield {**choice, "display": _("To be done")} if choice["query_string"] == "?" else choice

    def queryset(self, request, queryset):
        if self.value() == "all":
            return queryset
        return queryset.filter(state=self.value() or Fulfilment.State.OPEN)


@admin.register(Fulfilment)
class FulfilmentAdmin(FactAdmin):
    list_display = ["what", "customer", "promised_at", "shown_state", "one_click"]
    list_filter = [StateFilter, ["asked_at", DaysFilter]]
    search_fields = ["grant__customer__email_normal__exact", "grant__customer__reference__exact"]
    search_help_text = _("Email or reference of the customer, whole")
    list_select_related = ["grant__customer"]
    ordering = ["id"]
    fields = ["what", "instructions", "customer", "grant", "asked_at", "shown_state", "settled_at", "by_whom", "note"]
    readonly_fields = ["customer", "shown_state", "by_whom"]
    labels = {"asked_at": _("Promised"), "settled_at": _("Settled")}
    empty_hint = _(
        "Experiences and presents that grants promised are listed here until somebody says that they are done."
    )
    actions_detail = ["done", "cancel"]

    def get_urls(self):
        at_once = self.admin_site.admin_view(require_POST(self.at_once))
        return [path("<int:object_id>/at-once/", at_once, name="incentives_fulfilment_at_once"), *super().get_urls()]

    def at_once(self, request, object_id):
        """The button of the list: done, without a dialog; the list is shown anew."""
        return views.settle_at_once(request, self, object_id)

    def get_changelist_instance(self, request):
        changelist = super().get_changelist_instance(request)
        may_settle = request.user.has_perm("incentives.settle_fulfilment")
        for row in changelist.result_list:
            row.may_settle = may_settle
        return changelist

    def buttons_of(self, obj):
        return None if obj.state == Fulfilment.State.OPEN else []

    @admin.display(description=_("Customer"))
    def customer(self, row):
        return row.grant.customer or "—"

    @admin.display(description=_("Promised"))
    def promised_at(self, row):
        return row.asked_at

    @display(description=_("State"), label=TONES)
    def shown_state(self, row):
        return row.state, row.get_state_display()

    @admin.display(description=_("Settled by"))
    def by_whom(self, row):
        return actor_words(row.settled_by) if row.settled_by else "—"

    @admin.display(description="")
    def one_click(self, row):
        if row.state != Fulfilment.State.OPEN or not row.may_settle:
            return ""
        return format_html(
            '<button type="button" class="remedy" hx-post="{}" hx-include="[name=csrfmiddlewaretoken]"'
            ' hx-swap="none" aria-label="{}">{}</button>',
            reverse("admin:incentives_fulfilment_at_once", args=[row.pk]),
            _("Done: %(what)s for %(customer)s") % {"what": row.what, "customer": row.grant.customer},
            _("Done"),
        )

    @confirm(
        title=_("Done"),
        description=_("It leaves the work-list; its grant counts as used."),
        permissions=["incentives.settle_fulfilment"],
        form_class=NoteForm,
        icon="done",
        variant=ActionVariant.PRIMARY,
    )
    def done(self, request, form, obj):
        return self._settle(request, obj, "done", form, _("Done."))

    @confirm(
        title=_("Cancel"),
        description=_("It leaves the work-list undone. Tell the customer, nobody else does."),
        submit=_("Cancel it"),
        permissions=["incentives.settle_fulfilment"],
        form_class=NoteForm,
        icon="block",
    )
    def cancel(self, request, form, obj):
        return self._settle(request, obj, "cancelled", form, _("Cancelled."))

    def _settle(self, request, obj, state, form, sentence) -> HttpResponse | str:
        operations.settle_fulfilment(
            public_id=obj.public_id, state=state, note=form.cleaned_data["note"], **acting(request)
        )
        return sentence


@admin.register(Ticket)
class TicketAdmin(FactAdmin):
    list_display = ["name", "shown_code", "customer", "checked_in_at"]
    list_filter = [["checked_in_at", DaysFilter]]
    search_fields = ["grant__code__code__exact", "grant__customer__email_normal__exact"]
    search_help_text = _("The ticket's code or the customer's email, whole")
    list_select_related = ["grant__customer", "grant__code"]
    fields = ["name", "shown_code", "customer", "grant", "checked_in_at", "by_whom", "withdrawn_at"]
    readonly_fields = ["shown_code", "customer", "by_whom"]
    labels = {"checked_in_at": _("Checked in"), "withdrawn_at": _("Withdrawn")}
    empty_hint = _("Tickets are given by incentives with access that is checked in at the door.")

    def get_urls(self):
        page = self.admin_site.admin_view(lambda request: views.check_in_view(request, self))
        return [path("check-in/", page, name="incentives_ticket_check_in"), *super().get_urls()]

    @admin.display(description=_("Code"))
    def shown_code(self, ticket):
        return getattr(ticket.grant, "code", None) or "—"

    @admin.display(description=_("Customer"))
    def customer(self, ticket):
        return ticket.grant.customer or "—"

    @admin.display(description=_("Checked in by"))
    def by_whom(self, ticket):
        return actor_words(ticket.checked_in_by) if ticket.checked_in_by else "—"
