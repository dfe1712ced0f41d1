"""The abuse report: who used most, who is one person, which codes are refused; read-only and bounded."""

import json
import uuid

import pytest

from retention.actors import Actor
from retention.customers.models import Order
from retention.doors import tallies
from retention.doors.keys import create_key
from retention.incentives import operations
from retention.incentives.baskets import Line
from retention.incentives.checkouts import Buyer, Checkout
from tests.console.conftest import as_role, person

__all__ = ["as_role", "person"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop", "empty_tallies", "at_noon")]
PAGE = "/admin/incentives/redemption/abuse/"


@pytest.fixture
def empty_tallies():
    tallies._client.delete(*tallies._client.keys("tally:*") or ["none"])
    yield
    tallies._client.delete(*tallies._client.keys("tally:*") or ["none"])


@pytest.fixture
def at_noon(monkeypatch, now):
    monkeypatch.setattr("retention.clock.now", lambda: now)


@pytest.fixture
def buy(offer, now):
    offer(name="Sale", codes={"kind": "public", "text": "SALE"})

    def redeem(customer, **more):
        buyer = Buyer(reference=customer.reference, **more)
        key = uuid.uuid4().hex
        operations.redeem(
            source=key,
            request_hash=b"x" * 32,
            codes=["SALE"],
            checkout=Checkout(currency="EUR", lines=(Line("a", 1, 1000),), buyer=buyer, order_reference=key),
            now=now,
        )

    return redeem


def test_who_used_most_and_who_is_one_person(as_role, buy, customers):
    ann, ben, cleo, *_others = customers
    for _time in range(3):
        buy(ann)
    buy(ben, phone="+49 30 1234", payment_token="card-1")
    buy(cleo, phone="0049 30 1234", payment_token="card-1")
    report = as_role("analyst").get(PAGE)
    assert report.status_code == 200
    most = [(row["customers"], row["uses"], row["saved"]) for row in report.context["most"]]
    assert most[0] == ((ann,), 3, "6.00 EUR")
    assert {row[0] for row in most[1:]} == {(ben,), (cleo,)}
    # The same two by phone and by card are told once.
    assert [(row["customers"], row["uses"]) for row in report.context["shared"]] == [((ben, cleo), 2)]
    assert "No code was refused" in report.content.decode()
    assert not Order.objects.exists(), "looking writes nothing"


def test_refused_codes_are_told_with_their_reason(as_role, client, offer, now):
    offer(name="Old", codes={"kind": "public", "text": "OLD"}, validity={"ends_at": now})
    scopes = ["incentives:redeem"]
    secret = create_key(name="shop", scopes=scopes, known=scopes, now=now, by=Actor.command("test")).secret
    basket = {"currency": "EUR", "lines": [{"sku": "a", "quantity": 1, "unit_price_minor": 1000}]}

    def ask(door, *codes):
        headers = {"authorization": f"Bearer {secret}", "idempotency-key": uuid.uuid4().hex}
        body = {"codes": codes, "basket": basket, "order_reference": "o1"}
        client.post(f"/api/v1/{door}/", json.dumps(body), content_type="application/json", headers=headers)

    for _time in range(2):
        ask("redemptions", "old")
    ask("validations", "OLD")
    ask("redemptions", "NOSUCH")
    page = as_role("marketer").get(PAGE)
    (row,) = page.context["refused"]
    assert (row["code"].code, row["why"], row["times"]) == ("OLD", "code expired", 3)
    assert "NOSUCH" not in page.content.decode()
    assert b"NOSUCH" not in b"".join(tallies._client.zrange(key, 0, -1)[0] for key in tallies._client.keys("tally:*"))


def test_an_outage_of_valkey_leaves_the_rest(as_role, buy, customers, monkeypatch):
    buy(customers[0])
    gone = tallies.redis.Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.1)
    with monkeypatch.context() as patched:
        patched.setattr(tallies, "_client", gone)
        page = as_role("analyst").get(PAGE)
    assert len(page.context["most"]) == 1
    assert page.context["refused"] == []
