"""A provider's pace is kept by all senders together, and what someone waits for goes ahead."""

import threading

import pytest
from django.db import connection

from retention.messaging.operations import pacing, save_messaging_policy, sending
from retention.messaging.policy import SendingPolicy
from tests.messaging.conftest import *  # noqa: F403

pytestmark = pytest.mark.django_db(transaction=True)


def test_places_in_the_line_are_given_once():
    waits, barrier = [], threading.Barrier(4)

    def take():
        barrier.wait()
        for _each in range(5):
            waits.append(pacing.reserve(channel="sms", count=10, per_second=0.1))
        connection.close()

    threads = [threading.Thread(target=take) for _each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Twenty times ten places of ten seconds each: 0, 100, 200 … 1900 seconds ahead, but for what the test itself took.
    assert [round(wait, -2) for wait in sorted(waits)] == [100.0 * n for n in range(20)]


def test_bulk_waits_its_turn_and_transactional_does_not(say, send, customer, template, now, by, smtp, monkeypatch):
    waited = []
    monkeypatch.setattr(sending.time, "sleep", waited.append)
    policy = SendingPolicy.model_validate({"paces": [{"channel": "email", "per_second": 1.5}]})
    save_messaging_policy(policy=policy, edited=None, now=now, by=by)
    say(*[customer(f"c{n}") for n in range(7)])
    assert send()["sent"] == 7
    # Three at once, each of two seconds: the first three leave at once, the next two seconds later, then four.
    assert [round(wait) for wait in waited] == [0, 2, 4]
    say(customer("anna"), template_=template(category="transactional"))
    assert send(transactional=True)["sent"] == 1
    assert len(waited) == 3
