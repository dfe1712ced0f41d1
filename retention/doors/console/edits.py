"""Forms whose saving is one operation call, and whose refusals come back as errors of the same form."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from retention.doors.console.lists import FastList
from retention.doors.console.sentences import messages_of
from retention.refusals import Refused


class _Undone(Exception):
    """Carries an operation's "no" out of the page's transaction, so that it rolls back whole."""

    def __init__(self, reason: Refused | ValidationError) -> None:
        self.reason = reason


class _OperationForm(forms.ModelForm):
    """A form that can be told, after its own checks, why the operation refused what it holds."""

    refusal: Refused | ValidationError | None = None

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_bound and self.refusal is not None:
            self._add_refusal(self.refusal)

    def _add_refusal(self, reason: Refused | ValidationError) -> None:
        if hasattr(reason, "error_dict"):
            for field, errors in reason.error_dict.items():
                if field in self.fields:
                    self.add_error(field, errors)
                else:
                    self.add_error(None, [f"{field}: {text}" for error in errors for text in error.messages])
        else:
            self.add_error(None, messages_of(reason))


class _VersionedForm(_OperationForm):
    """Carries the version that the editor had before her, and her reason for the next one."""

    edited = forms.IntegerField(required=False, widget=forms.HiddenInput)
    why = forms.CharField(
        label=_("Why"),
        required=False,
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("A few words for the history: what changes and why."),
    )


class EditAdmin(FastList):
    """What people edit. A subclass writes `operate`: the one operation call that saves the whole form.

    With `is_versioned` the form also holds `edited` (hidden: the number of the version that was shown, None for
    a new row) and `why`; both are in `form.cleaned_data`.
    """

    is_versioned = True
    list_display_links: Any = ()

    def __init__(self, model, admin_site) -> None:
        super().__init__(model, admin_site)
        if not self.list_display_links:
            self.list_display_links = (self.list_display[0],)

    def operate(self, request: HttpRequest, form: forms.ModelForm, formsets: list, change: bool) -> Model | None:
        """Make the one operation call; return the row it made or changed.

        Raises:
            Refused, ValidationError: shown on the same page, with what the user typed; everything is rolled back.
        """
        raise NotImplementedError(f"{type(self).__name__} must say which operation saves its form")

    def version_number(self, obj: Model | None) -> int | None:
        """The number of the version that a form over `obj` shows."""
        version = getattr(obj, "version", None)
        return version.number if version else None

    # From here on: how Django's page is bent to that.

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None) -> HttpResponse:
        buttons = {"show_save_and_add_another": False}
        try:
            return super().changeform_view(request, object_id, form_url, {**buttons, **(extra_context or {})})
        except _Undone as undone:
            # The transaction is gone; the same input is shown again with the refusal as an error of the form.
            request.refusal = undone.reason
            return super().changeform_view(request, object_id, form_url, {**buttons, **(extra_context or {})})

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(db_field, models.DateTimeField) and field is not None and not field.help_text:
            field.help_text = _("By the shop's clock, %s.") % timezone.get_current_timezone_name().replace("_", " ")
        return field

    def get_form(self, request, obj=None, change=False, **kwargs):
        base = _VersionedForm if self.is_versioned else _OperationForm
        own = kwargs.pop("form", self.form)
        kwargs["form"] = type(own.__name__, (base, own), {"refusal": getattr(request, "refusal", None)})
        form = super().get_form(request, obj, change=change, **kwargs)
        if self.is_versioned and "edited" in form.base_fields:
            form.base_fields["edited"].initial = self.version_number(obj)
        return form

    def get_fieldsets(self, request, obj=None):
        fieldsets = super().get_fieldsets(request, obj)
        if not self.is_versioned:
            return fieldsets
        named = [(name, {**options, "fields": _without(options["fields"])}) for name, options in fieldsets]
        may_save = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        return [*named, (_("History"), {"fields": ["why", "edited"]})] if may_save else named

    def save_model(self, request, obj, form, change) -> None:
        """Nothing: `operate` saves."""

    def save_related(self, request, form, formsets, change) -> None:
        try:
            saved = self.operate(request, form, formsets, change)
        except (Refused, ValidationError) as reason:
            raise _Undone(reason) from reason
        if saved is not None:
            # What Django says of it afterwards, such as its name, is what was saved.
            form.instance.__dict__ |= saved.__dict__

    def construct_change_message(self, request, form, formsets, add=False) -> str:
        return ""


def _without(fields) -> list:
    return [field for field in fields if field not in ("edited", "why")]
