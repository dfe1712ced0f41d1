"""Several senders on the same rows: each message leaves once; and a naive sender that fails the same race."""

import datetime as dt
import threading
from collections import Counter

import pytest
from django.db import connection

from retention.messaging.models import Delivery
from retention.messaging.operations import Message, cancel, queue, send_due
from tests.messaging.conftest import *  # noqa: F403

pytestmark = pytest.mark.django_db(transaction=True)

SENDERS = 4


def together(work, count=SENDERS):
    """Run `work(n)` in threads that begin at the same moment, each on its own connection."""
    barrier, errors = threading.Barrier(count), []

    def run(n):
        try:
            barrier.wait()
            work(n)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@pytest.fixture
def queued(template, customer, now):
    people = [customer(f"c{n}") for n in range(60)]
    made = template()
    queue(template_id=made.pk, origin="test.row", messages=[Message(p.pk, p.pk) for p in people], now=now)
    return people


def times_sent(smtp):
    return Counter(mail.recipients[0] for mail in smtp.messages)


def test_four_senders_send_each_message_once(queued, smtp, now):
    together(lambda n: send_due(now=now, worker=f"w{n}"))
    assert set(times_sent(smtp).values()) == {1}
    assert len(times_sent(smtp)) == 60
    assert Delivery.objects.filter(state="sent").count() == 60


def naive_send(smtp, now):
    """What one writes first: read what is due, send it, mark it sent."""
    due = list(Delivery.objects.filter(state="queued", not_before__lte=now).select_related("customer"))
    barrier_line.wait()
    for delivery in due:
        smtp._messages.append(type("Mail", (), {"recipients": (delivery.customer.email,)})())
        Delivery.objects.filter(pk=delivery.pk).update(state="sent", ended_at=now)


barrier_line = threading.Barrier(SENDERS)


def test_the_naive_sender_loses_this_race(queued, smtp, now):
    together(lambda n: naive_send(smtp, now))
    assert max(times_sent(smtp).values()) > 1


def test_queueing_the_same_twice_at_once_queues_once(template, customer, now):
    people = [customer(f"c{n}") for n in range(50)]
    made = template()
    messages = [Message(person.pk, person.pk) for person in people]
    done = []
    together(lambda n: done.append(queue(template_id=made.pk, origin="test.row", messages=messages, now=now)))
    assert sum(queued.queued for queued in done) == 50
    assert sum(queued.repeated for queued in done) == 150
    assert Delivery.objects.count() == 50


def test_calling_off_while_sending_either_stops_a_message_or_is_too_late(queued, smtp, now, by):
    ids = [person.pk for person in queued]
    stopped = []

    def work(n):
        if n == 0:
            send_due(now=now, worker="w")
        else:
            stopped.extend(cancel(origin="test.row", origin_ids=ids[n::3], now=now, by=by))

    together(work)
    later = now + dt.timedelta(minutes=5)
    send_due(now=later, worker="w")
    arrived = times_sent(smtp)
    assert set(arrived.values()) <= {1}
    by_state = Counter(Delivery.objects.values_list("state", flat=True))
    assert by_state == Counter({"sent": len(arrived), "suppressed": len(stopped)}) - Counter()
    assert len(arrived) + len(stopped) == 60
    called_off = set(Delivery.objects.filter(origin_id__in=stopped).values_list("customer__email", flat=True))
    assert not called_off & set(arrived)
