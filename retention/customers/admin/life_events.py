"""The console's page of life events: what gives one away, how many customers it is known of, how many said no."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from retention import clock
from retention.customers.admin.customers import WordsInput
from retention.customers.models import ActivityKind, LifeEvent
from retention.customers.operations.life_events import (
    archive_life_event,
    bring_back_life_event,
    completed,
    save_life_event,
)
from retention.doors.console import EditAdmin, VersionHistory, acting, button

_KNOWN = """
    SELECT count(*) FILTER (WHERE attributes -> %(key)s ->> 'how' = 'inferred'),
        count(*) FILTER (WHERE attributes -> %(key)s ->> 'how' <> 'inferred' AND attributes -> %(key)s ? 'value'),
        count(*) FILTER (WHERE NOT attributes -> %(key)s ? 'value')
    FROM customers_customer WHERE attributes ? %(key)s
"""


class LifeEventForm(forms.ModelForm):
    label = forms.CharField(label=_("Name"), max_length=100, widget=UnfoldAdminTextInputWidget)
    key = forms.SlugField(
        label=_("Key"), max_length=60, widget=UnfoldAdminTextInputWidget, required=False,
        help_text=_("Of the attribute that it fills, as segments and the API name it; it stays as it is."),
    )  # fmt: skip
    is_sensitive = forms.BooleanField(
        label=_("Sensitive"), required=False, widget=UnfoldBooleanSwitchWidget,
        help_text=_("Segments may ask for it, but no message can say it."),
    )  # fmt: skip
    kind = forms.ChoiceField(label=_("Activity"), required=False, widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" in self.fields:
            self.fields["kind"].choices = [("", "–"), *ActivityKind.objects.values_list("key", "label")]
        if self.instance.pk:
            attribute = self.instance.attribute
            self.initial |= {"label": attribute.label, "key": attribute.key, "is_sensitive": attribute.is_sensitive}
            if "key" in self.fields:
                self.fields["key"].disabled = True

    def clean_key(self) -> str:
        if not self.cleaned_data["key"]:
            raise forms.ValidationError(_("This field is required."), code="required")
        return self.cleaned_data["key"]

    def _get_validation_exclusions(self) -> set[str]:
        # Every check is the operation's.
        return {field.name for field in LifeEvent._meta.get_fields()}


class ArchivedFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return [("archived", _("Archived")), ("all", _("All"))]

    def queryset(self, request, queryset):
        match self.value():
            case "archived":
                return queryset.exclude(archived_at=None)
            case "all":
                return queryset
        return queryset.filter(archived_at=None)


@admin.register(LifeEvent)
class LifeEventAdmin(VersionHistory, EditAdmin):
    form = LifeEventForm
    list_display = ["shown_name", "shown_rule", "shown_known"]
    list_filter = [ArchivedFilter]
    list_select_related = ["attribute", "version"]
    readonly_fields = ["shown_known", "shown_next"]
    fieldsets = [(None, {"fields": ["about"]})]
    formfield_overrides = {**EditAdmin.formfield_overrides, ArrayField: {"widget": WordsInput}}
    labels = {"what": _("What she does"), "at_least": _("How often at least")}
    help_texts = {
        "products": _("SKUs, with commas between them."),
        "categories": _("With all below them, with commas between them: Baby/Nappies."),
        "within_days": _("All of them lie within so many days."),
        "lasts_days": _("From the last of them on; then it is forgotten."),
    }
    actions_detail = ["archive", "bring_back"]
    empty_hint = _("Such as: a new parent, from nappies bought twice in 60 days.")

    def get_fieldsets(self, request, obj=None):
        told = [(_("Known of"), {"fields": ["shown_known", "shown_next"]})] if obj else []
        about = ["label", "key", "is_sensitive", "about"]
        if not (self.has_change_permission(request, obj) if obj else self.has_add_permission(request)):
            about = ["attribute", "about"]
        rule = ["what", "kind", "products", "categories", "at_least", "within_days", "lasts_days"]
        history = super().get_fieldsets(request, obj)[len(self.fieldsets) :]
        return [(None, {"fields": about}), (_("What gives it away"), {"fields": rule}), *told, *history]

    def operate(self, request, form, formsets, change):
        given = form.cleaned_data
        names = ("label", "key", "is_sensitive", "about", "what", "kind", "products", "categories", "at_least",
                 "within_days", "lasts_days")  # fmt: skip
        values = {name: given[name] for name in names}
        return save_life_event(
            life_event_id=form.instance.pk if change else None, values=values, edited=given["edited"],
            why=given["why"], **acting(request),
        )  # fmt: skip

    def restore(self, request, obj, data, edited, why):
        save_life_event(life_event_id=obj.pk, values=data, edited=edited, why=why, **acting(request))

    archive = button(
        archive_life_event,
        of="life_event_id",
        done=_("The life event is archived."),
        title=_("Archive this life event"),
        description=_("It is inferred no more, and what was inferred is taken back. What customers said stays."),
        submit=_("Archive"),
        button=_("Archive"),
        permissions=["customers.change_lifeevent"],
        icon="archive",
    )
    bring_back = button(
        bring_back_life_event,
        of="life_event_id",
        done=_("The life event is in use again."),
        title=_("Bring this life event back"),
        description=_("It is inferred again from tonight on."),
        submit=_("Bring back"),
        button=_("Bring back"),
        permissions=["customers.change_lifeevent"],
        icon="unarchive",
    )

    def buttons_of(self, obj):
        return ["archive" if obj.archived_at is None else "bring_back"]

    @display(description=_("Life event"), header=True)
    def shown_name(self, event):
        sensitive = _("Sensitive") if event.attribute.is_sensitive else ""
        return event.attribute.label, event.about or sensitive

    @display(description=_("What gives it away"))
    def shown_rule(self, event):
        things = ", ".join([*event.products, *event.categories]) or event.kind
        return _("%(things)s, %(often)s times in %(days)s days") % {
            "things": things,
            "often": event.at_least,
            "days": event.within_days,
        }

    @display(description=_("Customers"))
    def shown_known(self, event):
        with connection.cursor() as cursor:
            cursor.execute(_KNOWN, {"key": event.attribute.key})
            inferred, said, denied = cursor.fetchone()
        return _("%(inferred)s inferred · %(said)s said so · %(denied)s said no") % {
            "inferred": inferred,
            "said": said,
            "denied": denied,
        }

    @display(description=_("With the next run"))
    def shown_next(self, event):
        return _("%(count)s more") % {"count": len(completed(event, clock.now()))}
