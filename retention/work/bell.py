"""Ringing for a worker: puts ids into a queue, from a thread of its own, so that no request waits for the broker.

A ring may be lost at any time. What it is about is a row that the next tick finds. Rings that many processes may
want at once are rung once: a note in the cache says that somebody has rung, until somebody has answered.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from functools import partial
from typing import Any

from celery import current_app
from django.core.cache import cache
from django.db import transaction

log = logging.getLogger(__name__)

#: Rings that nobody took within this many seconds are stale: the tick has rung again since.
EXPIRES = 120
#: A ring that nobody answered for so many seconds may be repeated.
NOTED = 30

Ring = tuple[str, tuple[Any, ...], str, float, bool]


class Bell:
    """One thread and one short list of what is to be rung; the same ring is not listed twice."""

    def __init__(self, size: int = 1000) -> None:
        self._lock = threading.Lock()
        self._size = size
        self._start()

    def _start(self) -> None:
        self._pid = os.getpid()
        self._waiting: queue.Queue[Ring] = queue.Queue(self._size)
        self._listed: set[Ring] = set()
        self._thread: threading.Thread | None = None

    def ring(self, task: str, args: tuple[Any, ...], to: str, *, after: float = 0.0, unless_rung: bool = False) -> None:
        """Ask for `task(*args)` on the queue `to`; returns at once and never raises for the broker's sake.

        Args:
            after: seconds that it may wait for more of the same.
            unless_rung: not where another process rang for the same and it was not `answered` yet.
        """
        with self._lock:
            if self._pid != os.getpid():  # a forked worker has the list of its parent, but not the thread
                self._start()
            ring = (task, args, to, after, unless_rung)
            if ring in self._listed:
                return
            try:
                self._waiting.put_nowait(ring)
            except queue.Full:
                return
            self._listed.add(ring)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="bell", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while True:
            ring = self._waiting.get()
            with self._lock:
                self._listed.discard(ring)
            task, args, to, after, unless_rung = ring
            try:
                if unless_rung and not cache.add(_note(task, args), 1, NOTED):
                    continue
                current_app.send_task(
                    task, args=args, queue=to, countdown=after, expires=EXPIRES, retry=False, ignore_result=True
                )
            except Exception as error:
                log.warning("the broker did not take %s: %s", task, type(error).__name__)
            finally:
                self._waiting.task_done()

    @staticmethod
    def answered(task: str, args: tuple[Any, ...]) -> None:
        """Somebody begins with it now: facts that come from here on must ring again."""
        try:
            cache.delete(_note(task, args))
        except Exception as error:
            log.warning("the cache did not answer for %s: %s", task, type(error).__name__)

    def wait(self, seconds: float = 5.0) -> bool:
        """Until everything listed was rung or refused, for processes that are about to end; whether it was in time."""
        with self._waiting.all_tasks_done:
            return self._waiting.all_tasks_done.wait_for(lambda: not self._waiting.unfinished_tasks, seconds)


def _note(task: str, args: tuple[Any, ...]) -> str:
    return ":".join(["rung", task, *map(str, args)])


bell = Bell()


def ring_on_commit(task: str, args: tuple[Any, ...], to: str, **how: Any) -> None:
    """Ring when the present transaction commits, if it does."""
    transaction.on_commit(partial(bell.ring, task, args, to, **how), robust=True)
