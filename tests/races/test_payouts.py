"""Payouts at the same moment: what is owed is set aside once, paid once, and never paid and cancelled.

The naive twins look first and write then; they must pay twice.
"""

import datetime as dt
import threading

import pytest
from django.db.models import Sum

from referrals.models import Advocate, Partner, Payout, PayoutBatch, Referral, Scheme
from referrals.operations.commissions import account_of, earn_commission
from referrals.operations.payouts import approve_payouts, cancel_payouts, draw_up, pay_out
from retention.actors import Actor
from retention.audit.operations import save_version
from retention.customers.models import Customer, Order
from retention.ledger import operations as ledger
from retention.ledger.models import Account, Entry, Hold
from retention.ledger.operations.proofs import differences
from retention.shop.models import Shop, Staff
from tests.races.crowds import at_once

pytestmark = pytest.mark.django_db(transaction=True)

BY = Actor.command("race")


@pytest.fixture
def people(db):
    return [Actor.staff(Staff.objects.create_user(name)) for name in ("first", "second")]


@pytest.fixture
def partner(now):
    """Somebody with €8.00 to be paid."""
    Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR")
    partner = Partner.objects.create(
        reference="p", name="P", payee="P Ltd", iban="DE89370400440532013000", basis_points=1_000, currency="EUR",
        created_at=now,
    )  # fmt: skip
    scheme = Scheme.objects.create(key="race", name="Race", kind="partners")
    version = save_version(of=scheme, data={}, edited=None, by=BY, now=now)
    friend = Customer.objects.create(reference="f", recorded_at=now)
    order = Order.objects.create(
        reference="o", customer=friend, state="paid", currency="EUR", total_minor=8_000, base_minor=8_000,
        placed_at=now, recorded_at=now,
    )  # fmt: skip
    advocate = Advocate.objects.create(scheme=scheme, partner=partner, code="RACE", joined_at=now)
    referral = Referral.objects.create(
        scheme=scheme, advocate=advocate, friend=friend, version=version, order=order, state="rewarded", source="race",
        claimed_at=now, since_at=now, qualified_at=now,
    )  # fmt: skip
    earn_commission(referral=referral, now=now, by=BY)
    return partner


def paid():
    return Entry.objects.filter(verb="pay_out").aggregate(sum=Sum("amount"))["sum"] or 0


def test_drawn_up_by_eight_at_once_it_is_in_one_batch(partner, people, now):
    outcomes = at_once(lambda n: draw_up(currency="EUR", now=now, by=people[n % 2]).state, 8, 8)
    assert outcomes == {"draft": 1, "referrals.nothing_to_pay": 7}
    assert Payout.objects.get().amount_minor == 800
    assert PayoutBatch.objects.count() == 1
    assert Hold.objects.filter(state="open").count() == 1


def test_paid_by_eight_at_once_it_leaves_once(partner, people, now):
    batch = draw_up(currency="EUR", now=now, by=people[0])
    approve_payouts(batch_id=batch.pk, now=now, by=people[1])
    outcomes = at_once(lambda n: pay_out(batch_id=batch.pk, reference=str(n), now=now, by=people[0]).state, 8, 8)
    assert outcomes == {"paid": 1, "referrals.batch_state_differs": 7}
    assert paid() == 800
    assert not list(differences())


def test_paid_and_cancelled_at_once_it_is_one_of_the_two(partner, people, now):
    batch = draw_up(currency="EUR", now=now, by=people[0])
    approve_payouts(batch_id=batch.pk, now=now, by=people[1])

    def either(n):
        if n % 2:
            return cancel_payouts(batch_id=batch.pk, now=now, by=people[0]).state
        return pay_out(batch_id=batch.pk, reference="", now=now, by=people[0]).state

    outcomes = at_once(either, 6, 6)
    state, hold = PayoutBatch.objects.get().state, Hold.objects.get().state
    assert outcomes == {state: 1, "referrals.batch_state_differs": 5}
    assert (state, hold, paid()) in {("paid", "captured", 800), ("cancelled", "released", 0)}
    assert not list(differences())


def test_the_naive_twin_pays_twice(partner, people, now):
    """It looks whether the batch was paid, and then pays: both look before either has written."""
    batch = draw_up(currency="EUR", now=now, by=people[0])
    approve_payouts(batch_id=batch.pk, now=now, by=people[1])
    unit = ledger.unit_of("cash_eur")
    account, out = account_of(partner, now=now, by=BY), ledger.shop_account(unit, Account.Purpose.PAID_OUT)
    looked = threading.Barrier(2, timeout=20)

    def pay(n):
        if PayoutBatch.objects.get(pk=batch.pk).state == "approved":
            looked.wait()
            wish = ledger.Transfer(
                source=f"naive:{dt.datetime.now(dt.UTC).timestamp()}:{n}", from_id=account, to_id=out, amount=800,
                verb=Entry.Verb.PAY_OUT, policy="negative",
            )  # fmt: skip
            ledger.transfer_one(wish=wish, now=now, by=BY)
            PayoutBatch.objects.filter(pk=batch.pk).update(state="paid", paid_at=now)

    assert at_once(pay, 2, 2) == {"done": 2}
    assert paid() == 1_600
