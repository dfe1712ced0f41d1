"""The circuit breaker: after failures in a row a channel rests, longer each time, and people are told."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from retention.messaging.models import Outage, Way
from retention.work.operations import raise_alert, resolve_alert

_FIRST_REST = dt.timedelta(seconds=30)
_LONGEST_REST = dt.timedelta(minutes=15)
#: From so many failures in a row on, people are told.
_TELL_FROM = 3
ALERT = "messaging.outage"


def resting_until(channel: str, *, at: dt.datetime) -> dt.datetime | None:
    """When the channel may be tried again, where it rests now."""
    return Outage.objects.filter(channel=channel, until__gt=at, failures__gt=0).values_list("until", flat=True).first()


@transaction.atomic
def note_failure(channel: str, *, reason: str, at: dt.datetime) -> Outage:
    """The provider failed as a whole: rest 30 seconds, twice as long after each further failure, up to 15 minutes."""
    Outage.objects.get_or_create(channel=channel)
    outage = Outage.objects.select_for_update().get(channel=channel)
    outage.since = outage.since or at
    outage.failures += 1
    outage.reason = reason
    outage.until = at + min(_FIRST_REST * 2 ** min(outage.failures - 1, 10), _LONGEST_REST)
    outage.save()
    if outage.failures >= _TELL_FROM:
        text = _("The provider of %(channel)s has failed %(failures)s times in a row; messages wait.") % {
            "channel": Way(channel).label,
            "failures": outage.failures,
        }
        url = f"/{settings.CONSOLE_PATH}messaging/outage/"
        raise_alert(kind=ALERT, subject=channel, level="urgent", text=text, url=url, now=at)
    return outage


@transaction.atomic
def note_success(channel: str, *, at: dt.datetime) -> None:
    """The provider takes messages again."""
    if Outage.objects.filter(channel=channel, failures__gt=0).update(failures=0, since=None, until=None, reason=""):
        resolve_alert(kind=ALERT, subject=channel, now=at)
