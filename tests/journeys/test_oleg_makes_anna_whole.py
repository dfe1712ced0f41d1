"""Oleg makes Anna whole: through the desk, the mail and the shop's checkout, each by its own door."""

import json
import re
import uuid

import pytest
import time_machine

from retention.actors import Actor
from retention.doors.keys import create_key
from retention.messaging import operations as messaging
from retention.support.models import Compensation
from tests.support.conftest import make_agent, make_shopfloor

pytestmark = pytest.mark.django_db
BASKET = {"currency": "USD", "lines": [{"sku": "LP-1", "quantity": 1, "unit_price_minor": 4_000}]}
ANNA, BORIS = {"email": "anna.meyer@example.com"}, {"email": "boris@example.com"}


@pytest.fixture(autouse=True)
def the_present(now):
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def floor(now):
    return make_shopfloor(now)


@pytest.fixture
def checkout(client, now):
    """The shop's checkout at the HTTP API: `checkout("validations", …)` → (status, answer)."""
    scopes = ("incentives:redeem",)
    secret = create_key(name="checkout", scopes=scopes, known=scopes, now=now, by=Actor.command("test")).secret

    def send(path, **body):
        headers = {"authorization": f"Bearer {secret}", "idempotency-key": uuid.uuid4().hex}
        answer = client.post(f"/api/v1/{path}/", json.dumps(body), content_type="application/json", headers=headers)
        return answer.status_code, answer.json()

    return send


def test_from_the_complaint_to_the_used_coupon(client, floor, checkout, smtp, now):
    client.force_login(make_agent(now), backend="django.contrib.auth.backends.ModelBackend")
    opened = client.get("/admin/sorry/", {"q": "NW-1001"}, follow=True)
    page = opened.redirect_chain[-1][0]
    token = re.search(r'name="token" value="(\w+)"', opened.content.decode())[1]
    client.post(
        page,
        {
            "token": token,
            "reason": floor.reason.pk,
            "about": f"line-{floor.line.pk}",
            "amount": "12",
            "deliver": "send",
        },
    )

    code = Compensation.objects.get().grant.code.code
    messaging.send_due(now=now, worker="test", transactional=True)
    assert code in smtp.messages[0].text("html")

    # Another email tries it.
    _status, answer = checkout("validations", codes=[code], basket=BASKET, customer=BORIS)
    (unused,) = answer["unused"]
    assert (answer["is_valid"], [reason["code"] for reason in unused["reasons"]]) == (
        False,
        ["incentives.other_customer"],
    )

    status, answer = checkout("redemptions", codes=[code], basket=BASKET, customer=ANNA, order_reference="NW-2000")
    assert (status, answer["effects"]["discount_minor"]) == (201, 1_200)
    status, answer = checkout("redemptions", codes=[code], basket=BASKET, customer=ANNA, order_reference="NW-2001")
    assert (status, answer["code"]) == (409, "incentives.code_redeemed")

    # The desk sees it used, and it cannot be undone any more.
    given = f"/admin/sorry/given/{Compensation.objects.get().pk}/"
    assert ">used</span>" in client.get(given).content.decode()
    refused = client.post(f"{given}undo/", follow=True).content.decode()
    assert "The customer has used it already." in refused


def test_a_coupon_for_one_product_takes_nothing_off_another(client, floor, checkout, now):
    client.force_login(make_agent(now), backend="django.contrib.auth.backends.ModelBackend")
    client.post(
        f"/admin/sorry/customer/{floor.anna.public_id}/",
        {
            "token": "t1",
            "reason": floor.reason.pk,
            "about": f"line-{floor.line.pk}",
            "only_product": "on",
            "amount": "12",
            "deliver": "copy",
        },
    )
    code = Compensation.objects.get().grant.code.code
    other = {"currency": "USD", "lines": [{"sku": "CD-2", "quantity": 1, "unit_price_minor": 1_000}]}

    assert checkout("validations", codes=[code], basket=other, customer=ANNA)[1]["is_valid"] is False
    _status, answer = checkout("validations", codes=[code], basket=BASKET, customer=ANNA)
    assert (answer["is_valid"], answer["effects"]["discount_minor"]) == (True, 1_200)


def test_an_undone_coupon_is_dead_at_the_checkout(client, floor, checkout, now):
    client.force_login(make_agent(now), backend="django.contrib.auth.backends.ModelBackend")
    client.post(
        f"/admin/sorry/customer/{floor.anna.public_id}/",
        {"token": "t1", "reason": floor.reason.pk, "about": "", "amount": "12", "deliver": "copy"},
    )
    given = Compensation.objects.get()
    client.post(f"/admin/sorry/given/{given.pk}/undo/")

    status, answer = checkout(
        "redemptions", codes=[given.grant.code.code], basket=BASKET, customer=ANNA, order_reference="NW-2000"
    )
    assert (status, answer["code"]) == (409, "incentives.code_void")
