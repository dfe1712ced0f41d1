"""Runs of jobs: made when due, claimed under a lease, ended with figures or a reason; lost and dead ones are found."""

from __future__ import annotations

import datetime as dt
import json
import logging
import time
import traceback
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from retention import registries
from retention.actors import Actor
from retention.audit.operations import record
from retention.refusals import Refused
from retention.work.bell import bell, ring_on_commit
from retention.work.due import latest_due
from retention.work.models import Alert, Job, JobRun
from retention.work.operations.alerts import raise_alert
from retention.work.operations.heartbeats import beat, forget_workers, watch
from retention.work.querysets import shop_zone

log = logging.getLogger(__name__)

#: How long a worker may be silent before its run is given to another.
LEASE = dt.timedelta(seconds=settings.JOB_LEASE_SECONDS)
#: How long a run may wait before the bell is rung again for it.
RING_AGAIN = dt.timedelta(seconds=55)
#: Facts gather for so many seconds before they wake a job, so that many wake it once.
GATHER = 1.0
MAX_ATTEMPTS = 5
RUN_TASK = "work.run_job"
NUDGE_TASK = "work.nudged"


class NoSuchJob(Refused):
    code = "work.no_such_job"
    sentence = _("There is no job “%(key)s”.")
    status = 404


class JobIsOff(Refused):
    code = "work.job_is_off"
    sentence = _("The job “%(key)s” is switched off. Switch it on first.")


class RunTakenOver(Refused):
    """Another worker has this run: its lease ran out here. What was committed stays; the rest is hers."""

    code = "work.run_taken_over"
    sentence = _("The run went to another worker, because this one was silent for too long.")


def register_jobs() -> None:
    """A row for every job of the registry; hours that people changed stay."""
    Job.objects.bulk_create([Job(key=cls.key, at=cls.at) for cls in registries.jobs], ignore_conflicts=True)


def tick(*, now: dt.datetime) -> list[int]:
    """Make the runs that are due and ring for them, and again for those lost or dead. Returns the runs rung for.

    Whoever calls it, however often: a run is unique by job and due instant, and a job has one open run a lane.
    """
    beat(["beat"])
    with transaction.atomic():
        register_jobs()
        zone = shop_zone()
        due = [
            (job.pk, latest_due(job.at, zone, now), lane)
            for job in Job.objects.filter(is_enabled=True, key__in=list(registries.jobs.keys()))
            for lane in range(registries.jobs[job.key].lanes)
        ]
        runs = _open_runs(due) + _runs_to_ring_again()
        for pk, key in runs:
            ring_on_commit(RUN_TASK, (pk,), registries.jobs[key].queue)
    watch(now=now)
    return [pk for pk, _key in runs]


def _open_runs(due: Iterable[tuple[int, dt.datetime, int]]) -> list[tuple[int, str]]:
    jobs, instants, lanes = zip(*due, strict=True) if (due := list(due)) else ((), (), ())
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH new AS ("
            " INSERT INTO work_jobrun (job_id, due_at, lane, state, attempts, lease_until, done, total, figures, error)"
            " SELECT job, due_at, lane, 'waiting', 0, statement_timestamp() + %s, 0, 0, '{}', ''"
            " FROM unnest(%s::bigint[], %s::timestamptz[], %s::smallint[]) AS d (job, due_at, lane)"
            " ON CONFLICT DO NOTHING RETURNING id, job_id)"
            " SELECT new.id, j.key FROM new JOIN work_job j ON j.id = new.job_id ORDER BY new.id",
            [RING_AGAIN, list(jobs), list(instants), list(lanes)],
        )
        return cursor.fetchall()


def _runs_to_ring_again() -> list[tuple[int, str]]:
    with connection.cursor() as cursor:
        # A dead run keeps its state until a worker takes it over; only the moment of the next ring moves.
        cursor.execute(
            "UPDATE work_jobrun r SET lease_until = CASE WHEN r.state = 'waiting'"
            " THEN statement_timestamp() + %s ELSE r.lease_until END"
            " FROM work_job j WHERE j.id = r.job_id AND j.is_enabled AND j.key = ANY(%s)"
            " AND r.state IN ('waiting', 'running') AND r.lease_until < statement_timestamp()"
            " RETURNING r.id, j.key",
            [RING_AGAIN, list(registries.jobs.keys())],
        )
        return cursor.fetchall()


