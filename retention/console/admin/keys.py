"""Keys of the HTTP API: made (and shown once), rotated, revoked."""

from django import forms
from django.contrib import admin, messages
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldBooleanSwitchWidget

from retention.doors.console import EditAdmin, acting, button, confirm
from retention.doors.endpoints import scopes
from retention.doors.keys import create_key, revoke_key, rotate_key
from retention.doors.models import ApiKey


class ApiKeyForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("What the caller may do. Give the fewest that will do."),
    )

    class Meta:
        model = ApiKey
        fields = ["name", "is_public"]
        widgets = {"is_public": UnfoldBooleanSwitchWidget}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["scopes"].choices = [(scope, scope) for scope in sorted(scopes)]


@admin.register(ApiKey)
class ApiKeyAdmin(EditAdmin):
    """Only made here; what a key may do never changes, it is replaced by another one."""

    is_versioned = False
    list_display = ["name", "shown", "scope_list", "state", "created_at", "last_used_on"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter)]
    actions_detail = ["rotate", "revoke"]

    def get_form(self, request, obj=None, change=False, **kwargs):
        return super().get_form(request, obj, change, **({} if obj else {"form": ApiKeyForm}), **kwargs)

    def get_fields(self, request, obj=None):
        return (
            ["name", "shown", "scope_list", "is_public", "state", "created_at", "by", "last_used_on"]
            if obj
            else ["name", "is_public", "scopes"]
        )

    def get_readonly_fields(self, request, obj=None):
        return self.get_fields(request, obj) if obj else []

    def has_change_permission(self, request, obj=None):
        """The form of a key that is there cannot be sent; the buttons have a right of their own."""
        return False

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("by")

    @display(description=_("begins with"))
    def shown(self, obj):
        return f"{obj.prefix}…"

    @display(description=_("scopes"))
    def scope_list(self, obj):
        return ", ".join(obj.scopes)

    @display(description=_("state"), label={_("in use"): "success", _("revoked"): "danger"})
    def state(self, obj):
        return _("revoked") if obj.revoked_at else _("in use")

    def operate(self, request, form, formsets, change):
        said = form.cleaned_data
        named = {"name": said["name"], "scopes": said["scopes"], "is_public": said["is_public"]}
        made = create_key(**named, known=scopes, **acting(request))
        self._show_once(request, made.secret)
        return made.key

    @confirm(
        title=_("Replace the secret"),
        description=_("The old secret stops within two seconds; the caller needs the new one."),
        submit=_("Replace it"),
        permissions=["doors.change_apikey"],
        icon="autorenew",
    )
    def rotate(self, request, form, obj):
        self._show_once(request, rotate_key(key_id=obj.pk, **acting(request)).secret)

    revoke = button(
        revoke_key,
        of="key_id",
        done=_("The key %(row)s is revoked."),
        title=_("Revoke the key"),
        description=_("The caller is refused within two seconds. This cannot be undone; make a new key instead."),
        submit=_("Revoke it"),
        permissions=["doors.change_apikey"],
        icon="block",
        variant=ActionVariant.DANGER,
    )

    def _show_once(self, request, secret: str) -> None:
        sentence = format_html(
            "{} <code id='new-key' class='font-mono font-semibold select-all'>{}</code>",
            _("Copy the key now; it is not shown again:"),
            secret,
        )
        messages.warning(request, sentence)
