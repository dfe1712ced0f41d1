"""The doorbell of the senders: rung when a transaction that queued something commits; the tick finds what it missed."""

from __future__ import annotations

import logging
from functools import partial

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)


def send_soon(*, is_transactional: bool) -> None:
    """Wake a sender once the present transaction commits."""
    transaction.on_commit(partial(_ring, is_transactional), robust=True)


def _ring(is_transactional: bool) -> None:
    queue = "transactional" if is_transactional else "bulk"
    try:
        # By name: a task is a door, and nothing imports a door.
        current_app.send_task(f"messaging.send_{queue}", queue=queue, retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        log.warning("no sender could be woken (%s); the next tick will", type(error).__name__)
