"""Reads of the `work` room: what is alive, what is silent, how jobs stand."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection
from django.utils.translation import gettext as _

from retention import clock, registries
from retention.shop.models import Shop
from retention.work.due import latest_due, next_due
from retention.work.models import Job, JobRun

#: Beat ticks each minute, workers pulse each half; three minutes without either is no hiccup.
QUIET = dt.timedelta(minutes=3)
QUIET_JOB = dt.timedelta(minutes=15)
QUIET_DAILY_JOB = dt.timedelta(hours=2)
#: What must be heard: the scheduler, and somebody reading each queue.
PROCESSES = ("beat", "queue:sweeps", "queue:bulk", "queue:transactional")
#: When this process began to look.
_STARTED = clock.ticks()


@dataclass(frozen=True)
class Sign:
    """The last sign of life of one name; `at` is None where it was never seen."""

    name: str
    at: dt.datetime | None
    quiet_for: dt.timedelta | None

    @property
    def label(self) -> str:
        """What people call it; a worker goes by its own name."""
        return {
            "beat": _("Scheduler"),
            "queue:sweeps": _("Workers: sweeps"),
            "queue:bulk": _("Workers: bulk"),
            "queue:transactional": _("Workers: transactional"),
        }.get(self.name, self.name)

    @property
    def is_alive(self) -> bool:
        return self.quiet_for is not None and self.quiet_for <= QUIET

    @property
    def is_starting(self) -> bool:
        """Whether it was never heard, and the one who asks has not been there for long enough to expect it."""
        return self.at is None and clock.ticks() - _STARTED <= QUIET.total_seconds()


@dataclass(frozen=True)
class Silence:
    """Something that should have been heard of and was not, and since when."""

    name: str
    since: dt.datetime

    def sentence(self) -> str:
        return _("Nothing was heard of %(name)s since %(since)s.") % {
            "name": self.name,
            "since": f"{self.since:%Y-%m-%d %H:%M} UTC",
        }


@dataclass(frozen=True)
class JobStanding:
    """A job as people see it."""

    job: Job
    label: str
    queue: str
    next_due_at: dt.datetime | None
    runs: list[JobRun]


def shop_zone() -> str:
    """The shop's time zone; UTC before there is a shop."""
    return Shop.objects.values_list("time_zone", flat=True).first() or "UTC"


def signs() -> list[Sign]:
    """The last sign of life of each process that must be heard, and of each worker, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, at, statement_timestamp() - at FROM work_heartbeat ORDER BY name")
        rows = {name: Sign(name, at, quiet) for name, at, quiet in cursor.fetchall()}
    expected = [rows.pop(name, Sign(name, None, None)) for name in PROCESSES]
    return expected + list(rows.values())


def silences(*, now: dt.datetime) -> list[Silence]:
    """Which processes that were once seen, and which enabled jobs, have been silent for too long."""
    found = [
        Silence(sign.name, sign.at)
        for sign in signs()
        if sign.name in PROCESSES and sign.at is not None and not sign.is_alive
    ]
    if any(silence.name == "beat" for silence in found):
        return found  # without it every job is silent; one alert says it
    zone = shop_zone()
    for job in Job.objects.filter(is_enabled=True, key__in=list(registries.jobs.keys()), heartbeat_at__isnull=False):
        allowed = QUIET_JOB if job.at is None else QUIET_DAILY_JOB
        since = max(job.heartbeat_at, latest_due(job.at, zone, now)) if job.at else job.heartbeat_at
        late = job.heartbeat_at < since if job.at else True
        if late and now - since > allowed:
            found.append(Silence(f"job:{job.key}", job.heartbeat_at))
    return found


def standing(*, now: dt.datetime, runs: int = 5) -> list[JobStanding]:
    """Every job of the timetable in the order in which one foreground run takes them, with its last runs."""
    zone = shop_zone()
    rows = {job.key: job for job in Job.objects.all()}
    return [
        JobStanding(
            job=rows[cls.key],
            label=cls.label or cls.key,
            queue=cls.queue,
            next_due_at=next_due(rows[cls.key].at, zone, now) if rows[cls.key].is_enabled else None,
            runs=list(JobRun.objects.filter(job=rows[cls.key]).order_by("-id")[:runs]),
        )
        for cls in in_order()
        if cls.key in rows
    ]


def in_order() -> list[type[registries.DueJob]]:
    """The jobs of the registry, those that feed others first."""
    return sorted(registries.jobs, key=lambda cls: (cls.order, cls.key))
