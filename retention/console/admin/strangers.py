"""Rows of other people's apps, shown in our dress or not at all."""

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin

from retention.doors.console import FactAdmin

for model in (AccessAttempt, AccessLog, AccessFailureLog):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(AccessAttempt)
class AccessAttemptAdmin(FactAdmin):
    """Failed log-ins that count towards a lock; who waits is let in again by `manage.py axes_reset_username`."""

    list_display = ["username", "ip_address", "failures_since_start", "attempt_time"]
    fields = ["username", "ip_address", "failures_since_start", "attempt_time", "path_info"]
    search_fields = ["username__istartswith"]
