"""Sending again what was told or given up, under the same id; and forgetting what has ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.audit.operations import record
from retention.refusals import Refused
from retention.webhooks.models import Endpoint, Notice
from retention.webhooks.operations.following import DELIVER
from retention.webhooks.operations.life import EndpointIsOff, NoSuchEndpoint
from retention.work.operations import nudge


class NoSuchNotice(Refused):
    code = "webhooks.no_such_notice"
    sentence = _("There is no such notice.")
    status = 404


class NoticeWaits(Refused):
    code = "webhooks.notice_waits"
    sentence = _("This notice is on its way already.")


@transaction.atomic
def replay(*, notice_id: int, now: dt.datetime, by: Actor) -> Notice:
    """Send one that has ended once more, now; its receiver knows it by its id.

    Raises:
        NoSuchNotice, NoticeWaits, EndpointIsOff
    """
    rows = Notice.objects.select_for_update(of=("self",), no_key=True).select_related("endpoint")
    notice = rows.filter(pk=notice_id).first()
    if notice is None:
        raise NoSuchNotice
    if not notice.endpoint.is_on:
        raise EndpointIsOff
    if not _again(Notice.objects.filter(pk=notice_id).exclude(state=Notice.State.WAITING), now, by):
        raise NoticeWaits
    record(
        verb="webhooks.replay", by=by, now=now, subject=notice, customer_id=notice.customer_id,
        after={"kind": notice.kind},
    )  # fmt: skip
    notice.refresh_from_db()
    return notice


@transaction.atomic
def replay_given_up(*, endpoint_id: int, since: dt.datetime, until: dt.datetime, now: dt.datetime, by: Actor) -> int:
    """Send again all that was given up of what happened in this time; how many.

    Raises:
        NoSuchEndpoint, EndpointIsOff
    """
    endpoint = Endpoint.objects.filter(pk=endpoint_id, archived_at=None).first()
    if endpoint is None:
        raise NoSuchEndpoint
    if not endpoint.is_on:
        raise EndpointIsOff
    count = _again(given_up(endpoint_id, since=since, until=until), now, by)
    record(
        verb="webhooks.replay_given_up", by=by, now=now, subject=endpoint,
        after={"since": since.isoformat(), "until": until.isoformat(), "count": count},
    )  # fmt: skip
    return count


def given_up(endpoint_id: int, *, since: dt.datetime, until: dt.datetime) -> QuerySet[Notice]:
    """What `replay_given_up` would send again."""
    return Notice.objects.filter(
        endpoint=endpoint_id, state=Notice.State.GIVEN_UP, occurred_at__gte=since, occurred_at__lt=until
    )


def _again(notices: QuerySet[Notice], now: dt.datetime, by: Actor) -> int:
    count = notices.update(
        state=Notice.State.WAITING, tries=0, next_at=now, lease_until=None, ended_at=None, replayed_by=by.name
    )
    if count:
        nudge(DELIVER)
    return count


def ended_before(until: dt.datetime) -> QuerySet[Notice]:
    """Notices that are kept no longer."""
    return Notice.objects.filter(ended_at__lt=until)


def forget_notices(*, until: dt.datetime, progress: Callable[[int, int], None], chunk: int = 5_000) -> int:
    """Delete what ended before, with its attempts, a chunk in a transaction; how many notices."""
    gone = 0
    while ids := list(ended_before(until).order_by("ended_at").values_list("pk", flat=True)[:chunk]):
        Notice.objects.filter(pk__in=ids, ended_at__lt=until).delete()
        gone += len(ids)
        progress(gone, gone)
    return gone
