"""Double opt-in: who is written to about a confirmation and how often, what the mail says, what its link does."""

import datetime as dt
import re

import pytest
from django.db import IntegrityError, transaction

from retention.customers.asks import LASTS, consents_of
from retention.customers.models import Consent, ConsentState, Customer
from retention.customers.operations import ask_consent, end_consents, give_consent, withdraw_consent
from retention.messaging import tokens
from retention.messaging.models import Delivery, Template, Topic
from retention.messaging.operations import (
    Message,
    archive_template,
    asked_by,
    confirm,
    count_confirmations,
    preview_delivery,
    queue,
    queue_confirmations,
    save_template,
    send_due,
    stop_everything,
    unsubscribe,
)
from retention.messaging.operations.queueing import TemplateUnusable
from retention.messaging.operations.templates import NeedsItsWord
from retention.shop.models import Shop

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)


@pytest.fixture
def anna(customer):
    return customer("anna", consent=False)


@pytest.fixture
def ask(by, now):
    def say(customer, at=None, **changes):
        said = {"channel": "email", "purpose": "marketing", "source": "popup", "wording": "v3"}
        ask_consent(**{**said, **changes}, customer_id=customer.pk, now=at or now, by=by)
        return Consent.objects.filter(event="asked").order_by("pk").last()

    return say


@pytest.fixture
def mail(smtp, by):
    """Queue and send what is due at an instant: how many mails left."""

    def run(at):
        queue_confirmations(now=at, by=by)
        return send_due(now=at, worker="test", transactional=True)["sent"]

    return run


def link_in(message):
    return re.search(r"/c/(\S+)", message.text()).group(1)


def said(customer):
    return list(Consent.objects.filter(customer=customer).order_by("pk").values_list("event", "purpose", "source"))


def is_given(customer, purpose="marketing"):
    return ConsentState.objects.filter(customer=customer, purpose=purpose, is_given=True).exists()


class TestTheMail:
    def test_it_asks_for_exactly_that_and_its_link_gives_it(self, anna, ask, mail, smtp, now):
        asked = ask(anna)
        assert not ConsentState.objects.exists(), "she was asked; that is no answer"
        assert mail(now) == 1
        (message,) = smtp.to("anna@example.com")
        assert message.message["Subject"] == "Please confirm: mail from Tea & Co"
        assert "Offers and news by email" in message.text()
        assert "until May 19, 2026" in message.text()
        assert message.message["List-Unsubscribe"] is None
        later = now + DAY
        answer = confirm(token=link_in(message), now=later)
        assert (answer.is_done, answer.choices) == (True, (("email", "marketing"),))
        state = ConsentState.objects.get()
        assert (state.is_given, state.address, state.occurred_at) == (True, "anna@example.com", later)
        given = Consent.objects.get(event="given")
        assert (given.source, given.wording, given.reference) == ("popup", "v3", f"customers.consent:{asked.pk}")
        assert "link mailed to this address" in given.proof.text
        assert mail(later) == 0

    def test_nobodys_words_stand_in_a_mail_to_a_stranger(self, customer, ask, mail, smtp, now):
        ask(customer("eve", consent=False, given_name="Win money at evil.example.com"))
        mail(now)
        (message,) = smtp.messages
        assert b"evil.example.com" not in message.raw

    def test_it_speaks_her_language(self, customer, ask, mail, smtp, now):
        ask(customer("kim", consent=False, language="ko"), purpose="topic:new-teas")
        Topic.objects.create(key="new-teas", names={"en": "New teas", "ko": "새로 나온 차"})
        mail(now)
        (message,) = smtp.messages
        assert "새로 나온 차 (이메일)" in message.text()
        assert message.message["Subject"] == "Tea & Co 메일 수신 동의를 확인해 주세요"

    def test_one_mail_asks_for_all_that_was_asked(self, anna, ask, mail, smtp, now):
        ask(anna)
        ask(anna, purpose="topic:new-teas")
        assert mail(now) == 1
        (message,) = smtp.messages
        assert "Offers and news by email · New teas, by email" in message.text()
        confirm(token=link_in(message), now=now + MINUTE)
        assert is_given(anna)
        assert is_given(anna, "topic:new-teas")

    def test_afterwards_it_can_still_be_looked_at(self, anna, ask, mail, smtp, now):
        ask(anna)
        mail(now)
        confirm(token=link_in(smtp.messages[0]), now=now + MINUTE)
        shown = preview_delivery(delivery_id=Delivery.objects.get().pk, now=now + 30 * DAY)
        assert "Offers and news by email" in shown.text

    def test_the_template_cannot_lose_what_it_is_for(self, anna, ask, mail, now, by):
        ask(anna)
        mail(now)
        template = Template.objects.get(key="confirmation")
        words = {"en": {"subject": "Hi", "body": "<mj-text>Hi</mj-text>"}}
        kept = dict(template.version.data["words"])
        for changes in ({"words": words}, {"words": {**kept, **words}}, {"words": kept, "category": "marketing"}):
            fields = {"name": "x", "category": "transactional", "edited": 1, "now": now, "by": by, **changes}
            with pytest.raises(NeedsItsWord):
                save_template(template_id=template.pk, **fields)

    def test_without_its_template_the_job_fails_aloud(self, anna, ask, mail, now, by):
        ask(anna)
        mail(now)
        archive_template(template_id=Template.objects.get(key="confirmation").pk, now=now, by=by)
        ask(anna, at=now + DAY)
        with pytest.raises(TemplateUnusable):
            queue_confirmations(now=now + DAY, by=by)


