"""Raising what a person should look at, once, and taking it back when it is over."""

import datetime as dt

from django.db import connection

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
