"""PostgreSQL goes away in the middle of a broadcast, politely and not: workers live on, find it again and finish."""

import os
import signal
import time

import pytest
from django.db import connection

from campaigns.models import Touch
from retention.embedded.processes import stop as stop_process
from retention.messaging.models import Delivery
from tests.faults.broadcasts import Haste, check, is_over, launch, truth_of, where
from tests.processes import Workers

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
CUSTOMERS = int(os.environ.get("FAULT_CUSTOMERS", "10000"))


@pytest.fixture
def workers(server, broker, heads):
    workers = Workers(EMAIL_URL=f"smtp://{heads.host}:{heads.port}", JOB_LEASE_SECONDS="4")
    workers.start()
    yield workers
    workers.kill()


def test_workers_survive_a_restart_and_a_crash_of_the_database(server, workers, heads, say):
    haste = Haste()
    launch(CUSTOMERS)
    assert haste.until(Touch.objects.exists, 240), where()
    connection.close()
    server.stop()
    time.sleep(3)
    server.start()
    haste.cut_off |= in_hand()
    assert haste.until(lambda: len(heads) > CUSTOMERS // 4, 300), where()
    connection.close()
    # No farewell and no check point: it recovers at its next start.
    stop_process(server.pid, signal.SIGQUIT)
    time.sleep(3)
    server.start()
    haste.cut_off |= in_hand()
    assert workers.runs, "nobody restarted the worker"
    assert len(heads) < CUSTOMERS
    assert haste.until(lambda: is_over(CUSTOMERS), 400, every=0.5), where()
    truth = truth_of(CUSTOMERS, heads.messages)
    say(f"FAULTS customers {CUSTOMERS:,}, restarts 2, {truth}")
    # A sender that was cut off knows how its hand-overs ended, but could not write it down.
    check(truth, heads.messages, unknown_at_most=haste.in_hand)


def in_hand() -> set[str]:
    """Who had mails in hand when the database went away."""
    held = Delivery.objects.filter(state__in=["claimed", "sending"])
    return set(held.values_list("claimed_by", flat=True))