class TestHowOften:
    def test_one_in_ten_minutes_whatever_is_asked(self, anna, ask, mail, now):
        ask(anna)
        assert mail(now) == 1
        for minute in range(1, 10):
            ask(anna, at=now + minute * MINUTE)
            ask(anna, at=now + minute * MINUTE, purpose="topic:new-teas")
            assert mail(now + minute * MINUTE) == 0
        # What was new meanwhile is asked when the pause is over; the repeated one is not.
        assert mail(now + 10 * MINUTE) == 1
        assert mail(now + 60 * MINUTE) == 0

    def test_a_form_sent_twice_is_one_mail(self, anna, ask, mail, now):
        ask(anna)
        assert mail(now) == 1
        ask(anna, at=now + MINUTE)
        assert [mail(now + minutes * MINUTE) for minutes in (1, 10, 11, 60 * 24 * 6)] == [0, 0, 0, 0]

    def test_three_that_nobody_answers_and_no_more_for_ninety_days(self, anna, ask, mail, now):
        sent = []
        for day in range(0, 100, 2):
            ask(anna, at=now + day * DAY)
            if mail(now + day * DAY):
                sent.append(day)
        assert sent == [0, 2, 4, 90, 92, 94]

    def test_answered_ones_do_not_count(self, anna, ask, mail, smtp, now):
        for number in range(5):
            at = now + number * DAY
            ask(anna, at=at, purpose=f"topic:t{number}")
            assert mail(at) == 1
            assert confirm(token=link_in(smtp.messages[-1]), now=at + MINUTE).is_done

    def test_it_counts_by_address_whosever_it_is(self, anna, customer, ask, mail, now):
        ask(anna)
        assert mail(now) == 1
        Customer.objects.filter(pk=anna.pk).update(email="other@example.com")
        ben = customer("ben", consent=False, email="anna@example.com")
        ask(ben, at=now + MINUTE)
        assert mail(now + MINUTE) == 0
        assert mail(now + 10 * MINUTE) == 1

    def test_what_holds_already_is_not_asked(self, anna, ask, mail, now, by):
        give_consent(customer_id=anna.pk, channel="email", purpose="marketing", source="x", now=now - DAY, by=by)
        ask(anna)
        assert (count_confirmations(now=now), mail(now)) == (0, 0)
        assert is_given(anna)

    def test_a_preview_counts_and_writes_nothing(self, anna, ask, now):
        ask(anna)
        assert count_confirmations(now=now) == 1
        assert not Delivery.objects.exists()

    def test_an_ask_that_is_nearly_over_is_not_worth_a_mail(self, anna, ask, mail, now):
        ask(anna)
        assert mail(now + LASTS - DAY) == 0


