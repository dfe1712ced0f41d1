"""Behind a personal link: what a friend, a machine, an old customer and a stranger get."""

import re

import pytest
from django.test import Client

from referrals import operations
from referrals.models import Referral, Visit
from retention.customers.models import Consent, Customer
from retention.messaging.models import Delivery
from retention.messaging.operations import ensure_ready_templates
from tests.referrals.conftest import *  # noqa: F403
from tests.referrals.conftest import BY, days

pytestmark = pytest.mark.django_db
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def friend(empty_cache):
    return Client(enforce_csrf_checks=True, headers={"user-agent": BROWSER, "accept-language": "en"})


@pytest.fixture
def link(scheme, advocate, customer, now):
    made = scheme()
    ensure_ready_templates(now=now, by=BY)
    return f"/r/{advocate(made, customer('anna', now - days(400), given_name='Anna'))[0]}"


def visitor_in(answer):
    return re.search(r'name="visitor" value="([^"]+)"', answer.content.decode())[1]


def send(client, link, email, **more):
    return client.post(link, {"visitor": visitor_in(client.get(link)), "email": email, **more})


def test_a_friend_is_shown_the_offer_and_mailed_her_code(friend, link):
    answer = friend.get(f"{link}?via=sms")
    page = answer.content.decode()
    assert (answer.status_code, answer["X-Robots-Tag"], answer.cookies) == (200, "noindex", {})
    assert "Anna" in page
    assert "10% off" in page
    assert (Visit.objects.get().channel, Visit.objects.get().device) == ("sms", None)
    answer = friend.post(link, {"visitor": visitor_in(answer), "email": " New@example.com "})
    assert (answer.status_code, b"look into your mail" in answer.content) == (200, True)
    new = Customer.objects.get(email_normal="new@example.com")
    brought = Referral.objects.get()
    assert (brought.friend, brought.state, brought.visit, new.source) == (
        new,
        "pending",
        Visit.objects.get(),
        "referral",
    )
    told = Delivery.objects.get()
    assert (told.customer, told.grant_id, told.is_transactional) == (new, brought.friend_grant_id, True)
    assert brought.friend_grant.code.code not in answer.content.decode()
    assert not Consent.objects.exists()


def test_news_are_asked_for_by_a_mail_of_their_own(friend, link):
    send(friend, link, "new@example.com", news="yes")
    asked = Consent.objects.get()
    assert (asked.event, asked.channel, asked.purpose, asked.source) == ("asked", "email", "marketing", "referral page")


def test_nobody_learns_whose_address_the_shop_knows(friend, link, customer, order, now):
    order(customer("old", now - days(300)), now - days(200))
    new, old = send(friend, link, "new@example.com"), send(friend, link, "old@example.com")
    assert (new.status_code, new.content) == (old.status_code, old.content)
    assert dict(Referral.objects.values_list("friend__email", "state")) == {
        "new@example.com": "pending", "old@example.com": "rejected",
    }  # fmt: skip
    assert Delivery.objects.count() == 1
    again = send(friend, link, "new@example.com")
    assert (again.content, Referral.objects.count(), Delivery.objects.count()) == (new.content, 2, 1)


def test_a_wrong_email_is_said_and_a_forged_visitor_is_nothing(friend, link):
    answer = send(friend, link, "no address")
    assert (answer.status_code, b"name@example.com" in answer.content) == (422, True)
    assert friend.post(link, {"visitor": "forged", "email": "new@example.com"}).status_code == 404
    assert Customer.objects.filter(source="referral").count() == 0


def test_machines_and_previews_make_no_visit(link, empty_cache):
    preview = Client(headers={"user-agent": "facebookexternalhit/1.1"})
    assert preview.get(link).status_code == 200
    assert Client(headers={"user-agent": BROWSER}).head(link).status_code == 200
    assert Visit.objects.count() == 0


def test_a_program_that_sends_many_addresses_is_stopped(friend, link):
    visitor = visitor_in(friend.get(link))
    answers = [friend.post(link, {"visitor": visitor, "email": f"n{n}@example.com"}).status_code for n in range(22)]
    assert answers == [200] * 20 + [429] * 2
    assert Referral.objects.count() == 20


def test_a_stranger_a_paused_scheme_and_a_language(friend, link, now):
    assert friend.get("/r/NOSUCHCODE").status_code == 404
    korean = Client(headers={"user-agent": BROWSER, "accept-language": "ko"}).get(link).content.decode()
    assert '<html lang="ko">' in korean
    assert "친구가 보낸 선물" in korean
    scheme = Referral.scheme.field.related_model.objects.get()
    operations.pause_scheme(scheme_id=scheme.pk, now=now, by=BY)
    over = friend.get(link)
    assert (over.status_code, b"This offer is over" in over.content) == (410, True)


def test_a_link_that_leads_to_the_shop_brings_it_a_visitors_key(friend, scheme, advocate, customer, now):
    landing = {"leads_to": "shop", "shop_url": "https://shop.example.com/hello?lang=en"}
    (code,) = advocate(scheme(landing=landing), customer("anna", now - days(400)))
    answer = friend.get(f"/r/{code}")
    visit = Visit.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == f"https://shop.example.com/hello?lang=en&referral={code}&visitor={visit.visitor_key}"


def test_a_schemes_own_words_are_shown_by_language_and_escaped(friend, scheme, advocate, customer, now):
    landing = {"titles": {"en": "Hi <b>you</b>"}, "texts": {"en": "Come in", "ko": "어서 오세요"}}
    (code,) = advocate(scheme(landing=landing), customer("anna", now - days(400)))
    page = friend.get(f"/r/{code}").content.decode()
    assert "Hi &lt;b&gt;you&lt;/b&gt;" in page
    assert "Come in" in page


def test_where_a_friend_is_given_nothing_no_code_is_promised(friend, scheme, advocate, customer, now):
    made = scheme(friend_incentive=None)
    link = f"/r/{advocate(made, customer('anna', now - days(400), given_name='Anna'))[0]}"
    page = friend.get(link).content.decode()
    assert "A friend recommends" in page
    assert "code" not in page
    sent = send(friend, link, "new@example.com").content.decode()
    assert "Welcome to" in sent
    assert "code" not in sent
    assert Referral.objects.get().state == "pending"


def test_a_preview_in_a_chat_is_no_visit(friend, link):
    for name in (
        "WhatsApp/2.23.20.0", "TelegramBot (like TwitterBot)", "facebookexternalhit/1.1; kakaotalk-scrap/1.0;",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "Mozilla/5.0 (compatible; Discordbot/2.0)",
        "Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)", "SkypeUriPreview Preview/0.5",
    ):  # fmt: skip
        assert friend.get(link, headers={"user-agent": name}).status_code == 200
    assert not Visit.objects.exists()
    # The program inside which a person reads is no preview.
    friend.get(link, headers={"user-agent": f"{BROWSER} KAKAOTALK 10.4.5"})
    assert Visit.objects.count() == 1


def test_addresses_that_nobody_could_keep_are_said_to_be_wrong(friend, link):
    for email in (
        f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 63}.com",
        "=cmd|'/c calc'!A1",
        "a@b@example.com",
        "a" * 9_999,
    ):
        assert send(friend, link, email).status_code == 422, email
    assert not Referral.objects.exists()
    for email in ("=cmd+x@example.com", "ann@\u0130stanbul.com", "ANN@\u0130stanbul.com"):
        assert send(friend, link, email).status_code == 200, email
    assert Referral.objects.count() == 2
