"""Public pages: what a scanner, a mail provider, a customer and a stranger get."""

import datetime as dt

import pytest
from django.test import Client

from retention import clock
from retention.actors import Actor
from retention.customers.models import Consent, ConsentState, Customer
from retention.customers.operations import ask_consent, give_consent
from retention.incentives.models import Code
from retention.incentives.operations import create_incentive, go_live, grant
from retention.incentives.pictures import PICTURES
from retention.incentives.rules import IncentiveRule
from retention.messaging import tokens
from retention.messaging.models import Delivery, Topic
from retention.messaging.operations import Message, create_template, queue, send_due
from retention.shop.models import Shop

pytestmark = pytest.mark.django_db

EARLIER = dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC)
BY = Actor.command("test")


@pytest.fixture
def shop(db):
    return Shop.objects.create(name="Tea & Co", time_zone="UTC", currency="EUR", languages=["en"])


@pytest.fixture
def anna(shop):
    customer = Customer.objects.create(email="anna@example.com", given_name="Anna", recorded_at=EARLIER)
    give_consent(customer_id=customer.pk, channel="email", purpose="marketing", source="test", now=EARLIER, by=BY)
    customer.refresh_from_db()
    return customer


@pytest.fixture
def link(anna):
    return f"/u/{tokens.customer_token(anna.public_id, 'email')}"


@pytest.fixture
def stranger():
    """A client as strict as the world: forged forms are refused where they must be, and no cookie is known."""
    return Client(enforce_csrf_checks=True)


def is_given(customer, purpose="marketing"):
    return ConsentState.objects.filter(customer=customer, purpose=purpose, is_given=True).exists()


def test_looking_changes_nothing(stranger, link, anna):
    for method in (stranger.get, stranger.head):
        answer = method(link)
        assert answer.status_code == 200
    assert "Stop these mails?" in stranger.get(link).content.decode()
    assert is_given(anna)
    assert Consent.objects.count() == 1


def test_one_click_stops_mail_at_once_and_twice_is_once(stranger, link, anna):
    for _again in range(2):
        answer = stranger.post(link, {"List-Unsubscribe": "One-Click"})
        assert (answer.status_code, answer.content, answer.cookies.output()) == (200, b"OK", "")
    assert not is_given(anna)
    events = list(Consent.objects.order_by("id").values_list("event", "source"))
    assert events == [("given", "test"), ("withdrawn", "unsubscribe")]


def test_the_buttons_page_says_it_is_done(stranger, link, anna):
    answer = stranger.post(link)
    assert "From now on Tea &amp; Co sends no more marketing mail" in answer.content.decode()
    assert not is_given(anna)


def test_a_queued_mail_does_not_leave_after_the_click(stranger, link, anna, smtp, now):
    words = {"en": {"subject": "Hi", "body": "<mj-text>Hi</mj-text>"}}
    template = create_template(name="Hi", words=words, now=now, by=BY)
    queue(template_id=template.pk, origin="test.row", messages=[Message(1, anna.pk)], now=now)
    stranger.post(link, {"List-Unsubscribe": "One-Click"})
    assert send_due(now=now, worker="test")["skipped"] == {"messaging.no_consent": 1}
    assert Delivery.objects.get().state == "suppressed"
    assert not smtp.messages


def test_a_strangers_token_gets_the_same_answers_and_does_nothing(stranger, link, anna):
    for token in ("x", "sample", link[3:-1], link[3:] + "A", tokens.code_token(1)):
        shown = stranger.get(f"/u/{token}").content.decode()
        assert shown.replace(f"/p/{token}", "") == stranger.get(link).content.decode().replace(f"/p/{link[3:]}", "")
        answer = stranger.post(f"/u/{token}", {"List-Unsubscribe": "One-Click"})
        assert (answer.status_code, answer.content) == (200, b"OK")
    assert is_given(anna)


def test_the_page_speaks_the_customers_language(stranger, link, anna):
    Customer.objects.update(language="ko")
    assert 'lang="ko"' in stranger.get(link).content.decode()
    assert "수신 거부" in stranger.get(link).content.decode()
    Customer.objects.update(language="ru-RU")
    assert "Отписаться" in stranger.get(link).content.decode()
    Customer.objects.update(language="")
    assert 'lang="ru"' in stranger.get(link, headers={"accept-language": "ru"}).content.decode()


