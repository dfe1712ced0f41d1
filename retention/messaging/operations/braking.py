"""Pausing a campaign or a channel by itself when too much of it bounces or is complained about, and lifting that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from retention.actors import Actor
from retention.audit.operations import record
from retention.messaging import reasons, tallies
from retention.messaging.frequency import current_policy
from retention.messaging.groups import name_of
from retention.messaging.models import Pause, Way
from retention.messaging.policy import Brake
from retention.refusals import Refused
from retention.work.operations import raise_alert, resolve_alert

ALERT = "messaging.brake"
#: A channel is judged by so many days, the present one included; a campaign by all of its messages.
_DAYS = 2

_LATELY = """
SELECT DISTINCT origin, group_id, channel FROM messaging_tally
WHERE day >= %s AND kind IN ('bounced', 'complained') AND count > 0
"""


class NotPaused(Refused):
    code = "messaging.not_paused"
    sentence = gettext_lazy("This pause was lifted already.")


def brake(*, now: dt.datetime) -> int:
    """Pause whatever is over the policy's rates now, and tell people; how many pauses began."""
    rates = current_policy().brake
    if rates is None:
        return 0
    since = now.date() - dt.timedelta(days=_DAYS - 1)
    with connection.cursor() as cursor:
        cursor.execute(_LATELY, [since])
        lately = cursor.fetchall()
    begun = 0
    for channel in sorted({channel for _origin, _group, channel in lately}):
        begun += _judge(rates, Q(channel=channel, day__gte=since), now, channel=channel)
    for origin, group_id in sorted({(origin, group) for origin, group, _channel in lately if group is not None}):
        begun += _judge(rates, Q(origin=origin, group_id=group_id), now, origin=origin, group_id=group_id)
    return begun


@transaction.atomic
def _judge(rates: Brake, where: Q, now: dt.datetime, **whose: str | int) -> int:
    counted = tallies.counts(where)
    last = Pause.objects.filter(**{"channel": "", "origin": "", "group_id": None, **whose}).order_by("-id").first()
    if last is not None and last.lifted_at is None:
        return 0
    lately = {kind: n - (last.counted.get(kind, 0) if last else 0) for kind, n in counted.items()}
    if last is not None and lately.get("sent", 0) < 0:
        # What was counted when it was lifted has passed out of the days that are looked at.
        lately = counted
    for code, params in _wrongs(rates, lately):
        pause, is_new = Pause.objects.get_or_create(
            **{"channel": "", "origin": "", "group_id": None, **whose},
            lifted_at=None,
            defaults={"reason": code, "params": params, "since": now},
        )
        if is_new:
            what = Way(pause.channel).label if pause.channel else name_of(pause.origin, pause.group_id)
            text = _("Marketing of %(what)s paused by itself: %(n)s of %(sent)s messages went wrong.") % {
                "what": what,
                **params,
            }
            url = f"/{settings.CONSOLE_PATH}messaging/pause/{pause.pk}/change/"
            raise_alert(kind=ALERT, subject=str(pause.pk), level="urgent", text=text, url=url, now=now)
        return int(is_new)
    return 0


def _wrongs(rates: Brake, counted: dict[str, int]) -> Iterator[tuple[str, dict[str, int]]]:
    sent = counted.get("sent", 0)
    if sent < rates.sample:
        return
    for kind, most, code in (
        ("bounced", rates.bounced_per_mille, reasons.BAD_BOUNCES),
        ("complained", rates.complained_per_mille, reasons.BAD_COMPLAINTS),
    ):
        if counted.get(kind, 0) * 1000 > most * sent:
            yield code, {"n": counted[kind], "sent": sent}


@transaction.atomic
def lift_pause(*, pause_id: int, now: dt.datetime, by: Actor) -> Pause:
    """Let it send again; from now on it is judged by what comes from now on.

    Raises:
        NotPaused
    """
    pause = Pause.objects.select_for_update().get(pk=pause_id)
    if pause.lifted_at is not None:
        raise NotPaused
    since = now.date() - dt.timedelta(days=_DAYS - 1)
    where = (
        Q(channel=pause.channel, day__gte=since) if pause.channel else Q(origin=pause.origin, group_id=pause.group_id)
    )
    pause.counted, pause.lifted_at, pause.lifted_by_id = tallies.counts(where), now, by.staff_id
    pause.save(update_fields=["counted", "lifted_at", "lifted_by"])
    record(verb="messaging.lift_pause", by=by, now=now, subject=pause, before={"reason": pause.reason})
    resolve_alert(kind=ALERT, subject=str(pause.pk), now=now)
    return pause
