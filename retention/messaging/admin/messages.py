"""Messages in the console: the template editor, deliveries with their reasons, and addresses never written to."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminTextInputWidget

from retention.customers.addresses import address_hash, normal_email
from retention.doors.console import DaysFilter, EditAdmin, FactAdmin, VersionHistory, acting, button, confirm
from retention.doors.console.words import behalf
from retention.messaging import operations, views
from retention.messaging.forms import TemplateForm, TestForm
from retention.messaging.models import Delivery, Suppression, Template, Topic, Way
from retention.messaging.operations.suppressing import lift_suppression, suppress
from retention.messaging.operations.templates import TemplateFaulty
from retention.messaging.operations.topics import save_topic
from retention.messaging.words import locale
from retention.refusals import Refusal
from retention.shop.models import Shop


@admin.register(Template)
class TemplateAdmin(VersionHistory, EditAdmin):
    form = TemplateForm
    list_display = ("name", "channel", "category", "topic", "languages", "saved", "is_archived")
    list_filter = ("category", "channel")
    list_select_related = ("version",)
    search_fields = ("name__icontains", "key__istartswith")
    fieldsets = ((None, {"fields": ["name", ("channel", "category", "topic")]}), (_("Words"), {"fields": ["words"]}))
    actions_detail = ("send_test", "archive")
    actions_list = ("add_ready",)
    change_form_show_cancel_button = True

    @admin.display(description=_("languages"))
    def languages(self, obj: Template) -> str:
        return ", ".join(obj.version.data["words"]) if obj.version else "–"

    @admin.display(description=_("saved"), ordering="version__saved_at")
    def saved(self, obj: Template) -> Any:
        return obj.version.saved_at if obj.version else None

    @admin.display(description=_("archived"), boolean=True, ordering="archived_at")
    def is_archived(self, obj: Template) -> bool:
        return obj.archived_at is not None

    def get_urls(self) -> list:
        wrap = self.admin_site.admin_view
        return [
            path("preview/", wrap(views.template_preview), name="messaging_template_preview"),
            path("<int:object_id>/message/", wrap(views.template_message), name="messaging_template_message"),
            *super().get_urls(),
        ]

    def get_readonly_fields(self, request, obj=None):
        # Someone who may only look sees the mail, in the editor's place.
        may_change = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        if not may_change:
            return ("name", "channel", "category", "topic", "written")
        # Its words are of their channel.
        return ("channel",) if obj else ()

    def get_fieldsets(self, request, obj=None):
        if "written" in self.get_readonly_fields(request, obj):
            return ((None, {"fields": ["name", "channel", "category", "topic", "written"]}),)
        return super().get_fieldsets(request, obj)

    @admin.display(description=_("words"))
    def written(self, obj: Template) -> str:
        words = obj.version.data["words"] if obj.version else {}
        return render_to_string("messaging/written.html", {"words": words, "template": obj})

    def operate(self, request, form, formsets, change):
        typed = form.cleaned_data
        fields = {
            "name": typed["name"],
            "category": typed["category"],
            "topic": typed["topic"],
            "words": typed["words"],
            "why": typed["why"],
        }
        try:
            if change:
                return operations.save_template(
                    template_id=form.instance.pk, edited=typed["edited"], **fields, **acting(request)
                )
            return operations.create_template(channel=typed["channel"], **fields, **acting(request))
        except TemplateFaulty as refused:
            raise ValidationError({"words": [placed(fault) for fault in refused.faults]}) from refused

    def restore(self, request, obj, data, edited, why):
        operations.save_template(
            template_id=obj.pk,
            name=data["name"],
            category=data["category"],
            topic=data["topic"],
            words=data["words"],
            edited=edited,
            why=why,
            **acting(request),
        )

    @confirm(
        title=_("Send a test"),
        description=_("The saved version goes to your own address, marked as a test. Nothing is given or counted."),
        submit=_("Send"),
        permissions=["messaging.send_test_template"],
        form_class=TestForm,
        icon="outgoing_mail",
        is_atomic=False,
    )
    def send_test(self, request: HttpRequest, form: TestForm, obj: Template) -> str:
        operations.send_test(
            template_id=obj.pk,
            to=request.user,
            customer_id=form.cleaned_data["customer"],
            language=form.cleaned_data["language"],
            **acting(request),
        )
        return str(_("Sent to %(address)s.") % {"address": request.user.email})

    archive = button(
        operations.archive_template,
        of="template_id",
        done=_("Archived."),
        title=_("Archive this template"),
        description=_("It is offered no more. What is queued with it still leaves."),
        submit=_("Archive"),
        button=_("Archive"),
        permissions=["messaging.change_template"],
        icon="archive",
    )

    def buttons_of(self, obj):
        if obj.archived_at:
            return ["send_test"]
        # Tests go to an address of one's own, and that is a mail address.
        return None if obj.channel == Way.EMAIL else ["archive"]

    @confirm(
        title=_("Add the ready templates"),
        description=_("Welcome, birthday, win-back and the others, in the shop's languages. Yours are left alone."),
        submit=_("Add"),
        permissions=["messaging.add_template"],
        icon="library_add",
    )
    def add_ready(self, request: HttpRequest, form: forms.Form, obj: None) -> str:
        made = operations.ensure_ready_templates(**acting(request))
        return str(_("%(count)s ready templates are there.") % {"count": len(made)})


#: State, as it is shown, → tone.
TONES = {
    Delivery.State(state).label: tone
    for tone, states in {
        "success": ["sent"],
        "danger": ["failed", "bounced"],
        "warning": ["unknown"],
        "info": ["held", "sending", "claimed", "withheld"],
    }.items()
    for state in states
}


@admin.register(Delivery)
class DeliveryAdmin(FactAdmin):
    list_display = ("id", "queued_at", "customer", "template", "shown_state", "shown_reason", "ended_at")
    list_filter = ("state", "is_transactional", "is_ghost", "channel", ("queued_at", DaysFilter))
    list_select_related = ("customer", "template")
    search_fields = ("customer__email_normal__exact", "customer__reference__exact", "grant__code__code__exact")
    search_help_text = _("Email, reference or code of the customer, whole")
    actions_detail = ("arrived", "send_again")
    readonly_fields = ("shown_state", "shown_reason", "written_in", "behalf", "nth_step", "message")
    labels = {
        "queued_at": _("Queued"), "not_before": _("Leaves from"), "ended_at": _("Ended"),
        "attempts": _("Tries"), "provider_id": _("Number at the provider"),
    }  # fmt: skip
    empty_hint = _("Every message to a customer is listed here, from the moment it is queued.")
    fieldsets = (
        (
            None,
            {
                "fields": [
                    ("customer", "template"),
                    ("shown_state", "shown_reason"),
                    ("queued_at", "written_in"),
                    ("not_before", "ended_at"),
                    ("attempts", "provider_id"),
                    ("behalf", "nth_step"),
                ]
            },
        ),
        (_("The message"), {"fields": ["message"]}),
    )

    @display(
        description=_("state"),
        ordering="state",
        label=TONES,
    )
    def shown_state(self, obj: Delivery) -> str:
        return obj.get_state_display()

    @admin.display(description=_("reason"))
    def shown_reason(self, obj: Delivery) -> str:
        return str(Refusal(obj.reason, obj.params)) if obj.reason else "–"

    @admin.display(description=_("written in"))
    def written_in(self, obj: Delivery) -> str:
        return locale(obj.language).get_display_name() if obj.language else "–"

    @admin.display(description=_("on behalf of"))
    def behalf(self, obj: Delivery) -> Any:
        return behalf(obj.origin, obj.origin_id)

    @admin.display(description=_("step"))
    def nth_step(self, obj: Delivery) -> int:
        return obj.step + 1

    @admin.display(description="")
    def message(self, obj: Delivery) -> str:
        url = reverse("admin:messaging_delivery_message", args=[obj.pk])
        return render_to_string("messaging/message.html", {"url": url})

    class Media:
        js = ("messaging/editor.js",)
        css = {"all": ("messaging/editor.css",)}

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(views.delivery_message)
        return [path("<int:object_id>/message/", view, name="messaging_delivery_message"), *super().get_urls()]

    @confirm(
        title=_("It arrived"),
        description=_("The provider says that it was sent: it counts as sent from now on."),
        submit=_("It was sent"),
        permissions=["messaging.settle_delivery"],
        icon="mark_email_read",
    )
    def arrived(self, request: HttpRequest, form: forms.Form, obj: Delivery) -> str:
        operations.settle_unknown(delivery_id=obj.pk, arrived=True, **acting(request))
        return str(_("It counts as sent."))

    @confirm(
        title=_("Send it again"),
        description=_("Only if the provider says that it was not sent: otherwise the customer gets it twice."),
        submit=_("Send again"),
        permissions=["messaging.settle_delivery"],
        icon="forward_to_inbox",
    )
    def send_again(self, request: HttpRequest, form: forms.Form, obj: Delivery) -> str:
        operations.settle_unknown(delivery_id=obj.pk, arrived=False, **acting(request))
        return str(_("It is queued again."))

    def buttons_of(self, obj):
        return None if obj.state == Delivery.State.UNKNOWN else []


class NamesWidget(forms.Widget):
    """One line for each language of the shop."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> str:
        lines = []
        for language in languages():
            field = UnfoldAdminTextInputWidget().render(
                f"{name}_{language}", (value or {}).get(language, ""), {"id": f"id_{name}_{language}"}, renderer
            )
            lines.append((f"id_{name}_{language}", locale(language).get_display_name(), field))
        return format_html_join("", '<p class="mb-2"><label for="{}">{}</label>{}</p>', lines)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, str]:
        said = {language: data.get(f"{name}_{language}", "").strip() for language in languages()}
        return {language: text for language, text in said.items() if text}

    def id_for_label(self, id_: str) -> str:
        return f"{id_}_{languages()[0]}"


def languages() -> list[str]:
    """The shop's, its default first."""
    shop = Shop.objects.first()
    return shop.languages if shop else ["en"]


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
    list_display = ("id", "channel", "why", "marketing_only", "since")
    list_filter = ("why", "channel", "marketing_only")
    search_fields = ("id",)
    search_help_text = _("The whole address")
    sortable_by = ()
    fields = ("address", "marketing_only")
    actions_detail = ("lift",)

    def has_change_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        return False

    def get_fields(self, request, obj=None):
        return ("channel", "why", "marketing_only", "since") if obj else self.fields

    def get_readonly_fields(self, request, obj=None):
        return ("channel", "why", "marketing_only", "since") if obj else ()

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


def placed(fault: Any) -> str:
    """`English · body, line 3, column 5: …`"""
    return format_html(
        "{} · {}, {}: {}",
        locale(fault.language).get_display_name(),
        fault.part,
        _("line %(line)s, column %(column)s") % {"line": fault.line, "column": fault.column},
        str(fault),
    )
