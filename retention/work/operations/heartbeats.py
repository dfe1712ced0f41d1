"""Signs of life, and the alerts raised when they stop."""

import datetime as dt
from collections.abc import Iterable

from django.db import connection

from retention.work.models import Alert, Heartbeat
from retention.work.operations.alerts import raise_alert, resolve_alert
from retention.work.querysets import Silence, silences

KIND = "work.silent"


def beat(names: Iterable[str]) -> None:
    """Note that the processes of these names are alive, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO work_heartbeat (name, at) SELECT unnest(%s::text[]), statement_timestamp()"
            " ON CONFLICT (name) DO UPDATE SET at = excluded.at",
            [sorted(set(names))],
        )


def watch(*, now: dt.datetime) -> list[Silence]:
    """Raise an alert for whatever has fallen silent, and resolve those of what is heard again."""
    silent = silences(now=now)
    for silence in silent:
        raise_alert(kind=KIND, subject=silence.name, level=Alert.Level.URGENT, text=str(silence.sentence()), now=now)
    for alert in Alert.objects.filter(kind=KIND, resolved_at=None).exclude(subject__in=[row.name for row in silent]):
        resolve_alert(kind=KIND, subject=alert.subject, now=now)
    return silent


def forget_workers(*, before: dt.datetime) -> int:
    """Drop the heartbeats of workers that were not seen since: they were stopped long ago."""
    return Heartbeat.objects.filter(name__startswith="worker:", at__lt=before).delete()[0]