class TestTheLink:
    @pytest.fixture
    def token(self, anna, ask):
        return tokens.ask_token(ask(anna).pk)

    def test_again_is_harmless(self, anna, token, now):
        first, second = confirm(token=token, now=now), confirm(token=token, now=now + MINUTE)
        assert first.is_done
        assert second.is_done
        assert asked_by(token, now=now + 30 * DAY).is_done, "it says what holds, however late"
        assert said(anna) == [("asked", "marketing", "popup"), ("given", "marketing", "popup")]

    def test_looking_changes_nothing(self, anna, token, now):
        assert asked_by(token, now=now).is_done is False
        assert said(anna) == [("asked", "marketing", "popup")]

    @pytest.mark.parametrize("spoil", ["forged", "another_kind", "expired", "address", "erased", "withdrawn"])
    def test_a_link_that_is_no_good_is_nothing(self, anna, token, now, by, spoil):
        at = now + MINUTE
        match spoil:
            case "forged":
                token = token[:-1] + ("A" if token[-1] != "A" else "B")
            case "another_kind":
                token = tokens.code_token(tokens.read_ask_token(token))
            case "expired":
                at = now + LASTS
            case "address":
                Customer.objects.update(email="new@example.com")
            case "erased":
                Customer.objects.update(erased_at=now)
            case "withdrawn":
                withdraw_consent(customer_id=anna.pk, channel="email", purpose="marketing", source="x", now=now, by=by)
        assert (asked_by(token, now=at), confirm(token=token, now=at)) == (None, None)
        assert not Consent.objects.filter(event="given").exists()

    def test_the_last_moment_is_good(self, anna, token, now):
        assert confirm(token=token, now=now + LASTS - dt.timedelta(seconds=1)).is_done

    def test_after_she_left_again_an_old_link_brings_nothing_back(self, anna, token, now, by):
        confirm(token=token, now=now)
        unsubscribe(token=tokens.customer_token(anna.public_id, "email"), now=now + MINUTE)
        assert confirm(token=token, now=now + 2 * MINUTE) is None
        assert not is_given(anna)

    def test_a_no_that_is_told_late_still_wins(self, anna, token, now, by):
        """She told the shop at ten, clicked at eleven, and the shop tells us at noon."""
        confirm(token=token, now=now + 60 * MINUTE)
        told = {"channel": "email", "purpose": "marketing", "source": "phone", "now": now + 120 * MINUTE, "by": by}
        withdraw_consent(customer_id=anna.pk, **told, occurred_at=now - MINUTE)
        assert is_given(anna), "that no was older than the ask"
        withdraw_consent(customer_id=anna.pk, **told, occurred_at=now + MINUTE)
        assert not is_given(anna)

    def test_leaving_ends_an_ask_also_where_nothing_was_given(self, anna, token, ask, now):
        link = tokens.customer_token(anna.public_id, "email")
        unsubscribe(token=link, now=now)
        newer = tokens.ask_token(ask(anna, at=now + MINUTE).pk)
        unsubscribe(token=link, now=now + 2 * MINUTE)
        assert confirm(token=newer, now=now + 3 * MINUTE) is None

    def test_stopping_everything_ends_every_ask(self, anna, token, ask, now):
        topic = tokens.ask_token(ask(anna, purpose="topic:new-teas").pk)
        assert stop_everything(token=tokens.customer_token(anna.public_id, "email"), now=now)
        assert (confirm(token=token, now=now), confirm(token=topic, now=now)) == (None, None)

    def test_a_queued_mail_does_not_leave_once_it_is_answered(self, anna, token, smtp, now, by):
        queue_confirmations(now=now, by=by)
        withdraw_consent(customer_id=anna.pk, channel="email", purpose="marketing", source="x", now=now, by=by)
        skipped = send_due(now=now, worker="test", transactional=True)["skipped"]
        assert skipped == {"messaging.nothing_to_confirm": 1}
        assert not smtp.messages

    def test_it_does_not_leave_to_another_address(self, anna, token, smtp, now, by):
        queue_confirmations(now=now, by=by)
        Customer.objects.update(email="new@example.com")
        assert send_due(now=now, worker="test", transactional=True)["sent"] == 0
        assert not smtp.messages

    def test_the_end_that_was_asked_with_it_holds_after_the_click(self, anna, ask, now, by):
        token = tokens.ask_token(ask(anna, expires_at=now + 30 * DAY).pk)
        confirm(token=token, now=now)
        assert ConsentState.objects.get().expires_at == now + 30 * DAY


