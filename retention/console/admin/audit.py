"""The audit: who did what, readable and nothing else."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, FieldTextFilter, SingleNumericFilter
from unfold.decorators import display

from retention.audit.differences import difference, readable
from retention.audit.models import AuditEntry
from retention.doors.console import DaysFilter, FactAdmin
from retention.doors.console.words import actor_words, behalf, verb_of, verb_words


@admin.register(AuditEntry)
class AuditEntryAdmin(FactAdmin):
    list_display = ["at", "who", "shown_verb", "what", "customer", "change"]
    list_filter = [
        ("at", DaysFilter),
        ("by", AutocompleteSelectFilter),
        ("actor", FieldTextFilter),
        ("customer_id", SingleNumericFilter),
    ]
    list_select_related = ["by"]
    search_fields = ["verb__startswith"]
    search_help_text = _("What was done, such as “incentives: stop” or its beginning")
    fields = ["at", "who", "shown_verb", "what", "customer", "change"]
    readonly_fields = fields

    def get_search_results(self, request, queryset, search_term):
        return super().get_search_results(request, queryset, verb_of(search_term))

    @display(description=_("who"))
    def who(self, obj):
        return (obj.by.get_full_name() or obj.by.username) if obj.by else actor_words(obj.actor)

    @display(description=_("did"))
    def shown_verb(self, obj):
        return verb_words(obj.verb)

    @display(description=_("customer"))
    def customer(self, obj):
        return behalf("customers.customer", obj.customer_id) if obj.customer_id else "—"

    @display(description=_("what"))
    def what(self, obj):
        return behalf(obj.subject, obj.subject_id) if obj.subject else "—"

    @display(description=_("change"))
    def change(self, obj):
        if obj.before and obj.after:
            changes = difference(obj.before, obj.after)
            return "; ".join(f"{c.label}: {readable(c.before)} → {readable(c.after)}" for c in changes) or "—"
        return readable(obj.after or obj.before)
