"""What strangers learn of codes that do not work: nothing, and not for long."""

import datetime as dt
import json
import uuid

import pytest

from retention.actors import Actor
from retention.doors import tries
from retention.doors.keys import create_key
from retention.incentives import decisions, operations, public_door
from retention.incentives.models import Code
from retention.refusals import Refused
from retention.work.models import Alert
from tests.incentives.conftest import BY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop", "empty_tries", "at_noon")]
SCOPES = ("incentives:redeem", "incentives:read")
BASKET = {"currency": "EUR", "lines": [{"sku": "a", "quantity": 1, "unit_price_minor": 1000}]}
#: Refusals of decisions that tell no more than a code that works: they are about who and what is at the checkout.
OPEN = {"incentives.customer_unknown"}


@pytest.fixture
def empty_tries():
    valkey = tries._client
    valkey.delete(*valkey.keys("tries:*") or ["none"])
    yield
    valkey.delete(*valkey.keys("tries:*") or ["none"])
    tries._rest["until"] = 0.0


@pytest.fixture
def at_noon(monkeypatch, now):
    monkeypatch.setattr("retention.clock.now", lambda: now)


@pytest.fixture
def ask(client, now):
    """`ask(path, data, is_public=…, address=…)` → (status, body)."""
    by = Actor.command("test")
    secrets = {
        is_public: create_key(
            name=f"key {is_public}", scopes=SCOPES, known=SCOPES, is_public=is_public, now=now, by=by
        ).secret
        for is_public in (True, False)
    }

    def send(path, data=None, *, is_public=True, address=""):
        headers = {"authorization": f"Bearer {secrets[is_public]}", "idempotency-key": uuid.uuid4().hex}
        headers |= {"shopper-address": address} if address else {}
        if data is None:
            response = client.get(f"/api/v1/{path}", headers=headers)
        else:
            response = client.post(
                f"/api/v1/{path}", json.dumps(data), content_type="application/json", headers=headers
            )
        return response.status_code, response.json()

    return send


def wish(code, **more):
    return {"codes": [code], "basket": BASKET, "order_reference": "o1", **more}


def test_every_refusal_of_a_decision_is_secret_or_open():
    found = {
        code
        for code, refused in Refused.by_code.items()
        if refused.__module__ == decisions.__name__ and code.startswith("incentives.")
    }
    assert found - OPEN <= public_door.SECRET
    assert public_door.SECRET <= set(Refused.by_code)


@pytest.fixture
def bad_codes(offer, grant, customers, now):
    """A code of every kind that does not work."""
    mine = offer(name="hers")
    grant(mine, customers[:1], is_given=True)
    pool = offer(name="pool", codes={"kind": "unique", "is_from_pool": True})
    operations.generate_codes(incentive_id=pool.pk, count=1, purpose="pool", source="s", now=now, by=BY)
    stopped = offer(name="stopped", codes={"kind": "public", "text": "STOPPED"})
    operations.stop(incentive_id=stopped.pk, now=now, by=BY)
    over = offer(name="over", codes={"kind": "public", "text": "OVER"}, validity={"ends_at": now})
    hers, free = Code.objects.get(incentive=mine), Code.objects.get(incentive=pool)
    return ["NOSUCHCODE", "!", hers.code, free.code, "STOPPED", Code.objects.get(incentive=over).code]


@pytest.mark.parametrize("door", ["validations/", "redemptions/"])
def test_all_bad_codes_have_one_answer(ask, bad_codes, door):
    seen = {json.dumps(ask(door, wish(code, customer={"email": "x@example.com"}))) for code in bad_codes}
    (answer,) = seen
    status, body = json.loads(answer)
    assert (status, body["code"], body["params"]) == (404, "incentives.code_not_valid", {})
    # A back office reads what is the matter.
    other = {"email": "y@example.com"}
    reasons = [ask("redemptions/", wish(code, customer=other), is_public=False)[1]["code"] for code in bad_codes]
    assert reasons == [
        "incentives.no_such_code",
        "incentives.no_such_code",
        "incentives.other_customer",
        "incentives.code_not_given",
        "incentives.stopped",
        "incentives.code_expired",
    ]