#: A run that waits, or whose worker died, of a job that is on and known here.
_CLAIM = """
    UPDATE work_jobrun r SET state = 'running', attempts = r.attempts + 1, started_at = %s,
           lease_until = statement_timestamp() + %s
    FROM work_job j WHERE r.id = %s AND j.id = r.job_id AND j.is_enabled AND j.key = ANY(%s)
      AND (r.state = 'waiting' OR r.state = 'running' AND r.lease_until < statement_timestamp())
    RETURNING r.*, j.key, j.at
"""
#: The run's end, its job's sign of life, and no more need to look at it: all of it, or nothing where it is another's.
_FINISH = """
    WITH ended AS (
        UPDATE work_jobrun SET state = 'done', ended_at = %(ended_at)s, lease_until = NULL, figures = %(figures)s,
               error = ''
        WHERE id = %(run)s AND attempts = %(attempts)s AND state = 'running' RETURNING job_id
    ), heard AS (
        UPDATE work_job j SET heartbeat_at = %(ended_at)s FROM ended WHERE j.id = ended.job_id
    ), resolved AS (
        UPDATE work_alert SET resolved_at = %(now)s FROM ended
        WHERE kind = 'work.failed' AND subject = %(key)s AND resolved_at IS NULL
    )
    SELECT FROM ended
"""


def claim(*, run_id: int, now: dt.datetime) -> JobRun | None:
    """Take a run that waits, or whose worker died; None where there is nothing to take, or its job is off."""
    taken: Any
    for taken in JobRun.objects.raw(_CLAIM, [now, LEASE, run_id, list(registries.jobs.keys())]):
        taken.job = Job(pk=taken.job_id, key=taken.key, at=taken.at)
        return taken
    return None


class Lease:
    """Says how far a run has come and keeps its lease; called by the job as `progress(done, total)`."""

    def __init__(self, run: JobRun, also: Any = None) -> None:
        self.run = run
        self.also = also
        self._next = 0.0

    def __call__(self, done: int, total: int) -> None:
        if self.also:
            self.also(done, total)
        if time.monotonic() < self._next and done < total:
            return
        self._next = time.monotonic() + min(5.0, LEASE.total_seconds() / 4)
        mine = JobRun.objects.filter(pk=self.run.pk, attempts=self.run.attempts, state=JobRun.State.RUNNING)
        if not mine.update(lease_until=Now() + LEASE, done=done, total=total):
            raise RunTakenOver()
        self.run.done, self.run.total = done, total


def run(*, run_id: int, now: dt.datetime, progress: Any = None, may_retry: bool = True) -> JobRun | None:
    """Claim a run and do its job. None: there was nothing to claim (done, taken, or its job is off).

    A failure is recorded with its reason, not raised; a job with an hour is tried again within the hour.
    """
    claimed = claim(run_id=run_id, now=now)
    if claimed is None:
        return None
    if claimed.attempts > MAX_ATTEMPTS:
        return _fail(claimed, f"died {MAX_ATTEMPTS} times", now=now, may_retry=False)
    lease = Lease(claimed, progress)
    began = time.monotonic()
    try:
        figures = dict(registries.jobs[claimed.job.key].run(now=now, progress=lease))
    except RunTakenOver:
        log.warning("run %s of %s went to another worker", claimed.pk, claimed.job.key)
        return None
    except Exception as error:
        log.error("job %s failed: %s", claimed.job.key, describe(error))
        return _fail(claimed, describe(error), now=now, may_retry=may_retry and claimed.job.at is not None)
    figures["seconds"] = round(time.monotonic() - began, 2)
    return _finish(claimed, figures, now=now)


