"""When reports are counted: those of a small shop when they are read, those of a large one in the background."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from referrals.models import Referral, Scheme
from referrals.reports.reading import Asked, Funnel, Leader, Worth, funnel, leaders, months, worths
from referrals.reports.totals import count_totals
from referrals.reports.variants import count_trials, has_all_trials
from retention.customers.models import CustomerStats
from retention.ledger.days import book_day
from retention.refusals import Refused
from retention.work.models import Watermark
from retention.work.operations import nudge

JOB = "referrals.reports"
#: When somebody asked for newer figures last.
ASKED = f"{JOB}.asked"
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
        count(now=now)
        return AsOf(now)
    if asked_at is None or (at is not None and asked_at <= at):
        Watermark.objects.update_or_create(key=ASKED, defaults={"at": now})
    nudge(JOB)
    if at is None:
        raise BeingCounted
    return AsOf(at, is_being_counted=True)


@transaction.atomic
def count(*, now: dt.datetime) -> None:
    """Count everything anew; whoever does so at the same time comes after."""
    Watermark.objects.get_or_create(key=JOB)
    mark = Watermark.objects.select_for_update().filter(key=JOB)
    mark.get()
    count_totals(now=now)
    count_trials(now=now)
    mark.update(at=now)


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
