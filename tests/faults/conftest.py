"""What faults are done to: a broker that is emptied, a PostgreSQL of a test's own, a mail server that keeps heads."""

import shutil
import sys
import tempfile
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from retention.embedded.places import Place
from retention.embedded.postgres import Postgres
from tests.mailbox import Heads


@pytest.fixture
def say(capfd):
    """Says a line to whoever waits for the test, also where its output is kept from them."""

    def line(words: str) -> None:
        with capfd.disabled():
            sys.stdout.write(f"\n{words}\n")
            sys.stdout.flush()

    return line


@pytest.fixture
def broker():
    broker = redis.Redis.from_url(settings.REDIS_URL)
    broker.flushdb()
    yield broker
    broker.flushdb()


@pytest.fixture
def heads(free_port):
    with Heads(port=free_port()) as mailbox:
        yield mailbox


@pytest.fixture
def server(django_db_setup, django_db_blocker):
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
