"""What customers chose, in the console: topics to choose from, and addresses never written to."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminEmailInputWidget

from retention.customers.addresses import address_hash, normal_email
from retention.doors.console import EditAdmin, acting, button
from retention.messaging.forms import NamesWidget
from retention.messaging.models import Suppression, Topic
from retention.messaging.operations.suppressing import lift_suppression, suppress
from retention.messaging.operations.topics import save_topic


class TopicForm(forms.ModelForm):
    names = forms.Field(
        label=_("Names"), widget=NamesWidget, help_text=_("What customers read where they choose what they get.")
    )


@admin.register(Topic)
class TopicAdmin(EditAdmin):
    is_versioned = False
    form = TopicForm
    list_display = ("key", "called", "archived_at")
    search_fields = ("key__startswith",)
    fields = ("key", "names", "archived_at")
    help_texts = {"archived_at": _("From then on it is offered no more; what was agreed to stays.")}
    empty_hint = _("A topic, such as news of one genre, is what customers may choose beside marketing as a whole.")

    def get_readonly_fields(self, request, obj=None):
        # Consents and templates name it by this key.
        return ("key",) if obj else ()

    def operate(self, request, form, formsets, change):
        return save_topic(topic=form.instance, **acting(request))

    @admin.display(description=_("Names"))
    def called(self, topic: Topic) -> str:
        return " · ".join(topic.names.values())


class SuppressionForm(forms.ModelForm):
    address = forms.EmailField(
        label=_("Address"),
        widget=UnfoldAdminEmailInputWidget,
        help_text=_("Only a keyed hash of it is kept: nobody can read it here again."),
    )

    class Meta:
        model = Suppression
        fields = ("marketing_only",)


@admin.register(Suppression)
class SuppressionAdmin(EditAdmin):
    """Found by the whole address alone."""

    is_versioned = False
    form = SuppressionForm
    list_display = ("since", "channel", "why", "scope")
    list_filter = ("why", "channel", "marketing_only")
    search_fields = ("id",)
    search_help_text = _("The whole address")
    sortable_by = ()
    fields = ("address", "marketing_only")
    labels = {"marketing_only": _("Only marketing"), "why": _("Reason")}
    help_texts = {"marketing_only": _("Mail that someone waits for, such as about an order, still goes there.")}
    empty_hint = _(
        "Addresses that bounced, complained or were forgotten are kept here as hashes, and never written to."
    )
    actions_detail = ("lift",)

    def has_change_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        return False

    def get_fields(self, request, obj=None):
        return ("channel", "why", "scope", "since") if obj else self.fields

    def get_readonly_fields(self, request, obj=None):
        return ("channel", "why", "scope", "since") if obj else ()

    @admin.display(description=_("what is not sent"))
    def scope(self, obj: Suppression) -> Any:
        return _("marketing") if obj.marketing_only else _("anything")

    def get_search_results(self, request, queryset, search_term):
        if not search_term:
            return queryset, False
        return queryset.filter(address_hash=address_hash(normal_email(search_term))), False

    def operate(self, request, form, formsets, change):
        typed = form.cleaned_data
        return suppress(address=typed["address"], marketing_only=typed["marketing_only"], **acting(request))

    lift = button(
        lift_suppression,
        of="suppression_id",
        done=_("Mail may go to this address again."),
        goes_to=lambda _outcome: reverse("admin:messaging_suppression_changelist"),
        title=_("Write to this address again"),
        description=_("Only if its owner asked for it, or the address works again. Consent is still needed."),
        submit=_("Lift"),
        button=_("Lift"),
        permissions=["messaging.lift_suppression"],
        icon="undo",
    )
