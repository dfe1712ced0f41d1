"""When reports are counted: those of a small shop when they are read, those of a large one in the background."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from referrals.models import Referral, Scheme
from referrals.reports.reading import Asked, Funnel, Leader, Worth, funnel, leaders, months, worths
from referrals.reports.totals import SIZE, parts
from referrals.reports.variants import count_trial, has_all_trials, on_trial
from retention.customers.models import CustomerStats
from retention.ledger.days import book_day
from retention.refusals import Refused
from retention.work.models import Watermark
from retention.work.operations import nudge

JOB = "referrals.reports"
#: When somebody asked for newer figures last.
ASKED = f"{JOB}.asked"
#: The `now` of the latest count that was begun.
BEGUN = f"{JOB}.begun"
#: Counted anew when they are read after so long, and at the latest once a day.
FRESH_FOR = dt.timedelta(minutes=10)
DAY = dt.timedelta(days=1)
#: So many referrals, or buyers, are counted while the reader waits: some tenths of a second.
FEW = 5_000
#: So many advocates are in a file.
LEADERS = 5_000


class BeingCounted(Refused):
    code = "referrals.being_counted"
    sentence = _("These figures are being counted for the first time; ask again in a minute.")


@dataclass(frozen=True)
class AsOf:
    """When everything was counted; `is_being_counted`: newer figures are on their way."""

    at: dt.datetime
    is_being_counted: bool = False


@dataclass(frozen=True)
class Counted:
    """The figures of one period."""

    asked: Asked
    as_of: AsOf
    funnel: Funnel
    leaders: list[Leader]
    months: list[tuple[dt.date, int, int]]
    referred: Worth
    others: Worth


def figures_of(asked: Asked, *, now: dt.datetime) -> Counted:
    """At most ten minutes old; of a large shop older ones, while newer are counted.

    Raises:
        BeingCounted: there are none yet.
    """
    as_of = counted(now=now)
    return Counted(
        asked, as_of, funnel(asked), leaders(asked, most=LEADERS), months(asked, until=book_day(as_of.at)),
        *worths(asked),
    )  # fmt: skip


def counted(*, now: dt.datetime) -> AsOf:
    """See to it that there are figures, and say of when.

    Raises:
        BeingCounted: there are none yet.
    """
    at, asked_at = _marks()
    if at is not None and now - at < FRESH_FOR and has_all_trials():
        return AsOf(at)
    if not _is_large():
        with transaction.atomic():  # so little is counted at once, and nobody reads the half of it
            count(now=now)
        return AsOf(now)
    if asked_at is None or (at is not None and asked_at <= at):
        _mark(ASKED, now)
    nudge(JOB)
    if at is None:
        raise BeingCounted
    return AsOf(at, is_being_counted=True)


def count(*, now: dt.datetime, progress: Callable[[int, int], None] | None = None, size: int = SIZE) -> None:
    """Count everything anew, in parts that are transactions of their own, and say so once all of it was.

    When two count at once, the one whose `now` is the later goes on, and the other leaves it to it.
    """
    steps = [
        partial(_mark, BEGUN, now),
        *(partial(_write, *part) for part in parts(now=now, size=size)),
        *(partial(count_trial, scheme, now=now) for scheme in on_trial()),
        partial(_mark, JOB, now),
    ]
    for done, step in enumerate(steps, start=1):
        if not _in_turn(step, now=now):
            return
        if progress:
            progress(done, len(steps))


@transaction.atomic
def _in_turn(step: Callable[[], None], *, now: dt.datetime) -> bool:
    """Do it, one at a time; False: somebody counts who began later. The lock is of no row: it takes no transaction id,
    for which followers of the house would wait while a part reads.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [JOB])
    if Watermark.objects.filter(key=BEGUN, at__gt=now).exists():
        return False
    step()
    return True


def _write(statement: str, params: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


def _mark(key: str, at: dt.datetime) -> None:
    Watermark.objects.update_or_create(key=key, defaults={"at": at})


def is_due(*, now: dt.datetime) -> bool:
    """Somebody waits for newer figures, or they are a day old; a shop without schemes has none."""
    at, asked_at = _marks()
    is_wanted = at is None or now - at >= DAY or (asked_at is not None and asked_at > at)
    return is_wanted and Scheme.objects.exclude(state=Scheme.State.DRAFT).exists()


def _marks() -> tuple[dt.datetime | None, dt.datetime | None]:
    marks = dict(Watermark.objects.filter(key__in=[JOB, ASKED]).values_list("key", "at"))
    return marks.get(JOB), marks.get(ASKED)


def _is_large() -> bool:
    many = (Referral.objects.order_by(), CustomerStats.objects.order_by())
    return any(rows.values("pk")[: FEW + 1].count() > FEW for rows in many)
