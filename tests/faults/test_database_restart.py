"""PostgreSQL goes away in the middle of a broadcast, politely and not: workers live on, find it again and finish."""

import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from campaigns.models import Touch
from retention.embedded.places import Place
from retention.embedded.postgres import Postgres
from retention.embedded.processes import stop as stop_process
from tests.faults.broadcasts import check_truth, is_over, launch, let_leases_end, tick_until
from tests.processes import Workers

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
CUSTOMERS = int(os.environ.get("FAULT_CUSTOMERS", "20000")) // 2
ELIGIBLE = CUSTOMERS - CUSTOMERS // 10
CHILDREN = 2


@pytest.fixture
def server(django_db_blocker):
    """A PostgreSQL of this test's own, durable as in production, in place of the one that all tests share."""
    folder = Path(tempfile.mkdtemp(prefix="retention-restart-", dir="/var/tmp"))
    folder.chmod(0o711)
    own = Postgres(Place("demo", folder))
    own.start()
    shared = dict(connection.settings_dict)
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict.update(NAME="retention", USER="postgres", PASSWORD="", HOST=str(own.sockets), PORT="")
        try:
            call_command("migrate", verbosity=0)
            yield own
        finally:
            connection.close()
            connection.settings_dict.update(shared)
            own.stop()
            shutil.rmtree(folder)


@pytest.fixture
def workers(server, smtp):
    broker = redis.Redis.from_url(settings.REDIS_URL)
    broker.flushdb()
    workers = Workers(children=CHILDREN, EMAIL_URL=f"smtp://{smtp.host}:{smtp.port}", JOB_LEASE_SECONDS="5")
    workers.start()
    yield workers
    workers.kill()
    broker.flushdb()


def test_workers_survive_a_restart_and_a_crash_of_the_database(server, workers, smtp):
    launch(CUSTOMERS)
    tick_until(lambda: Touch.objects.exists(), 240)
    connection.close()
    server.stop()
    time.sleep(3)
    server.start()
    let_leases_end()
    tick_until(lambda: len(smtp.messages) > ELIGIBLE // 4, 300)
    connection.close()
    # No farewell and no check point: it recovers at its next start.
    stop_process(server.pid, signal.SIGQUIT)
    time.sleep(3)
    server.start()
    assert workers.process.poll() is None, "nobody restarted the worker"
    assert len(smtp.messages) < ELIGIBLE
    let_leases_end()
    tick_until(lambda: is_over(CUSTOMERS), 400)
    # A sender that was cut off knows how its hand-overs ended, but could not write it down.
    check_truth(CUSTOMERS, smtp.messages, unknown_at_most=20 * CHILDREN)