def test_what_is_wrong_with_the_basket_is_said_to_everybody(ask, offer):
    minimum = {"kind": "minimum_amount", "amounts": {"EUR": 5000}}
    offer(codes={"kind": "public", "text": "SAVE20"}, conditions=[minimum])
    status, body = ask("validations/", wish("SAVE20"))
    assert (status, body["unused"][0]["reasons"][0]["code"]) == (200, "incentives.below_minimum")
    assert ask("redemptions/", wish("SAVE20"))[1]["code"] == "incentives.below_minimum"


@pytest.mark.parametrize("hint", [{"customer": {"email": "x@example.com"}}, {"address": "203.0.113.7"}])
def test_a_guesser_is_stopped_and_nobody_else(ask, offer, hint):
    offer(codes={"kind": "public", "text": "SAVE20"})
    address, customer = hint.get("address", ""), {"customer": hint["customer"]} if "customer" in hint else {}
    for n in range(public_door.A_PERSON):
        door = ("validations/", "redemptions/")[n % 2]
        assert ask(door, wish(f"GUESS{n}", **customer), address=address)[0] == 404
    status, body = ask("validations/", wish("SAVE20", **customer), address=address)
    assert (status, body["code"]) == (429, "api.too_many_tries"), "the right code does not help her now"
    assert ask("redemptions/", wish("SAVE20", **customer), address=address)[0] == 429
    other = {"customer": {"email": "y@example.com"}}
    assert ask("validations/", wish("SAVE20", **other), address="203.0.113.8")[0] == 200
    assert ask("validations/", wish("SAVE20", **customer), is_public=False)[0] == 200


def test_ten_minutes_later_she_may_again(ask, offer, monkeypatch, now):
    offer(codes={"kind": "public", "text": "SAVE20"})
    for n in range(public_door.A_PERSON):
        ask("validations/", wish(f"GUESS{n}"), address="203.0.113.7")
    assert ask("validations/", wish("SAVE20"), address="203.0.113.7")[0] == 429
    monkeypatch.setattr("retention.clock.now", lambda: now + dt.timedelta(seconds=tries.WINDOW))
    assert ask("validations/", wish("SAVE20"), address="203.0.113.7")[0] == 200


def test_a_whole_key_that_guesses_is_told_of_and_stopped(ask, offer, monkeypatch):
    monkeypatch.setattr(public_door, "A_KEY", 3)
    offer(codes={"kind": "public", "text": "SAVE20"})
    for n in range(3):
        assert not Alert.objects.exists()
        assert ask(f"codes/GUESS{n}/", is_public=True)[0] == 404
    alert = Alert.objects.get()
    assert (alert.kind, alert.level) == ("incentives.guessing", "urgent")
    assert "key True" in alert.text
    assert ask("codes/SAVE20/")[0] == 429
    assert ask("codes/SAVE20/", is_public=False)[0] == 200


def test_a_good_code_never_counts(ask, offer):
    offer(codes={"kind": "public", "text": "SAVE20"})
    for _ in range(public_door.A_PERSON + 2):
        assert ask("validations/", wish("SAVE20", customer={"email": "x@example.com"}))[0] == 200
    assert tries._client.keys("tries:*") == []


def test_without_valkey_nobody_is_refused(ask, offer, monkeypatch):
    offer(codes={"kind": "public", "text": "SAVE20"})
    gone = tries.redis.Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.1)
    monkeypatch.setattr(tries, "_client", gone)
    assert ask("validations/", wish("NOSUCH"))[1]["code"] == "incentives.code_not_valid"
    assert ask("validations/", wish("SAVE20"))[0] == 200