class TestTheShopsSetting:
    @pytest.fixture(autouse=True)
    def double_opt_in(self, shop):
        Shop.objects.update(has_double_opt_in=True)

    def test_a_yes_without_proof_is_only_asked(self, anna, now, by):
        give_consent(customer_id=anna.pk, channel="email", purpose="marketing", source="form", now=now, by=by)
        (one,) = consents_of(anna, now=now)
        assert (one.is_given, one.asked_at, one.occurred_at) == (False, now, None)
        assert said(anna) == [("asked", "marketing", "form")]

    @pytest.mark.parametrize(
        "said_with", [{"proof": "Form 7, signed"}, {"channel": "post"}, {"purpose": "transactional"}]
    )
    def test_what_is_proved_or_cannot_be_asked_by_mail_is_believed(self, anna, now, by, said_with):
        told = {"channel": "email", "purpose": "marketing", "source": "form", **said_with}
        give_consent(customer_id=anna.pk, **told, now=now, by=by)
        assert ConsentState.objects.get().is_given

    def test_a_no_is_believed(self, anna, now, by):
        withdraw_consent(customer_id=anna.pk, channel="email", purpose="marketing", source="x", now=now, by=by)
        assert ConsentState.objects.get().is_given is False


class TestAnEnd:
    @pytest.fixture
    def given(self, anna, now, by):
        told = {"channel": "email", "purpose": "marketing", "source": "contest"}
        give_consent(customer_id=anna.pk, **told, expires_at=now + DAY, now=now, by=by)
        return anna

    def test_nothing_leaves_from_that_moment_on_even_before_anybody_wrote_it_down(self, given, template, smtp, now):
        from_now = [now, now + DAY]
        for number, at in enumerate(from_now):
            _queue(template() if number == 0 else Template.objects.get(), given, number, at)
        assert send_due(now=now, worker="test")["sent"] == 1
        assert send_due(now=now + DAY, worker="test")["skipped"] == {"messaging.no_consent": 1}
        assert len(smtp.messages) == 1

    def test_then_it_is_written_down_once(self, given, now):
        never = lambda _done, _total: None  # noqa: E731
        assert end_consents(now=now + DAY - MINUTE, progress=never) == 0
        assert end_consents(now=now + DAY + MINUTE, progress=never) == 1
        assert end_consents(now=now + 2 * DAY, progress=never) == 0
        state = ConsentState.objects.get()
        assert (state.is_given, state.occurred_at, state.expires_at) == (False, now + DAY, now + DAY)
        expired = Consent.objects.get(event="expired")
        assert (expired.occurred_at, expired.recorded_at) == (now + DAY, now + DAY + MINUTE)
        assert bytes(expired.address_hash) == bytes(Consent.objects.get(event="given").address_hash)

    def test_a_new_yes_begins_anew(self, given, now, by):
        end_consents(now=now + DAY, progress=lambda _done, _total: None)
        later = now + 2 * DAY
        give_consent(customer_id=given.pk, channel="email", purpose="marketing", source="x", now=later, by=by)
        state = ConsentState.objects.get()
        assert (state.is_given, state.expires_at) == (True, None)

    def test_the_database_refuses_an_end_before_the_beginning(self, anna, now):
        with pytest.raises(IntegrityError), transaction.atomic():
            Consent.objects.create(
                customer=anna, channel="email", purpose="marketing", event="given", address_hash=b"x", source="x",
                occurred_at=now, expires_at=now, recorded_at=now,
            )  # fmt: skip


def _queue(template, customer, number, at):
    queue(template_id=template.pk, origin="test.row", messages=[Message(number, customer.pk)], now=at)
