"""Rows of other people's apps, shown in our dress or not at all."""

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.enums import ActionVariant

from retention.doors.console import FactAdmin, acting, confirm
from retention.doors.operations.ticks import switch_tick

_HIDDEN = (AccessLog, AccessFailureLog, ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule)

for model in (*_HIDDEN, AccessAttempt, PeriodicTask):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(AccessAttempt)
class AccessAttemptAdmin(FactAdmin):
    """Failed log-ins that count towards a lock; `manage.py axes_reset_username` lets someone in again at once."""

    list_display = ["username", "ip_address", "failures_since_start", "attempt_time"]
    fields = ["username", "ip_address", "failures_since_start", "attempt_time", "path_info"]
    search_fields = ["username__istartswith"]
    empty_hint = _("Failed log-ins are listed here until the right password is given.")


@admin.register(PeriodicTask)
class TickAdmin(FactAdmin):
    """The scheduler's ticks. When each job is due is on the jobs' own page; a tick can only be switched off and on."""

    list_display = ["name", "task", "interval", "enabled", "last_run_at"]
    list_select_related = ["interval"]
    fields = ["name", "task", "interval", "queue", "enabled", "last_run_at", "total_run_count"]
    actions_detail = ["switch_on", "switch_off"]
    empty_hint = _("The scheduler writes its ticks here when it starts for the first time.")

    @confirm(
        title=_("Switch the tick on"),
        submit=_("Switch it on"),
        permissions=["django_celery_beat.change_periodictask"],
        icon="play_arrow",
    )
    def switch_on(self, request, form, obj):
        switch_tick(tick_id=obj.pk, is_enabled=True, **acting(request))
        return _("The scheduler rings %s again.") % obj.name

    @confirm(
        title=_("Switch the tick off"),
        description=_("Nothing that it rings for runs until it is switched on again: no job, no message."),
        submit=_("Switch it off"),
        permissions=["django_celery_beat.change_periodictask"],
        icon="stop",
        variant=ActionVariant.DANGER,
    )
    def switch_off(self, request, form, obj):
        switch_tick(tick_id=obj.pk, is_enabled=False, **acting(request))
        return _("The scheduler no longer rings %s.") % obj.name
