"""Switching the scheduler's ticks on and off; their rhythm is not anyone's to edit."""

import datetime as dt

from django.db import transaction
from django_celery_beat.models import PeriodicTask, PeriodicTasks

from retention.actors import Actor
from retention.audit.operations import record


@transaction.atomic
def switch_tick(*, tick_id: int, is_enabled: bool, now: dt.datetime, by: Actor) -> PeriodicTask:
    """Let the scheduler ring a tick, or not; beat notices within seconds. Doing it twice changes nothing."""
    tick = PeriodicTask.objects.select_for_update().get(pk=tick_id)
    if tick.enabled != is_enabled:
        PeriodicTask.objects.filter(pk=tick.pk).update(enabled=is_enabled)
        PeriodicTasks.update_changed()
        record(verb="doors.switch_tick", by=by, now=now, subject=tick, after={"enabled": is_enabled})
        tick.enabled = is_enabled
    return tick
