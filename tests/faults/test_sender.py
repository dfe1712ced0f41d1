"""Senders that are killed: at most twenty unknown each, nobody twice, nothing lost, all of it listed."""

import datetime as dt
import signal
import subprocess
import sys
from collections import Counter

import pytest

from retention.messaging.models import Delivery
from retention.messaging.operations import Message, queue, send_due
from retention.work.models import Alert
from tests.messaging.conftest import *  # noqa: F403
from tests.processes import ROOT, environment, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

COUNT = 400
NOW = dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)
_SENDER = """
import datetime as dt, django
django.setup()
from retention.messaging.operations import send_due
send_due(now=dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC), worker="killed")
"""


def start_sender(port: int) -> subprocess.Popen:
    more = {"DJANGO_SETTINGS_MODULE": "retention.settings", "EMAIL_URL": f"smtp://127.0.0.1:{port}"}
    return subprocess.Popen([sys.executable, "-c", _SENDER], env=environment(**more), cwd=ROOT)


@pytest.fixture
def queued(template, customer, now):
    people = [customer(f"c{n}") for n in range(COUNT)]
    made = template()
    queue(template_id=made.pk, origin="test.row", messages=[Message(p.pk, p.pk) for p in people], now=now)


@pytest.mark.parametrize("kills", [1, 3])
def test_a_killed_sender_leaves_at_most_twenty_unknown_and_nobody_gets_two(queued, smtp, now, kills):
    for kill in range(kills):
        seen = len(smtp.messages)
        sender = start_sender(smtp.port)
        wait_until(lambda seen=seen: len(smtp.messages) >= seen + 45)
        sender.send_signal(signal.SIGKILL)
        sender.wait()
        assert Delivery.objects.filter(state="sending").count() <= 20 * (kill + 1)
        # Time passes: what it held is past its lease.
        Delivery.objects.filter(state__in=["claimed", "sending"]).update(
            lease_until=dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
        )
    before = len(smtp.messages)
    send_due(now=now, worker="next")
    assert len(smtp.messages) > before
    states = Counter(Delivery.objects.values_list("state", flat=True))
    assert set(states) <= {"sent", "unknown"}
    assert states["sent"] + states["unknown"] == COUNT
    assert states["unknown"] <= 20 * kills
    arrived = Counter(mail.recipients[0] for mail in smtp.messages)
    assert set(arrived.values()) == {1}
    sent = set(Delivery.objects.filter(state="sent").values_list("customer__email", flat=True))
    assert sent <= set(arrived)
    unknown = Delivery.objects.filter(state="unknown")
    assert set(arrived) - sent <= set(unknown.values_list("customer__email", flat=True))
    assert set(unknown.values_list("reason", flat=True)) <= {"messaging.sender_lost"}
    assert Alert.objects.filter(kind="messaging.unknown", resolved_at=None).exists() == bool(states["unknown"])
    assert send_due(now=now + dt.timedelta(days=3), worker="later")["due"] == 0
