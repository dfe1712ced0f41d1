"""Schemes, links, visits and referrals over HTTP with a real key: a whole referral, and every no with its code."""

import uuid

import pytest
import time_machine

from referrals.endpoints import LAUNCH, READ, REFER, REVIEW, WRITE
from referrals.models import Advocate
from retention.doors.keys import create_key
from retention.incentives.models import Code
from tests.referrals.conftest import BY, days

pytestmark = pytest.mark.django_db
NOBODY = "00000000-0000-7000-8000-000000000001"
SCOPES = (READ, WRITE, LAUNCH, REFER, REVIEW)


@pytest.fixture(autouse=True)
def the_present(now):
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def ask(client, shop, kinds, now):
    """Ask the API: `ask("referrals/")` reads, `ask("referrals/", {…})` posts → (status, body)."""
    secret = create_key(name="shop", scopes=SCOPES, known=SCOPES, now=now, by=BY).secret

    def send(path, body=None, *, method=None, key=None):
        headers = {"authorization": f"Bearer {secret}", "idempotency-key": key or uuid.uuid4().hex}
        method = method or ("get" if body is None else "post")
        sent = {} if method == "get" else {"data": body or {}, "content_type": "application/json"}
        answer = getattr(client, method)(f"/api/v1/{path}", headers=headers, **sent)
        return answer.status_code, answer.json()

    return send


def test_a_scheme_is_made_launched_and_brings_a_friend(ask, offer, customer, now, settings):
    settings.BASE_URL = "https://retention.example.com"
    anna = str(customer("anna", now - days(400), given_name="Anna").public_id)
    friend = customer("friend", email="friend@mailinator.com")
    rule = {
        "names": {"en": "Friends"},
        "friend_incentive": str(offer("Welcome").public_id),
        "levels": [{"incentive_id": str(offer("Thanks").public_id)}],
        "review_from": 50,
        "texts": [{"channel": "sms", "texts": {"en": "{{ advocate.first_name }}: {{ referral_link }}"}}],
    }
    status, scheme = ask("referrals/schemes/", {"key": "friends", "rule": rule})
    assert (status, scheme["state"], scheme["rule"]["levels"][0]["from_count"]) == (201, "draft", 1)
    assert scheme["rule"]["friend_incentive"] == rule["friend_incentive"]
    at = f"referrals/schemes/{scheme['id']}/"
    status, saved = ask(at, {"edited": 1, "rule": {**scheme["rule"], "hold_days": 3}}, method="put")
    assert (status, saved["version"], saved["rule"]["hold_days"]) == (200, 2, 3)
    assert ask(f"{at}launch/", method="post")[1]["state"] == "live"

    status, link = ask("referrals/links/", {"customer": anna})
    assert (status, link["id"]) == (200, str(Advocate.objects.get().public_id))
    url = f"https://retention.example.com/r/{link['code']}"
    assert (link["link"], link["friend_gets"]) == (url, "10% off")
    assert [share["text"] for share in link["shares"]] == [f"Anna: {url}?via=sms"]
    status, opened = ask(f"{at}advocates/", {"customers": [anna, NOBODY]})
    hers = {"customer": anna, "id": link["id"], "code": link["code"], "link": url}
    assert (status, opened) == (200, {"new": 0, "advocates": [hers]})

    status, visit = ask("referrals/visits/", {"code": link["code"], "visitor_key": "v1", "channel": "sms"})
    assert (status, visit["advocate"], visit["friend_gets"]) == (201, link["id"], "10% off")
    body = {
        "code": link["code"].lower(),
        "customer": str(friend.public_id),
        "visitor_key": "v1",
        "network": "192.0.2.7",
    }
    status, brought = ask("referrals/", body, key="once")
    assert (status, brought["state"], brought["friend"]) == (201, "review", str(friend.public_id))
    assert ask("referrals/", body, key="once")[1]["id"] == brought["id"]
    assert ask("referrals/", body) == (409, ask("referrals/", body)[1])
    assert ask("referrals/", body)[1]["code"] == "referrals.friend_counted"

    assert [row["id"] for row in ask("referrals/?state=review&scheme=friends")[1]["items"]] == [brought["id"]]
    status, fine = ask(f"referrals/{brought['id']}/approve/", {"why": "met her"})
    assert (status, fine["state"], fine["friend_code"]) == (200, "pending", Code.objects.get(customer=friend).code)
    assert [step["state"] for step in fine["steps"]] == ["claimed", "review", "pending"]
    assert fine["steps"][1]["reasons"][0]["sentence"]
    assert ask(f"referrals/{brought['id']}/approve/", {})[1]["code"] == "referrals.not_in_review"
    status, row = ask(f"referrals/advocates/{link['id']}/")
    assert (status, row["visits"], row["referred"], row["waiting"], row["rewarded"]) == (200, 1, 1, 1, 0)
    assert (row["customer"], ask(f"referrals/advocates/?customer={anna}")[1]["items"]) == (anna, [row])
    assert ask(f"referrals/advocates/?customer={NOBODY}")[1]["items"] == []
    assert ask(f"referrals/{brought['id']}/reject/", {})[1]["state"] == "rejected"
    status, report = ask("referrals/report/?scheme=friends&running_minor=3000")
    assert (status, report["funnel"]["friends"], report["funnel"]["rejected"], report["k"]) == (200, 1, 1, 0.0)
    assert (report["cost_per_customer_minor"], report["difference"]["low_minor"]) == (None, None)
    assert (report["months"][-1]["month"], report["leaders"][0]["code"]) == (f"{now:%Y-%m}-01", link["code"])
    for verb, state in (("pause", "paused"), ("resume", "live"), ("end", "ended")):
        assert ask(f"{at}{verb}/", method="post")[1]["state"] == state
    assert ask("referrals/visits/", {"code": link["code"]})[1]["code"] == "referrals.not_live"


def test_every_no_has_its_code(ask, offer, customer):
    anna = str(customer("anna").public_id)
    made = ask("referrals/schemes/", {"key": "one", "rule": {"names": {"en": "F"}, "friend_incentive": "x"}})
    assert (made[0], made[1]["code"]) == (422, "referrals.unknown_part")
    status, wrong = ask("referrals/schemes/", {"key": "one", "rule": {"names": {"en": "F"}, "hold_days": -1}})
    assert (status, {error["pointer"] for error in wrong["errors"]}) == (422, {"/rule/hold_days"})
    assert ask(f"referrals/schemes/{NOBODY}/")[1]["code"] == "referrals.no_such_scheme"
    assert ask(f"referrals/advocates/{NOBODY}/")[1]["code"] == "referrals.no_such_advocate"
    assert ask("referrals/report/?scheme=nowhere")[1]["code"] == "referrals.no_such_scheme"
    assert ask("referrals/report/?first=2026-05-02&last=2026-05-01")[1]["code"] == "referrals.bad_report"
    assert ask(f"referrals/{NOBODY}/")[1]["code"] == "referrals.no_such_referral"
    assert ask("referrals/links/", {"customer": anna})[1]["code"] == "referrals.no_such_scheme"
    assert ask("referrals/links/", {"customer": NOBODY})[1]["code"] == "customers.no_such_customer"
    assert ask("referrals/", {"code": "NOSUCH", "customer": anna})[1]["code"] == "referrals.no_such_advocate"
