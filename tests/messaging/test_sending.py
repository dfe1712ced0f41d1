"""Sending: who gets it and who does not, what follows from each end, what becomes of failures. A real SMTP server."""

import datetime as dt

import pytest

from retention.audit.models import AuditEntry
from retention.customers.addresses import address_hash
from retention.customers.models import ConsentState
from retention.incentives.models import Code, Grant
from retention.incentives.operations import stop
from retention.messaging.models import Delivery, Outage, Suppression
from retention.messaging.operations import Message, cancel, queue, settle_unknown
from retention.registries import DeliveryOutcome, SendGuard, Skip, guards, outcomes
from retention.work.models import Alert
from tests.messaging.conftest import WORDS, agree

pytestmark = pytest.mark.django_db

MINUTE = dt.timedelta(minutes=1)


def states():
    return dict(Delivery.objects.values_list("customer__given_name", "state"))


def test_a_message_arrives_whole_in_the_customers_language(say, send, customer, smtp, now):
    anna, ben = customer("anna"), customer("ben", language="ko-KR", given_name="민준")
    say(anna, ben)
    figures = send()
    assert (figures["due"], figures["sent"], figures["skipped"]) == (2, 2, {})
    (mail,) = smtp.to("anna@example.com")
    assert mail.message["Subject"] == "Hello Anna"
    assert mail.message["To"] == "Anna <anna@example.com>"
    assert mail.message["From"] == "Tea & Co <shop@example.com>"
    delivery = Delivery.objects.get(customer=anna)
    assert mail.message["Message-ID"] == f"<{delivery.public_id}@example.com>"
    assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = mail.message["List-Unsubscribe"].strip("<>")
    assert url.startswith("http://localhost:8000/u/")
    assert url in mail.text("html")
    assert url in mail.text("plain")
    assert "Dear Anna" in mail.text("plain")
    assert "1 Leaf Lane · Hamburg" in mail.text("html")
    assert "<title>Hello Anna</title>" in mail.text("html")
    (korean,) = smtp.to("ben@example.com")
    assert korean.message["Subject"] == "안녕하세요 민준님"
    assert (delivery.state, delivery.language, delivery.attempts, delivery.lease_until) == ("sent", "en", 1, None)
    assert delivery.ended_at is not None
    assert Delivery.objects.get(customer=ben).language == "ko"


def test_sent_once_however_often_sending_runs(say, send, customer, smtp):
    say(customer("anna"))
    send()
    assert send()["due"] == 0
    assert len(smtp.messages) == 1


def test_what_is_not_due_stays(say, send, customer, smtp, now, template):
    made, anna = template(), customer("anna")
    later = now + 3 * MINUTE
    queue(template_id=made.pk, origin="test.row", messages=[Message(1, anna.pk, not_before=later)], now=now)
    assert send(at=later - dt.timedelta(seconds=1))["due"] == 0
    assert send(at=later)["sent"] == 1


def test_priority_goes_first(say, send, customer, smtp, template):
    low, high = customer("low"), customer("high")
    made = template()
    say(low, template_=made, priority=0)
    say(high, template_=made, priority=5)
    send(limit=1)
    assert states() == {"Low": "queued", "High": "sent"}


