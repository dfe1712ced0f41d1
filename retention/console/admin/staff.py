"""Staff and their roles; for administrators alone."""

from django import forms
from django.contrib import admin
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.models import Group
from django.utils.html import format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextInputWidget,
)

from retention.doors.console import ConfirmForm, EditAdmin, FactAdmin, acting, button
from retention.doors.operations.staff import Person, create_staff, save_staff, set_password
from retention.doors.roles import ROLES
from retention.shop.models import Staff

_LABELS = dict(ROLES.values())
_PASSWORD_HELP = _("At least eight symbols, not a common password and not like the name. Send it by a safe way.")


class StaffForm(forms.ModelForm):
    username = UsernameField(label=_("Log-in name"), max_length=150, widget=UnfoldAdminTextInputWidget)
    roles = forms.MultipleChoiceField(
        label=_("Roles"),
        choices=list(_LABELS.items()),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Without a role one can log in and see nothing."),
    )

    class Meta:
        model = Staff
        fields = ["username", "first_name", "last_name", "email", "is_active"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["roles"].initial = list(self.instance.groups.values_list("name", flat=True))


class NewStaffForm(StaffForm):
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=UnfoldAdminPasswordWidget({"autocomplete": "new-password"}),
        help_text=_PASSWORD_HELP,
    )


class PasswordForm(ConfirmForm):
    password = forms.CharField(
        label=_("New password"),
        strip=False,
        widget=UnfoldAdminPasswordWidget({"autocomplete": "new-password"}),
        help_text=_PASSWORD_HELP,
    )


@admin.register(Staff)
class StaffAdmin(EditAdmin):
    is_versioned = False
    list_display = ["username", "full_name", "role_names", "is_active", "last_login"]
    list_filter = ["is_active"]
    search_fields = ["username__istartswith", "last_name__istartswith", "email__istartswith"]
    ordering = ["username"]
    actions_detail = ["new_password"]
    readonly_fields = ["last_login", "date_joined"]
    help_texts = {"is_active": _("Switched off, nobody can log in with it; what she did stays.")}
    form = StaffForm

    def get_form(self, request, obj=None, change=False, **kwargs):
        return super().get_form(request, obj, change, **{"form": StaffForm if obj else NewStaffForm, **kwargs})

    def get_fieldsets(self, request, obj=None):
        who = ["username", "first_name", "last_name", "email"]
        if obj is None:
            return [(None, {"fields": [*who, "password"]}), (_("Rights"), {"fields": ["roles", "is_active"]})]
        rights = ["roles" if self.has_change_permission(request, obj) else "role_names", "is_active"]
        return [(None, {"fields": who}), (_("Rights"), {"fields": [*rights, "last_login", "date_joined"]})]

    def get_readonly_fields(self, request, obj=None):
        return [*super().get_readonly_fields(request, obj), "role_names"]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("groups")

    @display(description=_("name"))
    def full_name(self, obj):
        return obj.get_full_name() or "—"

    @display(description=_("roles"))
    def role_names(self, obj):
        names = [str(_LABELS.get(group.name, group.name)) for group in obj.groups.all()]
        return ", ".join(["owner", *names] if obj.is_superuser else names) or "—"

    def operate(self, request, form, formsets, change):
        said = form.cleaned_data
        person = Person(
            username=said["username"],
            first_name=said["first_name"],
            last_name=said["last_name"],
            email=said["email"],
            is_active=said["is_active"],
            roles=tuple(said["roles"]),
        )
        if change:
            return save_staff(staff_id=form.instance.pk, person=person, **acting(request))
        return create_staff(person=person, password=said["password"], **acting(request))

    new_password = button(
        set_password,
        of="staff_id",
        takes=["password"],
        done=_("%(row)s has a new password."),
        title=_("Set a new password"),
        description=_("All log-ins of this person end at once."),
        submit=_("Set the password"),
        button=_("New password"),
        permissions=["change"],
        form_class=PasswordForm,
        icon="key",
    )


if admin.site.is_registered(Group):
    admin.site.unregister(Group)


@admin.register(Group)
class RoleAdmin(FactAdmin):
    """Roles come from one table in code; here they can be read."""

    list_display = ["label", "members"]
    fields = ["label", "rights"]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("permissions__content_type", "user_set")

    @display(description=_("role"), ordering="name")
    def label(self, obj):
        return _LABELS.get(obj.name, obj.name)

    @display(description=_("members"))
    def members(self, obj):
        return ", ".join(person.get_full_name() or person.username for person in obj.user_set.all()) or "—"

    @display(description=_("rights"))
    def rights(self, obj):
        """What may be done, by what it is done to: a line a thing."""
        found: dict[str, list[str]] = {}
        for permission in obj.permissions.all():
            kind = permission.content_type.model_class()
            thing = capfirst(kind._meta.verbose_name_plural) if kind else permission.content_type.name
            act = permission.codename.removesuffix(f"_{permission.content_type.model}").replace("_", " ")
            found.setdefault(str(thing), []).append(act)
        return format_html_join(
            "",
            "<p><strong>{}</strong>: {}</p>",
            ((thing, ", ".join(sorted(acts))) for thing, acts in sorted(found.items())),
        )
