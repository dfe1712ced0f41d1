"""Saving what may be sent when, and how often."""

import datetime as dt

from django.db import transaction

from retention.actors import Actor
from retention.audit.operations import record, save_version
from retention.messaging.models import MessagingPolicy
from retention.messaging.policy import SendingPolicy, as_data


@transaction.atomic
def save_messaging_policy(
    *, policy: SendingPolicy, edited: int | None, now: dt.datetime, by: Actor, why: str = ""
) -> MessagingPolicy:
    """Save the whole policy; what leaves from now on obeys it.

    Raises:
        EditedMeanwhile: someone saved after version `edited` was read (None: there was none).
    """
    row, _made = MessagingPolicy.objects.get_or_create(pk=1)
    row = MessagingPolicy.objects.select_for_update(no_key=True).get(pk=row.pk)
    row.version = save_version(of=row, data=as_data(policy), edited=edited, by=by, now=now, why=why)
    MessagingPolicy.objects.filter(pk=row.pk).update(version=row.version)
    record(
        verb="messaging.save_policy",
        by=by,
        now=now,
        subject=row,
        before={"version": edited},
        after={"version": row.version.number},
    )
    return row