def test_the_pages_load_nothing_from_anywhere(stranger, link):
    answer = stranger.get(link)
    policy = dict(part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'none'"
    assert policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "no-store" in answer["Cache-Control"]
    assert "<script" not in answer.content.decode()
    assert "style=" not in answer.content.decode()


def test_after_a_merge_the_old_link_stops_mail_to_who_is_left(stranger, link, anna):
    ben = Customer.objects.create(email="ben@example.com", recorded_at=EARLIER)
    give_consent(customer_id=ben.pk, channel="email", purpose="marketing", source="test", now=EARLIER, by=BY)
    Customer.objects.filter(pk=anna.pk).update(merged_into=ben)
    stranger.post(link)
    assert not is_given(ben)


def test_the_forgotten_are_strangers(stranger, link, anna):
    Customer.objects.update(erased_at=EARLIER, email=None)
    assert stranger.post(link).status_code == 200
    assert Consent.objects.count() == 1


def test_preferences_change_exactly_what_was_chosen(stranger, anna, now):
    words = {"en": {"subject": "Hi", "body": "<mj-text>Hi</mj-text>"}}
    create_template(name="News", words=words, topic="new-teas", now=now, by=BY)
    link = f"/p/{tokens.customer_token(anna.public_id, 'email')}"
    page = stranger.get(link).content.decode()
    assert "Offers and news by email" in page
    assert "New teas, by email" in page
    stranger.post(link, {"choice": ["email|marketing", "email|topic:new-teas", "email|topic:nothing-of-ours"]})
    assert is_given(anna)
    assert is_given(anna, "topic:new-teas")
    assert not ConsentState.objects.filter(purpose="topic:nothing-of-ours").exists()
    assert Consent.objects.count() == 2
    stranger.post(link, {"choice": ["email|topic:new-teas"]})
    assert not is_given(anna)
    assert is_given(anna, "topic:new-teas")
    assert list(Consent.objects.order_by("id").values_list("event", "purpose", "source"))[1:] == [
        ("given", "topic:new-teas", "preferences"),
        ("withdrawn", "marketing", "preferences"),
    ]


def test_everything_is_stopped_by_one_button(stranger, anna, now, smtp):
    """Marketing and topics, on every channel; what is queued stays here, and an order's mail still goes."""
    Customer.objects.update(phone="+4915112345678")
    for channel, purpose in (("email", "topic:new-teas"), ("sms", "marketing"), ("email", "transactional")):
        give_consent(customer_id=anna.pk, channel=channel, purpose=purpose, source="test", now=EARLIER, by=BY)
    ask_consent(customer_id=anna.pk, channel="email", purpose="topic:cups", source="test", now=clock.now(), by=BY)
    words = {"en": {"subject": "Hi", "body": "<mj-text>Hi</mj-text>"}}
    for number, category in enumerate(("marketing", "transactional")):
        made = create_template(name=category, words=words, category=category, now=now, by=BY)
        queue(template_id=made.pk, origin="test.row", messages=[Message(number, anna.pk)], now=now)
    link = f"/p/{tokens.customer_token(anna.public_id, 'email')}"
    for _again in range(2):
        page = stranger.post(link, {"stop": "everything", "choice": ["email|marketing"]}).content.decode()
        assert "Everything is stopped" in page
        assert " checked" not in page
    given = ConsentState.objects.filter(is_given=True).values_list("channel", "purpose")
    assert list(given) == [("email", "transactional")]
    stopped = Consent.objects.filter(event="withdrawn").order_by("channel", "purpose")
    assert list(stopped.values_list("channel", "purpose", "source")) == [
        ("email", "marketing", "stop_everything"),
        ("email", "topic:cups", "stop_everything"),
        ("email", "topic:new-teas", "stop_everything"),
        ("sms", "marketing", "stop_everything"),
    ]
    assert send_due(now=now, worker="test")["skipped"] == {"messaging.no_consent": 1}
    assert send_due(now=now, worker="test", transactional=True)["sent"] == 1


def test_a_stranger_stops_nothing(stranger, anna):
    assert stranger.post("/p/forged", {"stop": "everything"}).status_code == 404
    assert is_given(anna)


def test_topics_are_listed_in_her_language(stranger, anna):
    Topic.objects.create(key="new-teas", names={"en": "New teas", "ko": "새로 나온 차"})
    Topic.objects.create(key="old", names={"en": "Old"}, archived_at=EARLIER)
    link = f"/p/{tokens.customer_token(anna.public_id, 'email')}"
    assert "New teas, by email" in stranger.get(link).content.decode()
    Customer.objects.update(language="ko")
    page = stranger.get(link).content.decode()
    assert "새로 나온 차 (이메일)" in page
    assert "이메일로 받는 혜택과 소식" in page
    assert "Old" not in page
    Customer.objects.update(language="")
    assert "Предложения и новости" in stranger.get(link, headers={"accept-language": "ru"}).content.decode()


def test_with_double_opt_in_an_unknown_address_is_asked_first(stranger, shop):
    """Her link was mailed to an address she had before; this one never said anything."""
    Shop.objects.update(has_double_opt_in=True)
    ben = Customer.objects.create(email="ben@example.com", recorded_at=EARLIER)
    link = f"/p/{tokens.customer_token(ben.public_id, 'email')}"
    page = stranger.post(link, {"choice": ["email|marketing"]}).content.decode()
    assert "We have sent you a mail: please press the button in it" in page
    assert not is_given(ben)
    stranger.post(link, {"choice": ["email|marketing"]})
    assert list(Consent.objects.values_list("event", flat=True)) == ["asked"]
    stranger.post(link, {})
    assert list(Consent.objects.order_by("pk").values_list("event", flat=True)) == ["asked", "withdrawn"]


class TestConfirming:
    @pytest.fixture
    def ask(self, anna):
        Customer.objects.update(email="new@example.com")
        asked = {"channel": "email", "purpose": "marketing", "source": "form"}
        ask_consent(customer_id=anna.pk, **asked, now=clock.now(), by=BY)
        return Consent.objects.get(event="asked")

    def test_looking_changes_nothing_and_the_button_confirms(self, stranger, ask):
        link = f"/c/{tokens.ask_token(ask.pk)}"
        for method in (stranger.get, stranger.head):
            assert method(link).status_code == 200
        page = stranger.get(link)
        assert "Is this what you want?" in page.content.decode()
        assert "Offers and news by email" in page.content.decode()
        assert Consent.objects.filter(event="given").count() == 1, "the one for her old address"
        for _again in range(2):
            done = stranger.post(link)
            assert (done.status_code, done.cookies.output()) == (200, "")
            assert "Thank you, it is confirmed" in done.content.decode()
        assert Consent.objects.filter(event="given").count() == 2
        assert ConsentState.objects.get().address == "new@example.com"

    def test_it_loads_nothing_from_anywhere_and_is_not_kept(self, stranger, ask):
        page = stranger.get(f"/c/{tokens.ask_token(ask.pk)}")
        assert "script-src 'none'" in page["Content-Security-Policy"]
        assert "no-store" in page["Cache-Control"]
        assert page["X-Robots-Tag"] == "noindex"

    def test_every_bad_link_gets_one_answer(self, stranger, ask, anna):
        good = tokens.ask_token(ask.pk)
        answers = {
            (answer.status_code, answer.content)
            for token in (good[:-1] + "A", "x", tokens.ask_token(ask.pk + 1), tokens.code_token(ask.pk))
            for answer in (stranger.get(f"/c/{token}"), stranger.post(f"/c/{token}"))
        }
        Customer.objects.update(language="ko", email="third@example.com")
        answers |= {(a.status_code, a.content) for a in (stranger.get(f"/c/{good}"), stranger.post(f"/c/{good}"))}
        assert len(answers) == 1
        ((status, content),) = answers
        assert status == 404
        assert "This link no longer works" in content.decode()
        assert not is_given(anna) or ConsentState.objects.get().address == "anna@example.com"


def test_preferences_of_a_stranger_are_nowhere(stranger, anna):
    answer = stranger.get("/p/forged")
    assert answer.status_code == 404
    assert "This link does not work" in answer.content.decode()
    assert stranger.post("/p/forged", {"choice": ["email|marketing"]}).status_code == 404


def test_the_picture_of_a_code(stranger, anna, now):
    rule = IncentiveRule.model_validate({"name": "Ten off", "effects": [{"kind": "percent", "basis_points": 1000}]})
    incentive = create_incentive(rule=rule, now=now, by=BY)
    go_live(incentive_id=incentive.pk, now=now, by=BY)
    grant(
        incentive_id=incentive.pk,
        sources=["a"],
        customer_ids=[anna.pk],
        origin="test.row",
        origin_ids=[1],
        now=now,
        by=BY,
    )
    code = Code.objects.get()
    answer = stranger.get(f"/q/{tokens.code_token(code.pk)}.png")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert answer["Cache-Control"] == "public, max-age=86400, immutable"
    assert answer.content.startswith(b"\x89PNG")
    assert not answer.cookies
    assert code.code not in f"/q/{tokens.code_token(code.pk)}.png"
    assert answer.content != stranger.get("/q/sample.png").content
    for bad in ("x", tokens.code_token(code.pk + 1), tokens.customer_token(anna.public_id, "email")):
        assert stranger.get(f"/q/{bad}.png").status_code == 404
        assert stranger.get(f"/b/{bad}.png").status_code == 404
    bars = stranger.get(f"/b/{tokens.code_token(code.pk)}.png")
    assert bars.content == PICTURES["barcode", "png"](code.code)
    assert stranger.get("/b/sample.png").content not in (bars.content, stranger.get("/q/sample.png").content)
