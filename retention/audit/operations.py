"""Recording acts and versions, inside the transaction of what they record."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import models
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.audit.models import AuditEntry, Version
from retention.refusals import Refused


class EditedMeanwhile(Refused):
    code = "audit.edited_meanwhile"
    sentence = _("Someone saved version %(current)s while you were editing version %(edited)s. Reload and try again.")


def record(
    *,
    verb: str,
    by: Actor,
    now: dt.datetime,
    subject: models.Model | None = None,
    customer_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Write one audit row. `before` and `after` are JSON values without personal text."""
    return AuditEntry.objects.create(
        at=now,
        by_id=by.staff_id,
        actor=by.name,
        verb=verb,
        subject=subject._meta.label_lower if subject is not None else "",
        subject_id=subject.pk if subject is not None else None,
        customer_id=customer_id,
        before=before,
        after=after,
    )


def save_version(
    *, of: models.Model, data: Mapping[str, Any], edited: int | None, by: Actor, now: dt.datetime, why: str = ""
) -> Version:
    """Save `data` as the next version of a row that the caller has locked.

    `edited` is the number the editor had before her (None: nothing saved yet).

    Raises:
        EditedMeanwhile: that is no longer the newest one.
    """
    subject = of._meta.label_lower
    current = Version.objects.filter(subject=subject, subject_id=of.pk).aggregate(number=Max("number"))["number"]
    if edited != current:
        raise EditedMeanwhile(current=current, edited=edited)
    return Version.objects.create(
        subject=subject,
        subject_id=of.pk,
        number=(current or 0) + 1,
        data=data,
        why=why,
        by_id=by.staff_id,
        saved_at=now,
    )
