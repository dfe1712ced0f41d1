"""Counters and facts say the same, and a difference is seen."""

import hashlib

import pytest

from retention.incentives import operations
from retention.incentives.baskets import Line
from retention.incentives.checkouts import Buyer, Checkout
from retention.incentives.models import Code, Counter
from retention.incentives.operations.reconcile import Difference, differences
from retention.work.models import Alert
from tests.incentives.conftest import BY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture
def busy(offer, grant, customers, now):
    """An incentive after grants, uses, a roll-back, a return and a void."""
    incentive = offer(limits={"issued_per_customer": 3, "per_code": 2, "issued": 50})
    granted = grant(incentive, customers, is_given=True)
    grant(incentive, customers[:2], sources=["r1", "r2"])
    returned = grant(incentive, customers[:1], sources=["r3"])
    operations.take_back(grant_ids=returned.grants.values(), now=now, by=BY, reason="x")
    operations.void_grant(grant_id=granted.grants[f"test:{incentive.pk}:{customers[4].pk}"], now=now, by=BY, reason="x")
    redeemed = [
        operations.redeem(
            source=f"s{n}",
            request_hash=hashlib.sha256(b"x").digest(),
            codes=[Code.objects.get(customer=customer, state="given").code],
            checkout=Checkout("EUR", (Line("a", 1, 1000),), buyer=Buyer(customer.reference), order_reference=f"o{n}"),
            now=now,
        )
        for n, customer in enumerate([*customers[:3], customers[2]])
    ]
    operations.roll_back(public_id=redeemed[0].public_id, source="undo", reason="x", now=now, by=BY)
    return incentive


def test_nothing_differs_after_a_busy_day(busy, now):
    assert Counter.objects.filter(incentive_id=busy.pk, redeemed__gt=0).count() > 3
    assert operations.reconcile(now=now) == []
    assert not Alert.objects.exists()


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"scope": "incentive", "currency": ""}, ("incentive redeemed", 0, {"redeemed": 4}, 3)),
        ({"scope": "incentive", "currency": "EUR"}, ("spent EUR", 0, {"spent_minor": 0}, 600)),
        ({"scope": "issue"}, ("issued", 0, {"issued": 7}, 6)),
    ],
)
def test_a_wrong_counter_raises_an_alert_until_it_is_right(busy, now, change, difference):
    what, subject, wrong, facts = difference
    row = Counter.objects.filter(incentive_id=busy.pk, **change)
    right = row.values(*wrong).get()
    row.update(**wrong)
    kept = next(iter(wrong.values()))
    assert operations.reconcile(now=now) == [Difference(busy.pk, what, subject, kept, facts)]
    assert Alert.objects.get(resolved_at=None).kind == "incentives.counters"
    row.update(**right)
    assert operations.reconcile(now=now) == []
    assert not Alert.objects.filter(resolved_at=None).exists()


def test_every_person_s_and_code_s_counter_is_compared(busy):
    Counter.objects.filter(incentive_id=busy.pk, scope__in=["customer", "person", "code"]).delete()
    what = {difference.what for difference in differences()}
    assert what == {"customer redeemed", "person redeemed", "issued to a customer"}
