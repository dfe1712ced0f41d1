"""Tiers over the API: what lies ahead, the history, invitations and tiers by hand; and tiers at the checkout."""

import json
import uuid

import pytest
import time_machine
from django.test import Client

from loyalty import operations
from loyalty.models import Member
from retention.doors.keys import create_key
from retention.incentives import operations as incentives
from retention.incentives.rules import IncentiveRule
from tests.loyalty.conftest import BY
from tests.loyalty.test_tiers import NOON, STEPS, YEAR, earns, look

SCOPES = ("loyalty:read", "loyalty:tiers", "incentives:redeem")


@pytest.fixture
def club(programme, customers):
    """c1 is silver with 180."""
    made = programme(tiers={"steps": STEPS, "validity": YEAR})
    operations.join(programme_id=made.pk, customer_ids=[c.pk for c in customers], now=NOON, by=BY)
    earns(Member.objects.get(customer=customers[0]).pk, 180, NOON)
    look(NOON)
    with time_machine.travel(NOON, tick=False):
        yield made


@pytest.fixture
def call(club):
    secret = create_key(name="shop", scopes=SCOPES, known=SCOPES, now=NOON, by=BY).secret

    def send(method: str, path: str, body=None):
        headers = {"authorization": f"Bearer {secret}", "idempotency-key": uuid.uuid4().hex}
        data = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        answer = getattr(Client(), method)(f"/api/v1/{path}", headers=headers, **data)
        return answer.status_code, answer.json()

    return send


def path(customer, rest="tier/"):
    return f"loyalty/programmes/club/members/{customer.public_id}/{rest}"


def test_where_she_stands_and_what_lies_ahead(call, customers):
    assert call("get", path(customers[0])) == (200, {
        "tier": "silver", "tier_since": "2026-05-12T10:00:00Z", "last_day": "2027-12-31",
        "looked_at": "2027-12-31T23:00:00Z", "counted": 180, "next_tier": "gold", "missing": 320, "to_keep": 100,
        "then_until": "2028-12-31",
    })  # fmt: skip
    status, told = call("get", path(customers[1]))
    assert (status, told["tier"], told["missing"], told["to_keep"]) == (200, None, 100, None)


def test_tiers_are_given_by_hand_and_told(call, customers):
    ids = [str(customer.public_id) for customer in customers[:2]]
    asked = {"customers": ids, "tier": "circle", "reason": "Regulars", "until": "2026-12-31"}
    assert call("post", "loyalty/programmes/club/invitations/", asked) == (200, {"invited": 2})
    status, told = call("put", path(customers[1]), {"tier": "silver", "reason": "A mistake"})
    assert (status, told["tier"]) == (200, "silver")
    status, told = call("get", path(customers[1], "tier-changes/"))
    moves = [(one["before"], one["after"], one["why"], one["is_up"], one["reason"]) for one in told["items"]]
    assert moves == [("circle", "silver", "staff", False, "A mistake"), (None, "circle", "invited", True, "Regulars")]


def test_the_checkout_knows_her_tier_at_once(call, customers):
    rule = {
        "name": "Silver sale", "effects": [{"kind": "percent", "basis_points": 1_000}], "codes": {"kind": "automatic"},
        "conditions": [{"kind": "in_tiers", "tiers": ["club.silver", "club.gold"]}],
    }  # fmt: skip
    sale = incentives.create_incentive(rule=IncentiveRule.model_validate(rule), now=NOON, by=BY)
    incentives.go_live(incentive_id=sale.pk, now=NOON, by=BY)
    basket = {"currency": "EUR", "lines": [{"sku": "LP", "quantity": 1, "unit_price_minor": 4_000}]}

    def pays(customer, path: str, **more) -> int:
        status, told = call("post", path, {"basket": basket, "customer": {"reference": customer.reference}, **more})
        assert status in (200, 201), told
        return told["to_pay_minor"]

    assert (pays(customers[0], "validations/"), pays(customers[1], "validations/")) == (3_600, 4_000)
    assert pays(customers[0], "redemptions/", order_reference="A-1") == 3_600
    operations.set_tier(
        member_id=Member.objects.get(customer=customers[1]).pk, tier="gold", reason="Test", now=NOON, by=BY
    )
    operations.leave(programme_id=Member.objects.first().programme_id, customer_ids=[customers[0].pk], now=NOON, by=BY)
    look(NOON)
    assert (pays(customers[0], "validations/"), pays(customers[1], "validations/")) == (4_000, 3_600)
