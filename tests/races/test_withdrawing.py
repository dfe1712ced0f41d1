"""She withdraws her consent while a sender has her mail in hand: it does not leave. A naive sender sends it."""

import datetime as dt
import threading
import time

import pytest
from django.db import connection

from retention.actors import Actor
from retention.customers.operations import withdraw_consent
from retention.messaging.models import Delivery
from retention.messaging.operations import Message, outbox, queue, sending
from tests.messaging.conftest import *  # noqa: F403
from tests.races.test_outbox import together

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE, BEFORE, SOON = 30, 10, 20


@pytest.fixture
def people(template, customer, now):
    made = [customer(f"c{n:02}") for n in range(PEOPLE)]
    messages = [Message(person.pk, person.pk) for person in made]
    queue(template_id=template().pk, origin="test.row", messages=messages, now=now)
    return made


@pytest.fixture
def race(people, smtp, now, monkeypatch):
    """Let a sender that marks by `mark` and the withdrawing of everybody loose together.

    Returns those whose mail began to leave after their withdrawal was committed.
    """
    monkeypatch.setattr(sending, "SENDING_AT_ONCE", 1)

    def run(mark):
        withdrawn: dict[int, float] = {}
        began: dict[int, float] = {}
        first_has_left, some_are_out = threading.Event(), threading.Event()

        def marked(going, **options):
            if began:
                first_has_left.set()
                # Between what the guards allowed and what is about to leave, some said no.
                assert some_are_out.wait(SOON)
            at = time.monotonic()
            done = mark(going, **options)
            began.update({one.customer_id: at for one in going if one.id in done})
            return done

        def withdraw():
            assert first_has_left.wait(SOON)
            for person in reversed(people):
                withdraw_consent(
                    customer_id=person.pk, channel="email", purpose="marketing", source="shop", now=now,
                    by=Actor.command("test"),
                )  # fmt: skip
                withdrawn[person.pk] = time.monotonic()
                if len(withdrawn) == BEFORE:
                    some_are_out.set()
            connection.close()

        monkeypatch.setattr(outbox, "mark_sending", marked)
        together(lambda n: [lambda: sending.send_due(now=now, worker="w"), withdraw][n](), 2)
        assert len(withdrawn) == PEOPLE
        return {pk for pk, at in began.items() if at > withdrawn[pk]}

    return run


def test_a_mail_in_hand_does_not_leave_after_a_no(race, smtp, now):
    assert race(outbox.mark_sending) == set()
    # Whatever was not marked is asked about again, and its reason is told.
    sending.send_due(now=now + dt.timedelta(minutes=5), worker="w")
    sent = set(Delivery.objects.filter(state="sent").values_list("customer__email", flat=True))
    others = Delivery.objects.exclude(state="sent")
    assert set(others.values_list("state", "reason")) == {("suppressed", "messaging.no_consent")}
    assert others.count() >= BEFORE
    assert len(sent) + others.count() == PEOPLE
    assert {mail.recipients[0] for mail in smtp.messages} == sent


def test_marking_what_the_guards_allowed_once_loses_this_race(race):
    def naive(going, *, token, at, **_options):
        mine = Delivery.objects.filter(pk__in=[one.id for one in going], state="claimed", claimed_by=token)
        mine.update(state="sending", left_at=at)
        return {one.id for one in going}

    assert len(race(naive)) >= BEFORE
