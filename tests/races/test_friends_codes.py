"""Friends' codes at many checkouts at once: one referral, one welcome, and nothing left of those who only asked."""

import threading

import pytest
from django.db import transaction

from referrals.models import Referral
from retention.customers.models import Customer
from retention.incentives import operations as incentives
from retention.incentives.baskets import Line
from retention.incentives.checkouts import Buyer, Checkout
from retention.incentives.exchanging import exchanged, tried_out, with_exchange
from retention.incentives.models import Grant, Redemption
from tests.races.crowds import at_once
from tests.referrals.conftest import *  # noqa: F403
from tests.referrals.conftest import days

pytestmark = pytest.mark.django_db(transaction=True)
HASH = b"r" * 32
CROWD = 6


@pytest.fixture
def codes(scheme, advocate, customer, now):
    """Of so many advocates of one scheme."""
    return advocate(scheme(), *(customer(f"a{n}", now - days(400)) for n in range(CROWD)))


def checkout(order=""):
    return Checkout("EUR", (Line("LP", 1, 5_000),), buyer=Buyer(email="new@example.com"), order_reference=order)


def redeem(code, order, now):
    bought = checkout(order)
    with_exchange(
        lambda codes: incentives.redeem(source=order, request_hash=HASH, codes=codes, checkout=bought, now=now),
        [code], bought, now=now,
    )  # fmt: skip


def ask(code, now):
    found, _typed = tried_out(
        lambda codes: incentives.validate(codes=codes, checkout=checkout(), now=now), [code], checkout(), now=now
    )
    return f"{found.effects['discount_minor']} off"


def test_a_guest_with_many_friends_codes_at_once_is_brought_by_one(codes, now):
    outcomes = at_once(lambda n: redeem(codes[n], f"o{n}", now), CROWD, CROWD)
    assert outcomes == {"done": 1, "referrals.not_for_her": CROWD - 1}
    assert (Referral.objects.count(), Grant.objects.count(), Redemption.objects.count()) == (1, 1, 1)
    assert Customer.objects.filter(email_normal="new@example.com").count() == 1


def test_one_friends_code_at_many_checkouts_at_once_counts_once(codes, now):
    outcomes = at_once(lambda n: redeem(codes[0], f"o{n}", now), CROWD, CROWD)
    assert outcomes == {"done": 1, "incentives.code_redeemed": CROWD - 1}
    assert (Referral.objects.count(), Grant.objects.count(), Redemption.objects.count()) == (1, 1, 1)


def test_who_only_asks_beside_who_redeems_leaves_nothing(codes, now):
    def act(n):
        return ask(codes[n], now) if n else redeem(codes[0], "o", now)

    outcomes = at_once(act, CROWD, CROWD)
    # Who asks after the redemption is told that she was brought.
    assert outcomes.pop("done") == 1
    assert set(outcomes) <= {"500 off", "referrals.not_for_her"}
    assert (Referral.objects.get().advocate.code, Grant.objects.count()) == (codes[0], 1)


def test_asking_that_is_not_taken_back_fails_that_race(codes, now):
    """Control: the exchange of one who only asks, kept: whose code she asks first takes the friend."""
    asked = threading.Event()

    def act(n):
        if n:
            with transaction.atomic():
                exchanged([codes[1]], checkout(), now=now)
            asked.set()
            return "asked"
        asked.wait(timeout=20)
        return redeem(codes[0], "o", now)

    assert at_once(act, 2, 2) == {"asked": 1, "referrals.not_for_her": 1}
    assert (Referral.objects.get().advocate.code, Redemption.objects.count()) == (codes[1], 0)
