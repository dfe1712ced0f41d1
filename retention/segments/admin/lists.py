"""The console's pages for uploaded lists."""

from __future__ import annotations

import csv

from django import forms
from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget

from retention.doors.console import EditAdmin, acting, button
from retention.segments import operations
from retention.segments.models import CustomerList


class ListForm(forms.ModelForm):
    file = forms.FileField(
        label=_("File"),
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text=_("One reference or email address a line, in the first column; up to 10 MB."),
    )
    lines = forms.CharField(
        label=_("Or paste them"), required=False, widget=UnfoldAdminTextareaWidget, max_length=1_000_000
    )

    class Meta:
        model = CustomerList
        fields = ["name"]

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("file"):
            try:
                cleaned["lines"] = cleaned["file"].read().decode("utf-8-sig")
            except UnicodeDecodeError:
                self.add_error("file", forms.ValidationError(_("This file is not text in UTF-8."), code="encoding"))
        elif not cleaned.get("lines"):
            self.add_error("file", forms.ValidationError(_("Choose a file or paste some lines."), code="required"))
        if "\0" in (cleaned.get("lines") or ""):
            self.add_error("file", forms.ValidationError(_("This file is not text."), code="encoding"))
        return cleaned


@admin.register(CustomerList)
class CustomerListAdmin(EditAdmin):
    is_versioned = False
    empty_hint = _("Upload a file of emails or references, and use it in segments.")
    form = ListForm
    list_display = ["name", "size", "unknown", "uploaded_at", "archived_at"]
    search_fields = ["name__istartswith"]
    fieldsets = [(None, {"fields": ["name", "file", "lines"]})]
    actions_detail = ["archive"]

    def has_change_permission(self, request, obj=None):
        """A list is what was uploaded; another upload is another list."""
        return False

    def get_fieldsets(self, request, obj=None):
        if obj is None:
            return super().get_fieldsets(request, obj)
        return [(None, {"fields": ["name", "size", "unknown", "uploaded_at", "archived_at"]})]

    def operate(self, request, form, formsets, change):
        given = form.cleaned_data
        rows = csv.reader(given["lines"].splitlines())
        uploaded = operations.upload_list(name=given["name"], lines=(row[0] for row in rows if row), **acting(request))
        if uploaded.unknown:
            words = {"count": uploaded.list.unknown, "some": ", ".join(uploaded.unknown[:10])}
            messages.warning(request, _("%(count)s lines named no customer: %(some)s") % words)
        return uploaded.list

    archive = button(
        operations.archive_list,
        of="list_id",
        done=_("The list is archived."),
        title=_("Archive this list"),
        description=_("Who was on it is forgotten."),
        submit=_("Archive"),
        button=_("Archive"),
        permissions=["segments.change_customerlist"],
        icon="archive",
    )

    def buttons_of(self, obj):
        return [] if obj.archived_at else None