def test_bulk_and_transactional_do_not_wait_for_each_other(say, send, customer, smtp, template):
    anna = customer("anna", consent=False)
    say(anna, template_=template(category="transactional"))
    assert send()["due"] == 0
    assert send(transactional=True)["sent"] == 1
    (mail,) = smtp.messages
    assert mail.message["List-Unsubscribe"] is None
    assert "unsubscribe" not in mail.text("html").lower()


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda c: agree(c, is_given=False), "messaging.no_consent"),
        (lambda c: c.consent_states.all().delete(), "messaging.no_consent"),
        (lambda c: type(c).objects.filter(pk=c.pk).update(email="new@example.com"), "messaging.no_consent"),
        (lambda c: type(c).objects.filter(pk=c.pk).update(email=None), "messaging.no_address"),
        (lambda c: type(c).objects.filter(pk=c.pk).update(erased_at=c.recorded_at), "messaging.customer_gone"),
        (
            lambda c: Suppression.objects.create(
                channel="email", address_hash=address_hash(c.email_normal), why="complaint", since=c.recorded_at
            ),
            "messaging.suppressed",
        ),
    ],
)
def test_between_queue_and_sending_a_no_is_a_no(say, send, customer, smtp, spoil, code, coupons):
    anna, ben = customer("anna"), customer("ben")
    grants = coupons(anna)
    say(anna, ben, grants=grants)
    spoil(anna)
    figures = send()
    assert figures["skipped"] == {code: 1}
    assert [mail.recipients for mail in smtp.messages] == [("ben@example.com",)]
    delivery = Delivery.objects.get(customer=anna)
    assert (delivery.state, delivery.reason, delivery.attempts) == ("suppressed", code, 0)
    assert Grant.objects.get(pk=grants[anna.pk]).state == "returned"
    assert Code.objects.get(grant_id=grants[anna.pk]).state == "void"


def test_a_topic_needs_its_own_consent_too(say, send, customer, smtp, template):
    anna, ben = customer("anna"), customer("ben")
    agree(ben, purpose="topic:news")
    say(anna, ben, template_=template(topic="news"))
    assert send()["skipped"] == {"messaging.no_consent": 1}
    assert states() == {"Anna": "suppressed", "Ben": "sent"}
    assert Delivery.objects.get(customer=anna).params == {"purpose": "topic:news"}


def test_a_suppression_of_marketing_alone_lets_a_receipt_pass(say, send, customer, smtp, template, now):
    anna = customer("anna", consent=False)
    Suppression.objects.create(
        channel="email",
        address_hash=address_hash("anna@example.com"),
        why="unsubscribed",
        marketing_only=True,
        since=now,
    )
    say(anna, template_=template(category="transactional"))
    assert send(transactional=True)["sent"] == 1


def test_consent_withdrawn_after_the_guards_were_asked_still_stops_the_message(say, send, customer, smtp):
    """Between the guards and the hand-over: the marking statement asks once more."""
    anna, ben = customer("anna"), customer("ben")
    say(anna, ben)

    @guards.register
    class LastMoment(SendGuard):
        key = "last_moment"
        order = 999

        @classmethod
        def refusals(cls, deliveries, *, now):
            if any(delivery.customer_id == anna.pk for delivery in deliveries):
                agree(anna, is_given=False)
            return {}

    try:
        figures = send()
    finally:
        del guards._entries["last_moment"]
    assert figures["sent"] == 1
    assert states() == {"Anna": "queued", "Ben": "sent"}
    assert len(smtp.messages) == 1
    now = Delivery.objects.get(customer=anna).not_before
    assert send(at=now)["skipped"] == {"messaging.no_consent": 1}


def test_a_coupon_is_given_when_its_message_is_accepted_and_taken_back_when_it_is_refused(
    say, send, customer, smtp, coupons, template, now
):
    words = {"en": {"subject": "Yours", "body": "<mj-text>{{ coupon.code }}|{{ coupon.sentence }}</mj-text>"}}
    anna, ben = customer("anna"), customer("ben")
    grants = coupons(anna, ben)
    say(anna, ben, grants=grants, template_=template(words=words))
    smtp.refuse["ben@example.com"] = "550 5.1.1 No such user"
    figures = send()
    assert (figures["sent"], figures["failed"]) == (1, 1)
    given, back = Code.objects.get(grant_id=grants[anna.pk]), Code.objects.get(grant_id=grants[ben.pk])
    assert (given.state, back.state) == ("given", "void")
    assert given.given_at is not None
    assert Grant.objects.get(pk=grants[ben.pk]).state == "returned"
    assert f"{given.code}|10% off" in smtp.messages[0].text("plain")
    failed = Delivery.objects.get(customer=ben)
    assert (failed.state, failed.reason, failed.params) == (
        "failed",
        "messaging.address_refused",
        {"detail": "550 5.1.1"},
    )
    # That mailbox does not exist: no further message tries it.
    assert bytes(Suppression.objects.get().address_hash) == address_hash("ben@example.com")


