"""Every due job once, in order, in this process: for newcomers, tests and recovery, without a broker."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from retention import registries
from retention.work.due import latest_due
from retention.work.models import Job, JobRun
from retention.work.operations.runs import NoSuchJob, _open_runs, describe, register_jobs, run
from retention.work.querysets import in_order, shop_zone

#: How long to wait for a worker that is at the same job, in seconds.
PATIENCE = 60


@dataclass(frozen=True)
class Report:
    """What became of one job: `done`, `failed`, `off`, `not due`, `busy` elsewhere, or `preview`."""

    key: str
    label: registries.StrOrPromise
    outcome: str
    figures: dict[str, Any] = field(default_factory=dict)
    error: str = ""


def _chosen(keys: Sequence[str]) -> list[type[registries.DueJob]]:
    for key in keys:
        if key not in registries.jobs:
            raise NoSuchJob(key=key)
    return [cls for cls in in_order() if not keys or cls.key in keys]


def run_due(
    *,
    now: dt.datetime,
    keys: Sequence[str] = (),
    progress: Callable[[str, int, int], None] | None = None,
    clock: Callable[[], dt.datetime] | None = None,
) -> Iterator[Report]:
    """Run what is due, or the jobs of these keys due or not, and report each as it ends.

    `clock` is the door's: jobs that come later are told the time at which they begin, as a worker would tell them.

    Raises:
        NoSuchJob: before anything ran.
    """
    chosen = _chosen(keys)
    register_jobs()
    zone = shop_zone()
    for cls in chosen:
        at = clock() if clock else now
        job = Job.objects.get(key=cls.key)
        if not job.is_enabled:
            yield Report(cls.key, cls.label, "off")
            continue
        # Jobs of every tick, and those asked for by name, run whenever asked; others once for each due instant.
        due_at = at if keys or job.at is None else latest_due(job.at, zone, at)
        yield _run(cls, job, due_at, at, progress)


def _run(cls: type[registries.DueJob], job: Job, due_at: dt.datetime, now: dt.datetime, progress: Any) -> Report:
    deadline = time.monotonic() + PATIENCE
    while True:
        opened = _open_runs([(job.pk, due_at, 0)])
        ids = [pk for pk, _key in opened]
        if not opened:
            ids = list(job.runs.filter(lane=0, state__in=JobRun.OPEN).values_list("pk", flat=True))
        if not ids:
            return Report(cls.key, cls.label, "not due")
        ended = run(
            run_id=ids[0],
            now=now,
            may_retry=False,
            progress=progress and (lambda done, total: progress(cls.key, done, total)),
        )
        if ended is not None and (opened or ended.due_at >= due_at):
            outcome = "done" if ended.state == JobRun.State.DONE else "failed"
            return Report(cls.key, cls.label, outcome, ended.figures, ended.error)
        if ended is None and time.monotonic() > deadline:
            return Report(cls.key, cls.label, "busy")
        if ended is None:
            time.sleep(0.2)


def preview_due(*, now: dt.datetime, keys: Sequence[str] = ()) -> Iterator[Report]:
    """What a run at `now` would do, changing nothing.

    Raises:
        NoSuchJob: before anything was looked at.
    """
    for cls in _chosen(keys):
        job = Job.objects.filter(key=cls.key).first()
        if job is not None and not job.is_enabled:
            yield Report(cls.key, cls.label, "off")
            continue
        if not keys and _has_run(job, now):
            yield Report(cls.key, cls.label, "not due")
            continue
        try:
            figures = dict(cls.preview(now=now))
        except Exception as error:
            yield Report(cls.key, cls.label, "failed", error=describe(error))
            continue
        yield Report(cls.key, cls.label, "preview", figures)


def _has_run(job: Job | None, now: dt.datetime) -> bool:
    if job is None or job.at is None:
        return False
    return job.runs.filter(due_at=latest_due(job.at, shop_zone(), now), state=JobRun.State.DONE).exists()
