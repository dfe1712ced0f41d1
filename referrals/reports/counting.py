"""Counting a report's figures: those of a small shop when they are read, those of a large one in the background."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from referrals.models import Referral, ReportCount
from referrals.reports.reading import Funnel, Leader, Period, Worth, all_schemes, funnel, leaders, months, worths
from retention import clock
from retention.customers.models import CustomerStats
from retention.refusals import Refused
from retention.work.operations import nudge
from retention.work.querysets import shop_zone

JOB = "referrals.reports"
#: Counted anew when they are read after so long.
FRESH_FOR = dt.timedelta(minutes=10)
KEPT_FOR = dt.timedelta(days=7)
#: So many referrals, or buyers, are counted while the reader waits: some tenths of a second.
FEW = 20_000
#: So many advocates are in a file.
LEADERS = 5_000


class BeingCounted(Refused):
    code = "referrals.being_counted"
    sentence = _("These figures are being counted for the first time; ask again in a minute.")


@dataclass(frozen=True)
class Asked:
    """What a report is of: from one day of the shop to another, both included, of one scheme or of all (None)."""

    scheme_id: int | None
    first: dt.date
    last: dt.date
    days: int

    def period(self, now: dt.datetime) -> Period:
        zone = shop_zone()
        starts = clock.local_instant(self.first, dt.time(), zone)
        ends = clock.local_instant(self.last + dt.timedelta(days=1), dt.time(), zone)
        return Period((self.scheme_id,) if self.scheme_id else all_schemes(), starts, ends, now)


@dataclass(frozen=True)
class Counted:
    """The figures, and when they were counted; `is_being_counted`: newer ones are on their way."""

    period: Period
    funnel: Funnel
    leaders: list[Leader]
    months: list[tuple[dt.date, int, int]]
    referred: Worth
    others: Worth
    is_being_counted: bool


def figures_of(asked: Asked, *, now: dt.datetime) -> Counted:
    """At most ten minutes old; of a large shop older ones, while newer are counted.

    Raises:
        BeingCounted: there are none yet.
    """
    kept = ReportCount.objects.filter(**vars(asked)).first()
    if kept and kept.counted_at and now - kept.counted_at < FRESH_FOR:
        return _read(kept)
    if not _is_large():
        return _read(count(asked, now=now))
    if kept is None or kept.asked_at is None:
        kept, _is_new = ReportCount.objects.update_or_create(**vars(asked), defaults={"asked_at": now})
    nudge(JOB)
    if kept.counted_at is None:
        raise BeingCounted
    return _read(kept)


def count(asked: Asked, *, now: dt.datetime) -> ReportCount:
    """Count the figures and keep what was found."""
    period = asked.period(now)
    referred, others = worths(period, days=asked.days)
    figures = {
        "funnel": asdict(funnel(period)),
        "leaders": [asdict(each) for each in leaders(period, most=LEADERS)],
        "months": [[month.isoformat(), spend, cost] for month, spend, cost in months(period)],
        "referred": asdict(referred),
        "others": asdict(others),
    }
    found = {"figures": figures, "counted_at": now, "asked_at": None}
    kept, _is_new = ReportCount.objects.update_or_create(**vars(asked), defaults=found)
    return kept


def waiting() -> list[ReportCount]:
    """What somebody waits for."""
    return list(ReportCount.objects.exclude(asked_at=None).order_by("asked_at"))


def count_waiting(*, now: dt.datetime, progress: Callable[[int, int], None]) -> int:
    """Count everything that somebody waits for, and forget what was counted long ago; how many reports that were."""
    ReportCount.objects.filter(counted_at__lt=now - KEPT_FOR, asked_at=None).delete()
    asked = waiting()
    for done, kept in enumerate(asked, start=1):
        count(_asked(kept), now=now)
        progress(done, len(asked))
    return len(asked)


def _is_large() -> bool:
    many = (Referral.objects.order_by(), CustomerStats.objects.order_by())
    return any(rows.values("pk")[: FEW + 1].count() > FEW for rows in many)


def _asked(kept: ReportCount) -> Asked:
    return Asked(kept.scheme_id, kept.first, kept.last, kept.days)


def _read(kept: ReportCount) -> Counted:
    found: dict[str, Any] = kept.figures
    return Counted(
        period=_asked(kept).period(kept.counted_at),
        funnel=Funnel(**found["funnel"]),
        leaders=[Leader(**each) for each in found["leaders"]],
        months=[(dt.date.fromisoformat(month), spend, cost) for month, spend, cost in found["months"]],
        referred=Worth(**found["referred"]),
        others=Worth(**found["others"]),
        is_being_counted=kept.asked_at is not None,
    )
