"""Runs of jobs: once a due instant, caught up once, found again when lost, failed with a reason."""

import datetime as dt
import threading

import pytest
from django.db import connection
from django.db.models.functions import Now

from retention.actors import Actor
from retention.audit.models import AuditEntry
from retention.registries import DueJob
from retention.work import operations
from retention.work.models import Alert, Heartbeat, Job, JobRun
from retention.work.operations.runs import Lease, claim

HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)


def run_all(now):
    return [operations.run(run_id=pk, now=now) for pk in operations.tick(now=now)]


def test_a_tick_opens_what_is_due_and_rings_after_the_commit(shop, hourly, now, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as rings:
        opened = operations.tick(now=now)
    assert len(opened) == len(rings) == 2
    assert {(run.job.key, f"{run.due_at:%d %H:%M}") for run in JobRun.objects.select_related("job")} == {
        ("each_tick", "12 10:00"),
        ("at_six", "12 04:00"),  # six in Berlin
    }
    assert operations.tick(now=now) == []


def test_once_a_day_and_once_a_minute(shop, hourly, now):
    run_all(now)
    run_all(now)
    run_all(now + MINUTE)
    assert sorted(key for key, _ in hourly) == ["at_six", "each_tick", "each_tick"]
    run_all(now + dt.timedelta(days=1))
    assert sorted(key for key, _ in hourly) == ["at_six", "at_six", "each_tick", "each_tick", "each_tick"]


def test_days_off_are_caught_up_once(shop, hourly, now):
    run_all(now)
    hourly.clear()
    run_all(now + dt.timedelta(days=3, hours=6))
    assert sorted(key for key, _ in hourly) == ["at_six", "each_tick"]
    assert Job.objects.get(key="at_six").runs.count() == 2


def test_a_doubled_task_does_nothing(shop, hourly, now):
    (pk, _other) = operations.tick(now=now)
    assert operations.run(run_id=pk, now=now).state == "done"
    assert operations.run(run_id=pk, now=now) is None
    assert len(hourly) == 1


def test_a_runs_books_are_two_statements_beside_its_progress(shop, hourly, now, django_assert_num_queries):
    """Claimed with its job's row in one, ended with the sign of life and the alert in another."""
    operations.tick(now=now)
    Alert.objects.create(kind="work.failed", subject="each_tick", text="It failed.", raised_at=now)
    Job.objects.filter(key="at_six").update(is_enabled=False)
    by_key = dict(JobRun.objects.values_list("job__key", "pk"))
    with django_assert_num_queries(3):
        ended = operations.run(run_id=by_key["each_tick"], now=now)
    with django_assert_num_queries(1):
        assert operations.run(run_id=by_key["at_six"], now=now) is None, "its job is off"
    kept = JobRun.objects.select_related("job").get(pk=by_key["each_tick"])
    same = ("state", "attempts", "started_at", "ended_at", "lease_until", "done", "total", "figures", "error")
    assert [getattr(ended, name) for name in same] == [getattr(kept, name) for name in same]
    assert (kept.state, kept.attempts, kept.job.heartbeat_at) == ("done", 1, kept.ended_at)
    assert Alert.objects.get().resolved_at == now
    assert JobRun.objects.get(pk=by_key["at_six"]).state == "waiting"


def test_a_lost_task_is_rung_for_again(shop, hourly, now):
    opened = operations.tick(now=now)
    assert operations.tick(now=now) == []
    JobRun.objects.update(lease_until=Now() - MINUTE)
    assert sorted(operations.tick(now=now)) == sorted(opened)
    assert JobRun.objects.count() == 2


def test_a_dead_run_is_taken_over_and_its_ghost_can_do_nothing_more(shop, hourly, now):
    (pk, _other) = operations.tick(now=now)
    ghost = claim(run_id=pk, now=now)
    assert operations.run(run_id=pk, now=now) is None, "its lease holds"
    JobRun.objects.update(lease_until=Now() - MINUTE)
    assert pk in operations.tick(now=now)
    assert operations.run(run_id=pk, now=now).state == "done"
    with pytest.raises(operations.RunTakenOver):
        Lease(ghost)(1, 1)
    assert JobRun.objects.get(pk=pk).attempts == 2


def test_a_run_that_keeps_dying_is_given_up_with_an_alert(shop, hourly, now):
    (pk, _other) = operations.tick(now=now)
    for _ in range(5):
        claim(run_id=pk, now=now)
        JobRun.objects.filter(pk=pk).update(lease_until=Now() - MINUTE)
    assert operations.run(run_id=pk, now=now).error == "died 5 times"
    assert not hourly
    assert Alert.objects.get(kind="work.failed").level == "urgent"


@pytest.fixture
def breaking(only_jobs):
    fails = [True]

    class Breaks(DueJob):
        key = "breaks"
        label = "Breaks"
        at = dt.time(6)

        @classmethod
        def run(cls, *, now, progress):
            if fails[0]:
                raise ValueError("Key (email)=(anna@example.com) exists")
            return {}

    only_jobs(Breaks)
    return fails


def test_a_failure_says_where_but_names_nobody_and_is_tried_again(shop, breaking, now):
    (pk,) = operations.tick(now=now)
    failed = operations.run(run_id=pk, now=now)
    assert failed.state == "waiting"
    assert failed.error.startswith("ValueError in run, line ")
    assert "anna" not in failed.error
    assert operations.tick(now=now) == [], "not at once"
    breaking[0] = False
    JobRun.objects.update(lease_until=Now() - MINUTE)
    assert operations.tick(now=now) == [pk]
    assert operations.run(run_id=pk, now=now).error == ""


def test_the_last_failure_raises_one_alert_and_success_resolves_it(shop, breaking, now):
    for day in range(2):
        list(operations.run_due(now=now + dt.timedelta(days=day)))
    assert Alert.objects.filter(kind="work.failed", subject="breaks", resolved_at=None).count() == 1
    assert JobRun.objects.filter(state="failed").count() == 2
    breaking[0] = False
    list(operations.run_due(now=now + dt.timedelta(days=2)))
    assert not Alert.objects.filter(resolved_at=None).exists()


def test_a_job_switched_off_does_nothing_even_if_its_run_waits(shop, hourly, now):
    opened = operations.tick(now=now)
    for job in Job.objects.all():
        operations.save_job(job_id=job.pk, at=job.at, is_enabled=False, now=now, by=Actor.job("test"))
    assert [operations.run(run_id=pk, now=now) for pk in opened] == [None, None]
    assert operations.tick(now=now + HOUR) == []
    assert [report.outcome for report in operations.run_due(now=now)] == ["off", "off"]
    with pytest.raises(operations.JobIsOff):
        operations.run_soon(key="at_six", now=now, by=Actor.job("test"))
    assert AuditEntry.objects.filter(verb="work.save_job").count() == 2
    assert not hourly


def test_an_hour_that_people_changed_stays(shop, hourly, now):
    operations.register_jobs()
    job = Job.objects.get(key="at_six")
    operations.save_job(job_id=job.pk, at=dt.time(11), is_enabled=True, now=now, by=Actor.job("test"))
    operations.register_jobs()
    run_all(now)
    assert f"{JobRun.objects.get(job=job).due_at:%d %H:%M}" == "12 09:00"


def test_run_now_is_one_run_more(shop, hourly, now):
    run_all(now)
    pk = operations.run_soon(key="at_six", now=now, by=Actor.job("test"))
    assert operations.run_soon(key="at_six", now=now, by=Actor.job("test")) == pk, "pressed twice"
    assert operations.run(run_id=pk, now=now).state == "done"
    with pytest.raises(operations.NoSuchJob):
        operations.run_soon(key="nothing", now=now, by=Actor.job("test"))


def test_the_foreground_goes_in_order_and_only_what_is_due(shop, hourly, now):
    assert [(report.key, report.outcome) for report in operations.run_due(now=now)] == [
        ("at_six", "done"),
        ("each_tick", "done"),
    ]
    assert [(report.key, report.outcome) for report in operations.run_due(now=now + MINUTE)] == [
        ("at_six", "not due"),
        ("each_tick", "done"),
    ]
    assert [report.outcome for report in operations.run_due(now=now, keys=["at_six"])] == ["done"]
    with pytest.raises(operations.NoSuchJob):
        list(operations.run_due(now=now, keys=["nothing"]))


def test_a_preview_runs_nothing(shop, hourly, now):
    assert [report.outcome for report in operations.preview_due(now=now)] == ["preview", "preview"]
    assert not hourly
    assert not JobRun.objects.exists()


def test_old_runs_are_forgotten_and_open_ones_are_not(shop, hourly, now):
    run_all(now)
    opened = operations.tick(now=now + MINUTE)
    assert operations.tidy_runs(now=now + dt.timedelta(days=3)) == 1
    assert set(JobRun.objects.values_list("job__key", "state")) == {("at_six", "done"), ("each_tick", "waiting")}
    assert len(opened) == 1


def test_silence_raises_one_alert_and_sound_resolves_it(shop, hourly, now):
    assert operations.watch(now=now) == [], "never seen is not silent"
    operations.beat(["beat", "queue:bulk"])
    Heartbeat.objects.filter(name="beat").update(at=Now() - dt.timedelta(minutes=4))
    assert [row.name for row in operations.watch(now=now)] == ["beat"]
    operations.watch(now=now)
    assert Alert.objects.get(kind="work.silent", resolved_at=None).subject == "beat"
    operations.tick(now=now)
    assert not Alert.objects.filter(resolved_at=None).exists()


def test_a_job_that_does_not_come_is_an_alert(shop, hourly, now):
    operations.beat(["beat"])
    run_all(now)
    assert operations.watch(now=now + 10 * MINUTE) == []
    assert [row.name for row in operations.watch(now=now + HOUR)] == ["job:each_tick"]
    assert [row.name for row in operations.watch(now=now + dt.timedelta(hours=21))] == [
        "job:at_six",
        "job:each_tick",
    ]


def side_by_side(count, act):
    """Run `act` in threads that start together, each with its own connection; what they returned."""
    barrier, results = threading.Barrier(count), []

    def work():
        try:
            barrier.wait(10)
            results.append(act())
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_with_the_same_run_one_does_it(shop, hourly, now):
    for _ in range(5):
        hourly.clear()
        operations.register_jobs()
        job = Job.objects.get(key="at_six")
        pk = JobRun.objects.create(job=job, due_at=now).pk
        ended = side_by_side(6, lambda pk=pk: operations.run(run_id=pk, now=now))
        assert sum(run is not None for run in ended) == len(hourly) == 1
        JobRun.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_the_naive_twin_that_looks_before_it_takes_does_it_twice(shop, hourly, now):
    """Control for the test above: without the guarded update the race is real."""
    operations.register_jobs()
    seen = threading.Barrier(2)

    def naive():
        run = JobRun.objects.get()
        seen.wait(10)
        if run.state == JobRun.State.WAITING:
            JobRun.objects.filter(pk=run.pk).update(state=JobRun.State.RUNNING)
            hourly.append("naive")

    JobRun.objects.create(job=Job.objects.get(key="at_six"), due_at=now)
    side_by_side(2, naive)
    assert len(hourly) == 2


@pytest.mark.django_db(transaction=True)
def test_two_beats_open_one_run(shop, hourly, now):
    opened = side_by_side(4, lambda: operations.tick(now=now))
    assert sorted(len(runs) for runs in opened) == [0, 0, 0, 2]
