"""Telling notices: claimed under a lease, called with no transaction open, and each outcome written at once.

A worker that dies between a call and its note leaves the notice leased; past the lease it is told again under the same
`webhook-id`.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from retention.actors import Actor
from retention.webhooks.bodies import body_of
from retention.webhooks.calls import Outcome, call
from retention.webhooks.models import Attempt, Endpoint, Notice
from retention.webhooks.operations.following import DELIVER
from retention.webhooks.operations.life import switch_off
from retention.webhooks.schedule import WAITS, wait_after
from retention.webhooks.signing import headers_of
from retention.work.operations import nudge

#: Longer than any call takes.
LEASE = dt.timedelta(minutes=2)
#: Calls side by side: in all, to one endpoint, and to one that fails at present.
AT_ONCE, AT_ONE, AT_A_FAILING_ONE = 32, 4, 1
#: One run claims for so long; the next goes on.
RUN_SECONDS = 120.0
#: An endpoint that took nothing for so long is switched off.
PATIENCE = dt.timedelta(days=5)
GONE = 410


@dataclass
class Told:
    """Of one run: calls, and how many of them were taken."""

    due: int = 0
    sent: int = 0

    def as_dict(self) -> dict[str, int]:
        return {"due": self.due, "sent": self.sent}


def deliver(*, now: dt.datetime, progress: Callable[[int, int], None] | None = None) -> Told:
    """Tell what is due, a few at a time to each endpoint, so that a slow one holds up no other."""
    told, began = Told(), time.monotonic()
    in_hand: dict[Future[Outcome], Notice] = {}
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhooks") as threads:
        while True:
            passed = time.monotonic() - began
            at = now + dt.timedelta(seconds=passed)
            if passed < RUN_SECONDS:
                for notice in _claim(list(in_hand.values()), now=at):
                    in_hand[_begin(threads, notice, at)] = notice
            if not in_hand:
                return told
            # Looked at every half second, so that what comes for others does not wait for a slow one.
            done, _rest = wait(in_hand, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in done:
                outcome = future.result()
                record_outcome(
                    notice=in_hand.pop(future),
                    outcome=outcome,
                    now=now + dt.timedelta(seconds=time.monotonic() - began),
                )
                told.due += 1
                told.sent += outcome.is_delivered
            if progress:
                progress(told.due, told.due + len(in_hand))


def count_due(*, now: dt.datetime) -> int:
    """How many notices `deliver` would tell."""
    return _due(now).filter(endpoint__is_on=True).count()


def _begin(threads: ThreadPoolExecutor, notice: Notice, at: dt.datetime) -> Future[Outcome]:
    body = body_of(notice)
    headers = headers_of(notice.endpoint, str(notice.public_id), body, at=at)
    return threads.submit(call, notice.endpoint.url, body, headers)


def _due(now: dt.datetime):
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    return Notice.objects.filter(free, state=Notice.State.WAITING, next_at__lte=now)


def _claim(in_hand: list[Notice], *, now: dt.datetime) -> Iterator[Notice]:
    """Lease what is due: of each endpoint as many as it has free places, those with the fewest calls first."""
    left = AT_ONCE - len(in_hand)
    if not left:
        return
    busy = Counter(notice.endpoint_id for notice in in_hand)
    due = _due(now).filter(endpoint=OuterRef("pk"))
    for endpoint in sorted(Endpoint.objects.filter(Exists(due), is_on=True), key=lambda each: busy[each.pk]):
        places = (AT_A_FAILING_ONE if endpoint.failing_since else AT_ONE) - busy[endpoint.pk]
        if (most := min(places, left)) > 0:
            leased = _leased(endpoint, most, now)
            left -= len(leased)
            yield from leased


@transaction.atomic
def _leased(endpoint: Endpoint, most: int, now: dt.datetime) -> list[Notice]:
    mine = (
        _due(now).filter(endpoint=endpoint).order_by("next_at", "pk").select_for_update(skip_locked=True, no_key=True)
    )
    ids = list(mine.values_list("pk", flat=True)[:most])
    Notice.objects.filter(pk__in=ids).update(lease_until=Now() + LEASE)
    rows = Notice.objects.filter(pk__in=ids).select_related("customer__merged_into").order_by("next_at", "pk")
    for row in rows:
        row.endpoint = endpoint
    return list(rows)


@transaction.atomic
def record_outcome(*, notice: Notice, outcome: Outcome, now: dt.datetime) -> None:
    """Write one attempt, and what follows of it for its notice and its endpoint.

    Past its lease somebody else may have told it too: a success counts all the same, a failure only for who holds it.
    """
    Attempt.objects.create(
        notice=notice, at=now, status=outcome.status, why=outcome.why, milliseconds=outcome.milliseconds,
        answer=outcome.answer, by=notice.replayed_by,
    )  # fmt: skip
    row = Notice.objects.filter(pk=notice.pk, state=Notice.State.WAITING)
    endpoint = Endpoint.objects.filter(pk=notice.endpoint_id)
    if outcome.is_delivered:
        row.update(state=Notice.State.DELIVERED, tries=F("tries") + 1, next_at=None, lease_until=None, ended_at=now)
        # Not with each one: its row would be the hottest of all.
        lately = Q(failing_since=None, succeeded_at__gt=now - dt.timedelta(minutes=1))
        endpoint.exclude(lately).update(succeeded_at=now, failing_since=None)
        return
    held = row.filter(lease_until=notice.lease_until)
    tries = notice.tries + 1
    pause = wait_after(tries, outcome.retry_after)
    if pause is None:
        held.update(state=Notice.State.GIVEN_UP, tries=tries, next_at=None, lease_until=None, ended_at=now)
    else:
        held.update(tries=tries, next_at=now + pause, lease_until=None)
        if pause < 2 * WAITS[0]:
            nudge(DELIVER, after=pause.total_seconds())
    endpoint.filter(failing_since=None).update(failing_since=now)
    _switch_off_if_hopeless(notice.endpoint_id, outcome, now)


def _switch_off_if_hopeless(endpoint_id: int, outcome: Outcome, now: dt.datetime) -> None:
    by, why = Actor.job(DELIVER), Endpoint.Off
    if outcome.status == GONE:
        switch_off(endpoint_id=endpoint_id, now=now, by=by, why=why.GONE)
    elif Endpoint.objects.filter(pk=endpoint_id, is_on=True, failing_since__lte=now - PATIENCE).exists():
        switch_off(endpoint_id=endpoint_id, now=now, by=by, why=why.FAILING)
