"""A guest who becomes known: what her order brought is hers once, whoever finds her or sends it back at that moment."""

import hashlib
import threading

import pytest

from retention.actors import Actor
from retention.customers.models import Customer
from retention.incentives import operations
from retention.incentives.baskets import Line
from retention.incentives.checkouts import Buyer, Checkout
from retention.incentives.models import Grant, Redemption
from retention.incentives.operations.brought import join_guests
from retention.incentives.operations.reconcile import differences
from retention.incentives.rules import IncentiveRule
from retention.ledger import operations as ledger
from retention.ledger.operations.proofs import differences as book_differences
from retention.ledger.querysets import balances_of
from retention.shop.models import Shop
from tests.races.crowds import at_once

pytestmark = pytest.mark.django_db(transaction=True)
BY = Actor.command("race")
HASH = hashlib.sha256(b"race").digest()
ORDERS = 12
CREDIT = 400


@pytest.fixture
def orders(now):
    """Guests' orders under one email, each with four euros of store credit, whose customer becomes known then."""
    Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR")
    rule = {
        "name": "Party",
        "codes": {"kind": "public", "text": "PARTY"},
        "effects": [{"kind": "store_credit", "amounts": {"EUR": CREDIT}}],
    }
    made = operations.create_incentive(rule=IncentiveRule.model_validate(rule), now=now, by=BY)
    operations.go_live(incentive_id=made.pk, now=now, by=BY)
    for n in range(ORDERS):
        checkout = Checkout(
            "EUR", (Line("a", 1, 5000),), buyer=Buyer(email="guest@example.com"), order_reference=f"o{n}"
        )
        operations.redeem(source=f"o{n}", request_hash=HASH, codes=["PARTY"], checkout=checkout, now=now)
    return list(Redemption.objects.order_by("pk"))


def known(now):
    return Customer.objects.create(reference="g", email="guest@example.com", recorded_at=now)


def credit_of(customer, now):
    return {each.unit.key: each.amount for each in balances_of(customer.pk, now=now)}.get("store_credit_eur", 0)


def test_two_jobs_and_returns_at_once_give_each_order_its_credit_once(orders, now):
    customer = known(now)

    def join_or_return(number):
        if number % 2:
            join_guests(now=now)
            return "joined"
        redemption = orders[number]
        operations.roll_back(
            public_id=redemption.public_id, source=f"r{number}", reason="returned", lines=None, now=now, by=BY
        )
        return "returned"

    outcomes = at_once(join_or_return, ORDERS, 6)
    join_guests(now=now)

    assert outcomes == {"joined": ORDERS // 2, "returned": ORDERS // 2}, outcomes
    assert credit_of(customer, now) == CREDIT * ORDERS // 2
    assert (differences(), book_differences()) == ([], [])


def test_the_naive_twin_gives_it_twice(orders, now):
    """Control: looking whose it is and giving then, without a lock and without one source a gift."""
    customer = known(now)
    unit = ledger.money_unit(purpose="store_credit", currency="EUR", now=now, by=BY)
    account = ledger.open_customer_accounts(unit=unit, customer_ids=[customer.pk], now=now)[customer.pk]
    looked = threading.Barrier(2)

    def naive(number):
        waiting = list(Grant.objects.filter(customer=None))
        looked.wait(10)
        for given in waiting:
            Grant.objects.filter(pk=given.pk).update(customer=customer)
            ledger.adjust(
                account_id=account, amount=CREDIT, source=f"naive:{number}:{given.pk}", reason="joined", now=now, by=BY
            )

    assert at_once(naive, 2, 2) == {"done": 2}
    assert credit_of(customer, now) == 2 * CREDIT * ORDERS
