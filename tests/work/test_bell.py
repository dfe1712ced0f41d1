"""The bell never makes a request wait, whatever the broker does."""

import os
import threading

import pytest
from celery import current_app
from django.db import transaction

from retention import registries
from retention.actors import Actor
from retention.work import operations
from retention.work.bell import Bell, bell
from retention.work.ingest import ingest
from retention.work.models import Job, JobRun


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


def test_waiting_for_a_broker_that_does_not_answer_ends(monkeypatch):
    leave = threading.Event()
    monkeypatch.setattr(current_app, "send_task", lambda *args, **options: leave.wait(30))
    ours = Bell()
    ours.ring("work.run_job", (1,), "sweeps")
    assert ours.wait(0.05) is False
    leave.set()
    assert ours.wait() is True


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


def test_what_many_processes_ring_for_is_rung_once_until_somebody_answers(monkeypatch, empty_cache):
    rung = []
    monkeypatch.setattr(current_app, "send_task", lambda task, **options: rung.append(options["countdown"]))
    ours, theirs = Bell(), Bell()
    for bell_of_one in (ours, theirs, ours):
        bell_of_one.ring("work.nudged", ("campaigns.reach",), "sweeps", after=1.0, unless_rung=True)
        bell_of_one.wait()
    assert rung == [1.0]
    theirs.ring("work.nudged", ("messaging.send",), "bulk", unless_rung=True)
    theirs.wait()
    assert rung == [1.0, 0.0], "another job is another ring"
    Bell.answered("work.nudged", ("campaigns.reach",))
    theirs.ring("work.nudged", ("campaigns.reach",), "sweeps", after=1.0, unless_rung=True)
    theirs.wait()
    assert rung == [1.0, 0.0, 1.0]


@pytest.fixture
def rung(monkeypatch):
    """What was rung: (arguments, how)."""
    found = []
    monkeypatch.setattr(bell, "ring", lambda *ring, **how: found.append((ring, how)))
    return found


AT_ONCE = {"after": 0.0, "unless_rung": True}
GATHERED = {"after": 1.0, "unless_rung": True}


@pytest.mark.django_db(transaction=True)
def test_a_nudge_rings_only_if_the_transaction_commits(shop, hourly, rung):
    with transaction.atomic():
        operations.nudge("each_tick")
        transaction.set_rollback(True)
    assert rung == []
    with transaction.atomic():
        operations.nudge("each_tick")
        assert rung == []
    assert rung == [(("work.nudged", ("each_tick",), "sweeps"), AT_ONCE)]


@pytest.mark.django_db(transaction=True)
def test_a_nudged_job_runs_at_once_and_while_it_is_at_it_once_more_in_a_moment(shop, hourly, now, rung):
    operations.register_jobs()
    assert operations.run_nudged(key="each_tick", now=now).state == "done"
    assert rung == []
    operations.tick(now=now.replace(minute=1))
    rung.clear()
    assert operations.run_nudged(key="each_tick", now=now.replace(second=5)) is None
    assert rung == [(("work.nudged", ("each_tick",), "sweeps"), GATHERED)]
    assert len(hourly) == 1


@pytest.mark.django_db(transaction=True)
def test_a_nudged_job_takes_a_lane_that_is_free(shop, hourly, now, rung, monkeypatch):
    monkeypatch.setattr(registries.jobs["each_tick"], "lanes", 2)
    operations.register_jobs()
    job = Job.objects.get(key="each_tick")
    JobRun.objects.create(job=job, due_at=now, lane=0, state="running")
    assert operations.run_nudged(key="each_tick", now=now).lane == 1
    assert rung == []
    Job.objects.update(is_enabled=False)
    assert operations.run_nudged(key="each_tick", now=now.replace(second=7)) is None
    assert rung == [], "one that is switched off is not rung for again"


@pytest.mark.django_db(transaction=True)
def test_facts_wake_the_jobs_that_name_them(shop, hourly, now, rung, monkeypatch):
    monkeypatch.setattr(registries.jobs["each_tick"], "woken_by", frozenset({"products"}))
    monkeypatch.setattr(registries.jobs["at_six"], "woken_by", frozenset())
    product = {"sku": "LP", "name": "LP", "price": "12.00"}

    def bring(row, **how):
        rung.clear()
        ingest("products", [row], now=now, by=Actor.job("test"), **how)
        return rung

    woken = [(("work.nudged", ("each_tick",), "sweeps"), GATHERED)]
    assert bring(product, dry_run=True) == []
    assert bring({**product, "price": "much"}) == []
    assert bring(product) == woken
    assert bring(product) == [], "it said nothing new"
    assert bring({**product, "price": "13.00"}) == woken
    monkeypatch.setattr(registries.jobs["each_tick"], "woken_by", frozenset({"orders"}))
    assert bring({**product, "price": "14.00"}) == []


def test_jobs_are_woken_by_facts_that_there_are():
    for job in registries.jobs:
        assert job.woken_by <= set(registries.ingests.keys())
    assert registries.jobs["campaigns.reach"].woken_by >= {"customers", "orders", "activities", "consents"}
