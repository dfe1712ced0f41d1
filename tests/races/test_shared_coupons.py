"""One coupon that two messages bring, both of which are refused at once: it is taken back, and a naive end loses it.

Each sender sees only the end of its own message until the other commits. The test holds both up where they have written
that end, and again where they have asked what else brings the coupon; so the race is staged every time.
"""

import threading

import pytest
from django.db import connection, transaction

from retention.actors import Actor
from retention.incentives.models import Code, Counter, Grant
from retention.incentives.operations import take_back
from retention.incentives.operations.reconcile import differences
from retention.messaging import tallies
from retention.messaging.models import Delivery, Suppression
from retention.messaging.operations import Message, queue, send_due
from tests.messaging.conftest import *  # noqa: F403
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 5


@pytest.fixture
def brought_twice(template, customer, coupons, now):
    """Five customers with a coupon each; two mails to each of them bring it."""
    people = [customer(f"c{n}") for n in range(PEOPLE)]
    grants = coupons(*people)
    made = template()
    for step in (0, 1):
        messages = [Message(person.pk, person.pk, grants[person.pk]) for person in people]
        queue(template_id=made.pk, origin="test.row", step=step, messages=messages, now=now)
    return people


def two_at_once(work):
    """Run `work(0)` and `work(1)` side by side, step by step."""
    errors = []

    def run(n):
        try:
            work(n)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in (0, 1)]
    with transaction.atomic(), connection.cursor() as cursor:
        # Its addresses are written down after the question …
        cursor.execute("LOCK TABLE messaging_suppression IN EXCLUSIVE MODE")
        with transaction.atomic():
            # … and what is counted, between a message's end and the question.
            cursor.execute("LOCK TABLE messaging_tally IN EXCLUSIVE MODE")
            for thread in threads:
                thread.start()
            wait_until(both_wait, seconds=30, what="both to have written their ends")
            transaction.set_rollback(True)
        wait_until(both_wait, seconds=30, what="both to have asked, or the second to wait for the first")
    for thread in threads:
        thread.join()
    assert errors == []


def both_wait() -> bool:
    with connection.cursor() as cursor:
        # A transaction sees the same activity all the time otherwise.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone()[0] == 2


def test_the_second_of_two_that_end_unsent_takes_the_coupon_back(brought_twice, coupons, smtp, now):
    for person in brought_twice:
        smtp.refuse[person.email] = "550 5.1.1 No such user"
    two_at_once(lambda n: send_due(now=now, worker=f"w{n}", limit=PEOPLE))
    assert set(Delivery.objects.values_list("state", flat=True)) == {"failed"}
    assert set(Grant.objects.values_list("state", flat=True)) == {"returned"}
    assert set(Code.objects.values_list("state", flat=True)) == {"void"}
    assert Counter.objects.get(incentive_id=coupons.incentive.pk, scope="issue").issued == 0
    assert differences() == []


def naive_end(step, now):
    """What one writes first: it ended unsent; where no other message brings its coupon, that goes back."""
    with transaction.atomic():
        mine = Delivery.objects.filter(step=step)
        ended = list(mine)
        mine.update(state="failed", ended_at=now)
        tallies.note([("unsent", ended)], at=now)
        others = set(Delivery.objects.exclude(state="failed").values_list("grant_id", flat=True))
        alone = [delivery.grant_id for delivery in ended if delivery.grant_id not in others]
        take_back(grant_ids=alone, now=now, by=Actor.job("naive"), reason="not_sent")
        Suppression.objects.create(channel="email", address_hash=bytes([step]), why="bounce", since=now)


def test_the_naive_end_loses_the_coupon(brought_twice, now):
    two_at_once(lambda n: naive_end(n, now))
    assert set(Delivery.objects.values_list("state", flat=True)) == {"failed"}
    assert set(Grant.objects.values_list("state", flat=True)) == {"active"}
    assert set(Code.objects.values_list("state", flat=True)) == {"reserved"}, "nobody will ever get or free it"