def test_a_refusal_for_policy_suppresses_nobody(say, send, customer, smtp):
    say(customer("anna"))
    smtp.refuse["anna@example.com"] = "550 5.7.1 Relaying denied"
    assert send()["failed"] == 1
    assert not Suppression.objects.exists()


def test_a_stopped_offer_holds_its_messages_and_lets_them_go_again(say, send, customer, smtp, coupons, now, by):
    anna = customer("anna")
    say(anna, grants=coupons(anna))
    stop(incentive_id=coupons.incentive.pk, now=now, by=by)
    assert send()["held"] == 1
    held = Delivery.objects.get()
    assert (held.state, held.reason, held.held_at is not None) == ("held", "messaging.offer_stopped", True)
    assert now + 10 * MINUTE <= held.not_before < now + 11 * MINUTE
    assert send(at=now + 9 * MINUTE)["due"] == 0
    assert send(at=now + 11 * MINUTE)["held"] == 1
    assert send(at=now + dt.timedelta(days=8))["skipped"] == {"messaging.too_late": 1}
    assert not smtp.messages


def test_a_withdrawn_or_expired_coupon_is_not_announced(say, send, customer, smtp, coupons, now):
    anna, ben = customer("anna"), customer("ben")
    grants = coupons(anna, ben)
    say(anna, ben, grants=grants)
    Grant.objects.filter(pk=grants[anna.pk]).update(state="void", ended_at=now)
    Code.objects.filter(grant_id=grants[ben.pk]).update(expires_at=now)
    assert send()["skipped"] == {"messaging.coupon_withdrawn": 1, "messaging.coupon_ended": 1}


def test_a_passing_refusal_is_tried_again_later_and_given_up_at_last(say, send, customer, smtp, now, coupons):
    anna = customer("anna")
    grants = coupons(anna)
    say(anna, grants=grants)
    smtp.refuse["anna@example.com"] = "450 4.2.1 Mailbox busy"
    at, waits = now, []
    for _attempt in range(7):
        assert send(at=at)["retried"] == 1
        delivery = Delivery.objects.get()
        assert (delivery.state, delivery.reason) == ("queued", "messaging.address_refused")
        waits.append(round((delivery.not_before - at) / MINUTE))
        at = delivery.not_before
    assert waits == [1, 5, 15, 60, 120, 240, 480]
    assert Code.objects.get().state == "reserved"
    assert send(at=at)["failed"] == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason, delivery.attempts) == ("failed", "messaging.gave_up", 8)
    assert Code.objects.get().state == "void"
    assert not Outage.objects.exists()


def test_a_tried_again_message_arrives_once(say, send, customer, smtp, now):
    say(customer("anna"))
    smtp.refuse["anna@example.com"] = "450 4.2.1 Mailbox busy"
    send()
    smtp.refuse.clear()
    assert send(at=now + 2 * MINUTE)["sent"] == 1
    assert len(smtp.messages) == 1


def test_a_provider_that_cannot_be_reached_rests_and_nothing_is_lost(
    say, send, customer, smtp, settings, free_port, now
):
    people = [customer(f"c{n}") for n in range(3)]
    say(*people)
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, free_port()
    figures = send()
    assert (figures["retried"], figures["sent"]) == (1, 0)
    assert set(states().values()) == {"queued"}
    # One was tried; the others were only in hand.
    assert sorted(Delivery.objects.values_list("attempts", flat=True)) == [0, 0, 1]
    outage = Outage.objects.get()
    assert (outage.failures, outage.reason) == (1, "messaging.no_connection")
    assert dt.timedelta(seconds=29) < outage.until - now < dt.timedelta(seconds=40)
    assert send(at=now + dt.timedelta(seconds=20))["due"] == 0
    for _again in range(3):
        send(at=Outage.objects.get().until)
    assert Alert.objects.get(kind="messaging.outage").resolved_at is None
    settings.EMAIL_PORT = port
    assert send(at=now + dt.timedelta(hours=2))["sent"] == 3
    assert Outage.objects.get().failures == 0
    assert Alert.objects.get(kind="messaging.outage").resolved_at is not None


