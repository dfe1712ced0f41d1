"""The template editor in the console."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import path
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from retention.doors.console import EditAdmin, VersionHistory, acting, button, confirm
from retention.messaging import operations, views
from retention.messaging.forms import TemplateForm, TestForm, placed
from retention.messaging.models import Template, Way
from retention.messaging.operations.templates import TemplateFaulty


@admin.register(Template)
class TemplateAdmin(VersionHistory, EditAdmin):
    form = TemplateForm
    list_display = ("name", "channel", "category", "topic", "languages", "saved", "shown_archived")
    list_filter = ("category", "channel", ("archived_at", admin.EmptyFieldListFilter))
    list_select_related = ("version",)
    search_fields = ("name__icontains", "key__istartswith")
    fieldsets = ((None, {"fields": ["name", "channel", "category", "topic"]}), (_("Words"), {"fields": ["words"]}))
    actions_detail = ("send_test", "archive")
    actions_list = ("add_ready",)
    change_form_show_cancel_button = True
    empty_hint = _("A template is what a message says, in each language. The ready ones can be sent as they are.")

    @admin.display(description=_("languages"))
    def languages(self, obj: Template) -> str:
        return ", ".join(obj.version.data["words"]) if obj.version else "–"

    @admin.display(description=_("saved"), ordering="version__saved_at")
    def saved(self, obj: Template) -> Any:
        return obj.version.saved_at if obj.version else None

    @display(description="", label={_("archived"): "default"}, empty_value="")
    def shown_archived(self, obj: Template) -> Any:
        return _("archived") if obj.archived_at else None

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
