"""The senders: every minute, and at once when something is queued; two side by side for bulk, one for the rest.

And the asking for confirmations, which wakes them.
"""

from __future__ import annotations

import datetime as dt
import os
import socket
from collections.abc import Callable
from typing import Any, ClassVar

from retention.actors import Actor
from retention.messaging import operations, querysets, tallies
from retention.messaging.operations.hearing import JOB as WATCH
from retention.messaging.operations.queueing import SEND, SEND_TRANSACTIONAL
from retention.registries import DueJob, jobs

#: Well under the time limit of a task; what is left then is found by the next tick.
_SECONDS = 20 * 60


class _Send(DueJob):
    order = 80
    is_transactional: ClassVar[bool]

    @classmethod
    def run(cls, *, now: dt.datetime, progress: Callable[[int, int], None]) -> dict[str, Any]:
        waiting = querysets.due(now=now, is_transactional=cls.is_transactional)
        total = waiting[:100_001].count()
        return operations.send_due(
            now=now,
            worker=f"{socket.gethostname()}:{os.getpid()}",
            transactional=cls.is_transactional,
            progress=lambda done, _total: progress(done, max(done, total)),
            seconds=_SECONDS,
        )

    @classmethod
    def preview(cls, *, now: dt.datetime) -> dict[str, Any]:
        return operations.preview_due(now=now, transactional=cls.is_transactional)


@jobs.register
class QueueConfirmations(DueJob):
    key = "messaging.confirmations"
    label = "Ask by mail for the consents that wait for a confirmation"
    queue = "transactional"
    order = 78
    woken_by = frozenset({"consents"})

    @classmethod
    def run(cls, *, now: dt.datetime, progress: Callable[[int, int], None]) -> dict[str, Any]:
        return {"queued": operations.queue_confirmations(now=now, by=Actor.job(cls.key))}

    @classmethod
    def preview(cls, *, now: dt.datetime) -> dict[str, Any]:
        return {"queued": operations.count_confirmations(now=now)}


@jobs.register
class SendBulk(_Send):
    key = SEND
    label = "Send campaign mail"
    queue = "bulk"
    lanes = 2
    is_transactional = False


@jobs.register
class SendTransactional(_Send):
    key = SEND_TRANSACTIONAL
    label = "Send mail that someone waits for"
    queue = "transactional"
    order = 79
    is_transactional = True


@jobs.register
class Watch(DueJob):
    """What customers did with their messages, counted and passed on; and the brake on bad rates."""

    key = WATCH
    label = "Count opens, clicks and bounces, and brake on bad rates"
    order = 85

    @classmethod
    def run(cls, *, now: dt.datetime, progress: Callable[[int, int], None]) -> dict[str, Any]:
        passed = operations.pass_on(now=now, progress=progress)
        tallies.fold(now=now)
        return {"due": passed, "paused": operations.brake(now=now)}

    @classmethod
    def preview(cls, *, now: dt.datetime) -> dict[str, Any]:
        return {"due": operations.count_heard()}
