"""Raising what a person should look at, once, and taking it back when it is over."""

import datetime as dt

from django.db import connection, transaction

from retention.actors import Actor
from retention.audit.operations import record
from retention.work.models import Alert


def raise_alert(
    *, kind: str, subject: str = "", level: str = Alert.Level.WARNING, text: str, url: str = "", now: dt.datetime
) -> None:
    """Open the alert of this kind and subject, or reword the one that is open."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO work_alert (kind, subject, level, text, url, raised_at) VALUES (%s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (kind, subject) WHERE resolved_at IS NULL"
            " DO UPDATE SET level = excluded.level, text = excluded.text, url = excluded.url",
            [kind, subject, level, text[:300], url, now],
        )


def resolve_alert(*, kind: str, subject: str = "", now: dt.datetime) -> bool:
    """Close the open alert of this kind and subject; whether there was one."""
    return bool(Alert.objects.filter(kind=kind, subject=subject, resolved_at=None).update(resolved_at=now))


@transaction.atomic
def settle_alert(*, alert_id: int, now: dt.datetime, by: Actor) -> Alert:
    """A person has seen to it; raised again, it is a new one."""
    alert = Alert.objects.select_for_update().get(pk=alert_id)
    if alert.resolved_at is None:
        alert.resolved_at = now
        alert.save(update_fields=["resolved_at"])
        record(verb="work.settle_alert", by=by, now=now, subject=alert, after={"kind": alert.kind})
    return alert
