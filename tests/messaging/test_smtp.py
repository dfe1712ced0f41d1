"""The SMTP line against a server that misbehaves: what is certain is retried or failed, what is not is unknown."""

import datetime as dt
import email
import email.policy

import pytest

from retention.messaging.models import Delivery, Outage
from retention.messaging.operations import Message, queue, send_due
from tests.messaging.wire import Wire

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)


@pytest.fixture(params=[False, True], ids=["step by step", "pipelined"])
def wire(request, settings):
    with Wire(pipelining=request.param) as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.host, server.port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_TIMEOUT = 0.4
        yield server


@pytest.fixture
def queued(template, customer, now):
    """Three messages, to a, b and c, in this order."""
    made = template()
    people = [customer(name) for name in "abc"]
    messages = [Message(person.pk, person.pk) for person in people]
    queue(template_id=made.pk, origin="test.row", messages=messages, now=now)


def states():
    return "".join(state[0] for state in Delivery.objects.order_by("id").values_list("state", flat=True))


def recipients(wire):
    return "".join(address[0] for address, _raw in wire.mails)


def test_all_go_over_one_connection(wire, queued, now):
    assert send_due(now=now, worker="t")["sent"] == 3
    assert (recipients(wire), wire.connections) == ("abc", 1)
    assert set(Delivery.objects.values_list("provider_id", flat=True)) == {"WIRE1"}


@pytest.mark.parametrize("act", ["cut_after_mail", "stall_answer"])
def test_a_mail_without_an_answer_is_unknown_and_never_sent_again(wire, queued, now, act):
    wire.acts = ["ok", act]
    figures = send_due(now=now, worker="t")
    assert (figures["sent"], figures["unknown"]) == (1, 1)
    assert states() == "suq"
    assert Delivery.objects.get(state="unknown").reason == "messaging.answer_missing"
    assert Outage.objects.get().failures == 1
    assert send_due(now=now + HOUR, worker="t")["sent"] == 1
    assert send_due(now=now + 24 * HOUR, worker="t")["due"] == 0
    assert (states(), recipients(wire)) == ("sus", "abc")


@pytest.mark.parametrize("act", ["cut_rcpt", "stall_mail", "421"])
def test_a_mail_that_was_certainly_not_taken_is_tried_again(wire, queued, now, act):
    # The first try on a kept connection may fail because the server closed it; the second is on a fresh one.
    wire.acts = [act, act]
    figures = send_due(now=now, worker="t")
    assert (figures["sent"], figures["retried"], figures["unknown"]) == (0, 1, 0)
    assert states() == "qqq"
    wire.acts = []
    assert send_due(now=now + HOUR, worker="t")["sent"] == 3
    assert sorted(recipients(wire)) == ["a", "b", "c"]


def test_a_connection_that_the_server_closed_between_mails_costs_nothing(wire, queued, now):
    wire.acts = ["close_after", "ok", "ok"]
    assert send_due(now=now, worker="t")["sent"] == 3
    assert (recipients(wire), wire.connections) == ("abc", 2)
    assert not Outage.objects.exists()


def test_a_refused_address_does_not_spoil_the_next(wire, queued, now):
    wire.acts = ["refuse_rcpt"]
    figures = send_due(now=now, worker="t")
    assert (figures["sent"], figures["failed"]) == (2, 1)
    assert (states(), recipients(wire), wire.connections) == ("fss", "bc", 1)


def test_a_server_that_refuses_and_goes_on_gets_no_mail(wire, queued, now):
    wire.acts = ["refuse_rcpt_354"]
    figures = send_due(now=now, worker="t")
    assert (figures["sent"], figures["failed"]) == (2, 1)
    assert (states(), recipients(wire)) == ("fss", "bc")


def test_lines_of_dots_arrive_as_they_were_written(wire, template, customer, now):
    text = "One\n.\n..\n.two\n{{ unsubscribe_url }}"
    made = template(words={"en": {"subject": "Dots", "text": text}})
    anna = customer("anna")
    queue(template_id=made.pk, origin="test.row", messages=[Message(1, anna.pk)], now=now)
    assert send_due(now=now, worker="t")["sent"] == 1
    message = email.message_from_bytes(wire.mails[0][1], policy=email.policy.default)
    assert message.get_content().splitlines()[:4] == ["One", ".", "..", ".two"]