def _finish(claimed: JobRun, figures: dict[str, Any], *, now: dt.datetime) -> JobRun | None:
    ended_at = now + dt.timedelta(seconds=figures["seconds"])
    kept = json.dumps(figures)
    params = {"run": claimed.pk, "attempts": claimed.attempts, "key": claimed.job.key, "ended_at": ended_at, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(_FINISH, {**params, "figures": kept})
        if not cursor.rowcount:
            return None
    claimed.state, claimed.ended_at, claimed.lease_until = JobRun.State.DONE, ended_at, None
    claimed.figures, claimed.error = json.loads(kept), ""
    return claimed


def _fail(claimed: JobRun, error: str, *, now: dt.datetime, may_retry: bool) -> JobRun | None:
    mine = JobRun.objects.filter(pk=claimed.pk, attempts=claimed.attempts, state=JobRun.State.RUNNING)
    if may_retry and claimed.attempts < MAX_ATTEMPTS:
        mine.update(
            state=JobRun.State.WAITING, error=error, lease_until=Now() + dt.timedelta(minutes=2**claimed.attempts)
        )
    else:
        mine.update(state=JobRun.State.FAILED, error=error, ended_at=now, lease_until=None)
        raise_alert(
            kind="work.failed",
            subject=claimed.job.key,
            level=Alert.Level.URGENT,
            text=f"{claimed.job.key}: {error}",
            now=now,
        )
    return JobRun.objects.select_related("job").get(pk=claimed.pk)


def describe(error: Exception) -> str:
    """What went wrong and where, without the values: a database's message may quote an address."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    place = f"{ours[-1].name}, line {ours[-1].lineno}" if ours else "?"
    words = f": {error}" if isinstance(error, Refused) else ""
    return f"{type(error).__name__} in {place}{words}"


def run_soon(*, key: str, now: dt.datetime, by: Actor) -> int:
    """Someone pressed “run now”: one run more, due now, for the next free worker.

    Raises:
        NoSuchJob: the registry has none of that key.
        JobIsOff: it is switched off.
    """
    job = _job(key)
    if not job.is_enabled:
        raise JobIsOff(key=key)
    with transaction.atomic():
        record(verb="work.run_soon", by=by, now=now, subject=job)
        opened = _open_runs([(job.pk, now, 0)])
        pk = opened[0][0] if opened else JobRun.objects.get(job=job, lane=0, state__in=JobRun.OPEN).pk
        ring_on_commit(RUN_TASK, (pk,), registries.jobs[key].queue)
    return pk


def _job(key: str) -> Job:
    if key not in registries.jobs:
        raise NoSuchJob(key=key)
    register_jobs()
    return Job.objects.get(key=key)


def nudge(key: str, *, after: float = 0.0) -> None:
    """Something came that this job waits for: it runs when the transaction has committed, or with the next tick."""
    ring_on_commit(NUDGE_TASK, (key,), registries.jobs[key].queue, after=after, unless_rung=True)


def facts_came(kind: str) -> None:
    """Facts of this kind are in the present transaction: nudge the jobs that they wake."""
    for cls in registries.jobs:
        if kind in cls.woken_by:
            nudge(cls.key, after=GATHER)


def run_nudged(*, key: str, now: dt.datetime) -> JobRun | None:
    """Run a job right now in a lane that is free; while all are at it, once more in a moment. None: it did not run.

    Whoever is at it may have looked already where something came since, so a nudge is never just dropped.
    """
    bell.answered(NUDGE_TASK, (key,))
    job = Job.objects.filter(key=key, is_enabled=True).first()
    if job is None:
        return None
    for lane in range(registries.jobs[key].lanes):
        if opened := _open_runs([(job.pk, now, lane)]):
            return run(run_id=opened[0][0], now=now)
    nudge(key, after=GATHER)
    return None


def save_job(*, job_id: int, at: dt.time | None, is_enabled: bool, now: dt.datetime, by: Actor) -> Job:
    """Change a job's hour, or switch it on or off."""
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job_id)
        before = {"at": job.at and job.at.isoformat(), "is_enabled": job.is_enabled}
        job.at, job.is_enabled = at, is_enabled
        job.save(update_fields=["at", "is_enabled"])
        after = {"at": at and at.isoformat(), "is_enabled": is_enabled}
        if after != before:
            record(verb="work.save_job", by=by, now=now, subject=job, before=before, after=after)
    return job


def tidy_runs(*, now: dt.datetime) -> int:
    """Drop runs of every-minute jobs after two days and others after 400; also workers not seen for a week."""
    old = Q(job__at=None, due_at__lt=now - dt.timedelta(days=2)) | Q(due_at__lt=now - dt.timedelta(days=400))
    gone, _by_model = JobRun.objects.filter(old).exclude(state__in=JobRun.OPEN).delete()
    return gone + forget_workers(before=now - dt.timedelta(days=7))
