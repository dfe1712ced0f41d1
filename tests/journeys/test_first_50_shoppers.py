"""A shop runs "first 50 shoppers": two hundred of them press the button at once, and exactly fifty get it.

The same crowd meets a budget and a limit for each customer. What happens without the guards, their naive twins in
`tests/races/test_redeem.py` show.
"""

import http.client
import json
import threading
from collections import Counter as Tally

import pytest
from django.db.models import Sum

from retention.actors import Actor
from retention.doors.keys import create_key
from retention.incentives import operations
from retention.incentives.models import Counter, Redemption
from retention.incentives.operations.reconcile import differences
from retention.incentives.rules import IncentiveRule
from retention.shop.models import Shop
from tests.processes import WebServer

pytestmark = pytest.mark.django_db(transaction=True)
BY = Actor.command("test")
SHOPPERS = 200


@pytest.fixture
def server(db, free_port):
    with WebServer(free_port()) as server:
        yield server


@pytest.fixture
def offer(db, now):
    """Put an offer of one public code live: `offer(limits=…)`."""
    Shop.objects.create(name="Shop", time_zone="UTC", currency="EUR")

    def make(**rule):
        rule = {"name": "Crowd", "codes": {"kind": "public", "text": "FIRST50"}, **rule}
        incentive = operations.create_incentive(rule=IncentiveRule.model_validate(rule), now=now, by=BY)
        return operations.go_live(incentive_id=incentive.pk, now=now, by=BY)

    return make


@pytest.fixture
def crowd(server, now):
    """Let everybody press at the same moment; `crowd(customer_of)` tallies (status, code) of the answers."""
    scopes = ["incentives:redeem"]
    secret = create_key(name="shop", scopes=scopes, known=scopes, now=now, by=BY).secret

    def press_all(customer_of):
        gate, answers = threading.Barrier(SHOPPERS), []

        def press(number: int) -> None:
            body = {
                "codes": ["first-50"],
                "order_reference": f"o{number}",
                "customer": customer_of(number),
                "basket": {"currency": "EUR", "lines": [{"sku": "a", "quantity": 1, "unit_price_minor": 9999}]},
            }
            headers = {
                "Authorization": f"Bearer {secret}",
                "Content-Type": "application/json",
                "Idempotency-Key": f"order-{number}",
            }
            kept = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            kept.connect()
            gate.wait(timeout=60)
            kept.request("POST", "/api/v1/redemptions/", json.dumps(body), headers)
            answer = kept.getresponse()
            told = json.loads(answer.read())
            answers.append((answer.status, told["code"] if "code" in told else told["offers"][0]["code"]))
            kept.close()

        shoppers = [threading.Thread(target=press, args=(number,)) for number in range(SHOPPERS)]
        for shopper in shoppers:
            shopper.start()
        for shopper in shoppers:
            shopper.join(timeout=120)
        return Tally(answers)

    return press_all


def strangers(number):
    return {"email": f"shopper{number}@example.com"}


def kept(incentive, currency):
    return Counter.objects.get(incentive_id=incentive.pk, scope="incentive", currency=currency)


def test_two_hundred_press_at_once_and_fifty_get_it(offer, crowd):
    incentive = offer(
        effects=[{"kind": "percent", "basis_points": 2000}], limits={"total": 50, "per_customer": 1}
    )  # fmt: skip
    assert crowd(strangers) == {(201, "FIRST50"): 50, (409, "incentives.total_limit_reached"): 150}
    assert Redemption.objects.count() == 50
    assert (kept(incentive, "").redeemed, kept(incentive, "EUR").spent_minor) == (50, 50 * 2000)
    assert differences() == []


def test_a_budget_of_100_pays_for_exactly_ten_discounts_of_10(offer, crowd):
    incentive = offer(
        effects=[{"kind": "amount", "amounts": {"EUR": 1000}}],
        limits={"money": {"amount_minor": 10_000, "currency": "EUR"}},
    )
    assert crowd(strangers) == {(201, "FIRST50"): 10, (409, "incentives.budget_spent"): 190}
    spent = Redemption.objects.aggregate(sum=Sum("discount_minor"))["sum"]
    assert (spent, kept(incentive, "EUR").spent_minor, kept(incentive, "").redeemed) == (10_000, 10_000, 10)
    assert differences() == []


def test_each_of_four_customers_uses_it_three_times_however_she_writes_her_address(offer, crowd):
    offer(effects=[{"kind": "percent", "basis_points": 2000}], limits={"per_customer": 3})

    def one_of_four(number):
        address = f"shopper{number % 4}@example.com"
        return {"email": address.upper() if number % 8 < 4 else address}

    assert crowd(one_of_four) == {(201, "FIRST50"): 12, (409, "incentives.customer_limit_reached"): 188}
    each = Counter.objects.filter(scope="person", currency="").values_list("redeemed", flat=True)
    assert sorted(each) == [3, 3, 3, 3]
    assert Redemption.objects.count() == 12
    assert differences() == []
