"""The audit: who did what, readable and nothing else."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import FieldTextFilter
from unfold.decorators import display

from retention.audit.differences import difference, readable
from retention.audit.models import AuditEntry
from retention.doors.console import DaysFilter, FactAdmin


@admin.register(AuditEntry)
class AuditEntryAdmin(FactAdmin):
    list_display = ["at", "who", "verb", "what", "customer_id", "change"]
    list_filter = [
        ("at", DaysFilter),
        ("verb", FieldTextFilter),
        ("customer_id", FieldTextFilter),
    ]
    list_select_related = ["by"]
    search_fields = ["verb__startswith", "actor__startswith"]
    search_help_text = _("The beginning of what was done, such as incentives.stop, or of who did it, such as key:")
    fields = ["at", "who", "verb", "what", "customer_id", "change"]
    readonly_fields = fields

    @display(description=_("who"))
    def who(self, obj):
        return obj.by or obj.actor

    @display(description=_("what"))
    def what(self, obj):
        return f"{obj.subject} {obj.subject_id}" if obj.subject else "—"

    @display(description=_("change"))
    def change(self, obj):
        if obj.before and obj.after:
            changes = difference(obj.before, obj.after)
            return "; ".join(f"{c.label}: {readable(c.before)} → {readable(c.after)}" for c in changes) or "—"
        return readable(obj.after or obj.before)
