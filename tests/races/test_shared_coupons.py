"""One coupon that two messages bring, both of which are refused at once: it is taken back, and a naive end loses it.

Each sender sees its own message's end alone until the other commits. The test holds both up between writing that end
and asking what else brings the coupon, so the race is staged every time.
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
    """Five customers with a coupon each; two mails to each of them bring it. Nobody has these addresses."""
    people = [customer(f"c{n}") for n in range(PEOPLE)]
    grants = coupons(*people)
    made = template()
    for step in (0, 1):
        messages = [Message(person.pk, person.pk, grants[person.pk]) for person in people]
        queue(template_id=made.pk, origin="test.row", step=step, messages=messages, now=now)
    return people


def held_up(*work):
    """Let these run side by side; all of them wait where they count what became of their messages."""
    errors = []

    def run(act):
        try:
            act()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in work]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE messaging_tally IN EXCLUSIVE MODE")
        for thread in threads:
            thread.start()
        wait_until(lambda: waiting() == len(threads), seconds=30, what="both to have written their ends")
    for thread in threads:
        thread.join()
    assert errors == []


def waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE relation = 'messaging_tally'::regclass AND NOT granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return cursor.fetchone()[0]


def test_of_two_that_end_unsent_at_once_the_second_takes_the_coupon_back(brought_twice, coupons, smtp, now):
    for person in brought_twice:
        smtp.refuse[person.email] = "550 5.7.1 Not wanted"
    held_up(*[lambda: send_due(now=now, worker="w", limit=PEOPLE)] * 2)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"failed"}
    assert set(Grant.objects.values_list("state", flat=True)) == {"returned"}
    assert set(Code.objects.values_list("state", flat=True)) == {"void"}
    assert Counter.objects.get(incentive_id=coupons.incentive.pk, scope="issue").issued == 0
    assert differences() == []
    assert not Suppression.objects.exists()


def naive_end(deliveries, now):
    """What one writes first: it ended unsent; where no other message brings its coupon, that goes back."""
    with transaction.atomic():
        ended = list(deliveries)
        deliveries.update(state="failed", ended_at=now)
        tallies.note([("unsent", ended)], at=now)
        others = Delivery.objects.exclude(state="failed").values("grant_id")
        alone = [delivery.grant_id for delivery in ended if not others.filter(grant=delivery.grant_id).exists()]
        # The other one asks before this one commits.
        naive_gate.wait(timeout=30)
        take_back(grant_ids=alone, now=now, by=Actor.job("naive"), reason="not_sent")


naive_gate = threading.Barrier(2)


def test_the_naive_end_loses_the_coupon(brought_twice, now):
    held_up(*[lambda step=step: naive_end(Delivery.objects.filter(step=step), now) for step in (0, 1)])
    assert set(Delivery.objects.values_list("state", flat=True)) == {"failed"}
    assert set(Code.objects.values_list("state", flat=True)) == {"reserved"}, "nobody will ever get or free it"
