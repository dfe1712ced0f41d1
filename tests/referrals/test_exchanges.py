"""A friend's code in the checkout's one box: it brings the referral and the welcome, over the real API."""

import uuid

import pytest
import time_machine
from django.db import connection

from referrals import operations
from referrals.models import Referral
from retention.customers.models import Customer
from retention.doors.keys import create_key
from retention.incentives.models import Redemption
from tests.referrals.conftest import BY, days

pytestmark = pytest.mark.django_db
BASKET = {"currency": "EUR", "lines": [{"sku": "LP", "quantity": 1, "unit_price_minor": 5_000}]}


@pytest.fixture(autouse=True)
def the_present(now):
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def checkout(client, shop, now):
    """Ask what codes do for a buyer, or redeem them: (status, body). `is_public`: with a key for strangers."""
    scopes = ("incentives:redeem",)
    secrets = {
        public: create_key(name=f"till {public}", scopes=scopes, known=scopes, is_public=public, now=now, by=BY).secret
        for public in (False, True)
    }

    def send(what, codes, *, key=None, order="o1", is_public=False, **buyer):
        body = {"basket": BASKET, "codes": codes}
        body |= {"customer": buyer} if buyer else {}
        body |= {"order_reference": order} if what == "redemptions" else {}
        headers = {"authorization": f"Bearer {secrets[is_public]}", "idempotency-key": key or uuid.uuid4().hex}
        answer = client.post(f"/api/v1/{what}/", body, content_type="application/json", headers=headers)
        return answer.status_code, answer.json()

    return send


@pytest.fixture
def code(scheme, advocate, customer, now):
    return advocate(scheme(), customer("anna", now - days(400), given_name="Anna"))[0]


def test_a_friends_code_takes_the_welcome_off_and_makes_the_referral(code, checkout):
    first = checkout("redemptions", [code], key="order", order="o1", email="NEW@example.com ")
    assert (first[0], first[1]["effects"]["discount_minor"]) == (201, 500)
    assert checkout("redemptions", [code], key="order", order="o1", email="NEW@example.com ") == first
    friend, brought = Customer.objects.get(email_normal="new@example.com"), Referral.objects.get()
    assert (brought.friend, brought.state) == (friend, "pending")
    assert Redemption.objects.get().customer == friend
    assert checkout("redemptions", [code], email="new@example.com")[1]["code"] == "incentives.code_redeemed"
    assert Referral.objects.count() == 1


@pytest.mark.parametrize(
    ("buyer", "expected"),
    [
        ({}, "incentives.customer_unknown"),
        ({"reference": "anna"}, "referrals.not_for_her"),
        ({"reference": "old"}, "referrals.not_for_her"),
        ({"email": "x@mailinator.com"}, "referrals.being_checked"),
    ],
)
def test_a_code_that_is_not_for_her_says_so(buyer, expected, scheme, advocate, customer, order, checkout, now):
    (code,) = advocate(scheme(review_from=50), customer("anna", now - days(400)))
    order(customer("old", now - days(300)), now - days(30))
    assert checkout("redemptions", [code], **buyer)[1]["code"] == expected
    assert Redemption.objects.count() == 0


@pytest.fixture
def rows(db):
    """A function that tells every table's rows: how many, and a sum of all that they say."""

    def count():
        with connection.cursor() as cursor:
            tables = connection.introspection.table_names(cursor)
            cursor.execute(
                " UNION ALL ".join(
                    f"SELECT '{name}', count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM \"{name}\" t"
                    for name in tables
                )
            )
            return {name: figures for name, *figures in cursor.fetchall()}

    return count


def test_asking_what_a_friends_code_is_good_for_writes_nothing(
    scheme, advocate, customer, order, refer, checkout, rows, now
):
    made = scheme(review_from=50)
    code, other = advocate(made, customer("anna", now - days(400)), customer("bela", now - days(400)))
    order(customer("old", now - days(300)), now - days(30))
    refer(other, customer("brought"))
    checkout("validations", ["NOSUCH"])  # the key is used for the first time
    before = rows()
    status, told = checkout("validations", [code.lower()], email="new@example.com")
    assert (status, told["is_valid"], told["effects"]["discount_minor"]) == (200, True, 500)
    assert [offer["code"] for offer in told["offers"]] == [code.lower()]
    assert checkout("validations", [code, "NOSUCH"], email="new@example.com")[1]["refusal"]["params"] == {
        "typed": "NOSUCH"
    }
    for buyer, refused in (
        ({}, "incentives.customer_unknown"),
        ({"reference": "anna"}, "referrals.not_for_her"),
        ({"reference": "old"}, "referrals.not_for_her"),
        ({"reference": "brought"}, "referrals.not_for_her"),
        ({"email": "x@mailinator.com"}, "referrals.being_checked"),
    ):
        assert checkout("validations", [code], **buyer)[1]["code"] == refused
    assert rows() == before
    redeemed = checkout("redemptions", [code], email="new@example.com")[1]
    assert redeemed["effects"] == told["effects"]
    assert rows() != before


def test_who_was_brought_by_somebody_else_or_while_it_is_paused(scheme, advocate, customer, refer, checkout, now):
    made = scheme()
    mine, other = advocate(made, customer("anna", now - days(400)), customer("bela", now - days(400)))
    refer(mine, customer("friend"))
    assert checkout("validations", [mine], reference="friend")[1]["is_valid"]
    assert checkout("redemptions", [other], reference="friend")[1]["code"] == "referrals.not_for_her"
    operations.pause_scheme(scheme_id=made.pk, now=now, by=BY)
    for what in ("redemptions", "validations"):
        status, told = checkout(what, [other], reference="friend")
        assert (status, told["code"], told["params"]) == (409, "referrals.not_live", {"name": made.name})
        told = [checkout(what, [code], is_public=True, email="new@example.com") for code in (other, "NOSUCH")]
        assert told[0] == told[1]  # a stranger learns nothing of what a code is
        assert (told[0][0], told[0][1]["code"]) == (404, "incentives.code_not_valid")
    assert not Customer.objects.filter(email="new@example.com").exists()
    assert checkout("validations", ["NOSUCH"], reference="friend")[1]["refusal"]["code"] == "incentives.no_such_code"
