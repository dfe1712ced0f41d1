"""Rows of other people's apps, shown in our dress or not at all."""

from functools import partial

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

from retention.doors.console import FactAdmin, button
from retention.doors.operations.ticks import switch_tick

_HIDDEN = (AccessLog, AccessFailureLog, ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule)

for model in (*_HIDDEN, AccessAttempt, PeriodicTask):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(AccessAttempt)
class AccessAttemptAdmin(FactAdmin):
    """Failed log-ins that count towards a lock; `manage.py axes_reset_username` lets someone in again at once."""

    list_display = ["username", "ip_address", "failures_since_start", "attempt_time"]
    fields = ["username", "ip_address", "failures_since_start", "attempt_time"]
    labels = {
        "ip_address": _("From the address"),
        "failures_since_start": _("Failed tries"),
        "attempt_time": _("Last try"),
    }
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

    switch_on = button(
        partial(switch_tick, is_enabled=True),
        of="tick_id",
        done=_("The scheduler rings %(row)s again."),
        title=_("Switch the tick on"),
        button=_("Switch on"),
        submit=_("Switch it on"),
        permissions=["django_celery_beat.change_periodictask"],
        icon="play_arrow",
    )
    switch_off = button(
        partial(switch_tick, is_enabled=False),
        of="tick_id",
        done=_("The scheduler no longer rings %(row)s."),
        title=_("Switch the tick off"),
        button=_("Switch off"),
        description=_("Nothing that it rings for runs until it is switched on again: no job, no message."),
        submit=_("Switch it off"),
        permissions=["django_celery_beat.change_periodictask"],
        icon="stop",
        variant=ActionVariant.DANGER,
    )

    def buttons_of(self, obj):
        return ["switch_off" if obj.enabled else "switch_on"]