def test_an_address_that_no_envelope_takes_fails_alone(say, send, customer, smtp):
    bad = customer("bad", email="bad\r\nBcc: all@example.com@example.com")
    say(bad, customer("anna"))
    figures = send()
    assert (figures["sent"], figures["failed"]) == (1, 1)
    assert Delivery.objects.get(customer=bad).reason == "messaging.bad_address"
    assert [mail.recipients for mail in smtp.messages] == [("anna@example.com",)]


def test_a_template_that_breaks_for_one_customer_fails_alone(say, send, customer, smtp, template):
    words = {
        "en": {"subject": "{{ 6 | divided_by: customer.last_name.size }}", "body": "<mj-text>a</mj-text>"},
    }
    say(customer("anna", family_name=""), customer("ben", family_name="Li"), template_=template(words=words))
    figures = send()
    assert (figures["sent"], figures["failed"]) == (1, 1)
    assert Delivery.objects.get(customer__given_name="Anna").reason == "messaging.render_failed"
    assert smtp.messages[0].message["Subject"] == "3"


def test_even_an_error_that_liquid_lets_through_fails_alone(send, customer, smtp, now, template):
    body = "<mj-text>{% if occasion.name contains empty %}a{% endif %}b</mj-text>"
    made = template(words={"en": {"subject": "a", "body": body}})
    odd, fine = ({"occasion": {"name": name}} for name in ({"en": "Easter"}, "Easter"))
    messages = [Message(n, customer(f"c{n}").pk, context=context) for n, context in enumerate((odd, fine))]
    queue(template_id=made.pk, origin="test.row", messages=messages, now=now)
    assert send()["failed"] == 1
    failed = Delivery.objects.get(origin_id=0)
    assert (failed.reason, failed.params) == ("messaging.render_failed", {"error": "TypeError"})
    assert [mail.recipients for mail in smtp.messages] == [("c1@example.com",)]


def test_guards_and_outcomes_of_other_rooms_are_asked_and_told(say, send, customer, smtp, now):
    anna, ben, eve = customer("anna"), customer("ben"), customer("eve")
    say(anna, ben, eve)
    heard = []

    class Told(DeliveryOutcome):
        key = "test.row"

        @classmethod
        def sent(cls, deliveries, *, now):
            heard.extend(("sent", delivery.origin_id) for delivery in deliveries)

        @classmethod
        def not_sent(cls, deliveries, *, now):
            heard.extend(("not_sent", delivery.origin_id) for delivery in deliveries)

    class Paused(SendGuard):
        key = "paused"

        @classmethod
        def refusals(cls, deliveries, *, now):
            return {
                delivery.id: Skip("test.paused", {}, now + MINUTE if delivery.origin_id == eve.pk else None)
                for delivery in deliveries
                if delivery.origin_id != anna.pk
            }

    outcomes.register(Told)
    guards.register(Paused)
    try:
        figures = send()
    finally:
        del outcomes._entries["test.row"], guards._entries["paused"]
    assert (figures["sent"], figures["held"], figures["skipped"]) == (1, 1, {"test.paused": 1})
    assert sorted(heard) == sorted([("sent", anna.pk), ("not_sent", ben.pk)])
    assert states() == {"Anna": "sent", "Ben": "suppressed", "Eve": "held"}


