"""Several senders write to the same people at once: a cap holds; and a naive sender that takes no turns."""

import threading
from collections import Counter

import pytest
from django.db import connection

from retention.messaging.frequency import left_of
from retention.messaging.models import Delivery
from retention.messaging.operations import Message, outbox, queue, save_messaging_policy, sending
from retention.messaging.policy import SendingPolicy, room
from tests.messaging.conftest import *  # noqa: F403
from tests.races.test_outbox import SENDERS, together

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE, EACH = 10, 4
POLICY = SendingPolicy.model_validate({"caps": [{"most": 1, "per": "day"}], "over_cap": "hold"})


@pytest.fixture
def queued(template, customer, now, by):
    """Four messages to each of ten people, so that every sender has one of each in hand."""
    save_messaging_policy(policy=POLICY, edited=None, now=now, by=by)
    people, made = [customer(f"c{n}") for n in range(PEOPLE)], template()
    for step in range(EACH):
        messages = [Message(person.pk, person.pk) for person in people]
        queue(template_id=made.pk, origin="test.row", step=step, messages=messages, now=now)


def sender(n, now, mark):
    """Claims a share, waits until everybody has, and marks what may leave."""
    token = f"w{n}"
    mine = outbox.claim(channel="email", is_transactional=False, at=now, limit=PEOPLE, token=token, zone="UTC")
    everybody_has_claimed.wait()
    mark(mine, token)
    connection.close()


everybody_has_claimed = threading.Barrier(SENDERS)
everybody_has_counted = threading.Barrier(SENDERS)


def left_for_each():
    return Counter(Delivery.objects.filter(left_at__isnull=False).values_list("customer", flat=True))


def test_four_senders_never_exceed_a_cap(queued, now):
    together(lambda n: sender(n, now, lambda mine, t: outbox.mark_sending(mine, policy=POLICY, token=t, at=now)))
    assert len(left_for_each()) == PEOPLE
    assert set(left_for_each().values()) == {1}


def test_counting_without_taking_turns_loses_this_race(queued, now):
    def naive(mine, token):
        lefts = left_of({delivery.customer_id for delivery in mine}, now=now)
        said = {"channel": "email", "topic": "", "now": now, "zone": "UTC"}
        going = [one for one in mine if room(POLICY.caps, lefts[one.customer_id], **said) is None]
        everybody_has_counted.wait()
        outbox.mark_sending(going, policy=SendingPolicy(), token=token, at=now)

    together(lambda n: sender(n, now, naive))
    assert max(left_for_each().values()) > 1


def test_through_the_whole_outbox(queued, now, smtp, monkeypatch):
    monkeypatch.setattr(sending, "CLAIMED_AT_ONCE", 3)
    together(lambda n: sending.send_due(now=now, worker=f"w{n}"))
    assert Counter(mail.recipients[0] for mail in smtp.messages) == Counter(f"c{n}@example.com" for n in range(PEOPLE))
    assert Delivery.objects.filter(state="sent").count() == PEOPLE
    assert set(Delivery.objects.exclude(state="sent").values_list("state", flat=True)) <= {"held", "queued"}
