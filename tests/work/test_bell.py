"""The bell never makes a request wait, whatever the broker does."""

import os
import threading

import pytest
from celery import current_app
from django.db import transaction

from retention.work import operations
from retention.work.bell import Bell, bell


def test_ringing_returns_while_the_publisher_still_waits(monkeypatch):
    entered, leave, rung = threading.Event(), threading.Event(), []

    def slow(task, **options):
        entered.set()
        leave.wait(30)
        rung.append((task, tuple(options["args"]), options["queue"], threading.current_thread().name))

    monkeypatch.setattr(current_app, "send_task", slow)
    ours = Bell()
    ours.ring("work.run_job", (1,), "sweeps")
    assert entered.wait(10)
    for _ in range(3):
        ours.ring("work.run_job", (2,), "bulk")
    assert rung == [], "we came back while the broker did not answer"
    leave.set()
    ours.wait()
    assert rung == [("work.run_job", (1,), "sweeps", "bell"), ("work.run_job", (2,), "bulk", "bell")]


def test_a_broker_that_refuses_is_survived(monkeypatch):
    rung = []

    def refuse(task, **options):
        if options["args"] == (1,):
            raise OSError("refused")
        rung.append(options["args"])

    monkeypatch.setattr(current_app, "send_task", refuse)
    ours = Bell()
    ours.ring("work.run_job", (1,), "sweeps")
    ours.ring("work.run_job", (2,), "sweeps")
    ours.wait()
    assert rung == [(2,)]


def test_a_full_list_drops_rings_and_does_not_wait(monkeypatch):
    entered, leave = threading.Event(), threading.Event()
    monkeypatch.setattr(current_app, "send_task", lambda *args, **options: (entered.set(), leave.wait(30)))
    ours = Bell(size=2)
    ours.ring("a", (), "sweeps")
    assert entered.wait(10)
    for n in range(50):
        ours.ring("a", (n,), "sweeps")
    assert ours._waiting.qsize() == 2
    leave.set()


def test_a_fork_has_a_bell_of_its_own(monkeypatch):
    ours = Bell()
    ours._thread = threading.current_thread()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    rung = threading.Event()
    monkeypatch.setattr(current_app, "send_task", lambda *args, **options: rung.set())
    ours.ring("a", (), "sweeps")
    assert rung.wait(10)


@pytest.mark.django_db(transaction=True)
def test_a_nudge_rings_only_if_the_transaction_commits(shop, hourly, monkeypatch):
    rung = []
    monkeypatch.setattr(bell, "ring", lambda *ring: rung.append(ring))
    with transaction.atomic():
        operations.nudge("each_tick")
        transaction.set_rollback(True)
    assert rung == []
    with transaction.atomic():
        operations.nudge("each_tick")
        assert rung == []
    assert rung == [("work.nudged", ("each_tick",), "sweeps")]


def test_a_nudged_job_runs_at_once_unless_it_is_at_it(shop, hourly, now):
    operations.register_jobs()
    assert operations.run_nudged(key="each_tick", now=now).state == "done"
    operations.tick(now=now.replace(minute=1))
    assert operations.run_nudged(key="each_tick", now=now.replace(second=5)) is None
    assert len(hourly) == 1