def test_messages_called_off_do_not_leave(say, send, customer, smtp, coupons, now, by):
    anna, ben = customer("anna"), customer("ben")
    grants = coupons(anna, ben)
    say(anna, ben, grants=grants)
    assert cancel(origin="test.row", origin_ids=[anna.pk], now=now, by=by) == [anna.pk]
    assert cancel(origin="test.row", origin_ids=[anna.pk], now=now, by=by) == []
    assert send()["sent"] == 1
    assert cancel(origin="test.row", origin_ids=[anna.pk, ben.pk], now=now, by=by) == []
    assert states() == {"Anna": "suppressed", "Ben": "sent"}
    assert Grant.objects.get(pk=grants[anna.pk]).state == "returned"
    assert AuditEntry.objects.filter(verb="messaging.cancel").count() == 1


def test_an_unknown_one_is_settled_by_a_person(say, send, customer, smtp, coupons, now, by):
    anna, ben = customer("anna"), customer("ben")
    say(anna, ben, grants=coupons(anna, ben))
    Delivery.objects.update(state="unknown", ended_at=now, claimed_by="lost:1")
    arrived, again = Delivery.objects.order_by("id")
    settle_unknown(delivery_id=arrived.pk, arrived=True, now=now, by=by)
    settle_unknown(delivery_id=again.pk, arrived=False, now=now, by=by)
    assert Code.objects.get(customer=anna).state == "given"
    assert send()["sent"] == 1
    assert [mail.recipients for mail in smtp.messages] == [("ben@example.com",)]


def test_what_a_lost_sender_held_goes_on_or_is_listed(say, send, customer, smtp, coupons, now):
    anna, ben = customer("anna"), customer("ben")
    grants = coupons(anna, ben)
    say(anna, ben, grants=grants)
    past = dt.datetime.now(dt.UTC) - MINUTE
    Delivery.objects.filter(customer=anna).update(state="sending", lease_until=past, claimed_by="lost:1")
    Delivery.objects.filter(customer=ben).update(state="claimed", lease_until=past, claimed_by="lost:1")
    figures = send()
    assert (figures["unknown"], figures["sent"]) == (1, 1)
    assert states() == {"Anna": "unknown", "Ben": "sent"}
    assert Delivery.objects.get(customer=anna).reason == "messaging.sender_lost"
    # She may have read the code: it works.
    assert Code.objects.get(grant_id=grants[anna.pk]).state == "given"
    assert Alert.objects.get(kind="messaging.unknown").text.startswith("1 messages may or may not")
    assert send(at=now + dt.timedelta(days=1))["due"] == 0


def test_any_other_backend_sends_through_the_library(say, send, customer, settings, mailoutbox):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    say(customer("anna", given_name="안나"))
    assert send()["sent"] == 1
    (mail,) = mailoutbox
    assert mail.to == ["=?utf-8?b?7JWI64KY?= <anna@example.com>"]
    assert mail.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail.alternatives[0].mimetype == "text/html"
    assert Delivery.objects.get().state == "sent"


def test_two_hundred_mails_take_few_statements(say, send, customer, smtp, django_assert_max_num_queries, template):
    people = [customer(f"c{n}") for n in range(40)]
    say(*people, template_=template(words=WORDS))
    with django_assert_max_num_queries(40):
        assert send()["sent"] == 40


def test_a_coupon_stays_while_another_message_brings_it(say, send, customer, smtp, coupons, template):
    """By mail she never agreed to, and by one that needs no consent: the coupon came with the second."""
    anna, ben = customer("anna"), customer("ben")
    grants = coupons(anna, ben)
    ConsentState.objects.all().delete()
    say(anna, ben, grants=grants)
    say(anna, grants=grants, step=1, template_=template(category="transactional"))
    figures = send()
    assert figures["skipped"] == {"messaging.no_consent": 2}
    assert (Grant.objects.get(pk=grants[anna.pk]).state, Code.objects.get(grant=grants[anna.pk]).state) == (
        "active", "reserved"
    )  # fmt: skip
    assert Grant.objects.get(pk=grants[ben.pk]).state == "returned"
    send(transactional=True)
    assert Code.objects.get(grant=grants[anna.pk]).state == "given"
    assert [mail.recipients for mail in smtp.messages] == [("anna@example.com",)]
