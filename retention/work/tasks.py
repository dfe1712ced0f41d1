"""Celery's doors to the `work` room: the tick, a run by its number, a nudge."""

from celery import shared_task

from retention import clock
from retention.work import imports, operations


@shared_task(name="work.tick")
def tick() -> None:
    operations.tick(now=clock.now())


@shared_task(name="work.run_job")
def run_job(run_id: int) -> None:
    operations.run(run_id=run_id, now=clock.now())


@shared_task(name="work.nudged")
def nudged(key: str) -> None:
    operations.run_nudged(key=key, now=clock.now())


@shared_task(name="work.run_import")
def run_import(import_id: int) -> None:
    imports.run_import(import_id=import_id, now=clock.now())
