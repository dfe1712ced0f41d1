"""Codes inside live holds: another basket reads until when, the basket's own hold gives way to what it asks now."""

import dataclasses
import datetime as dt
import hashlib

import pytest

from retention.incentives import operations
from retention.incentives.baskets import Line
from retention.incentives.checkouts import Buyer, Checkout
from retention.incentives.models import Code, Redemption
from retention.incentives.operations.reconcile import differences
from retention.refusals import Refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
HASH = hashlib.sha256(b"basket").digest()


def basket(order="o1", buyer="c1", price=10_000, **more):
    return Checkout("EUR", (Line("a", 1, price),), buyer=Buyer(buyer), order_reference=order, **more)


@pytest.fixture
def code(offer, grant, customers):
    """A code that anybody may use once."""
    grant(offer(codes={"kind": "unique", "is_bound": False}), customers[:1], is_given=True)
    return Code.objects.get().code


@pytest.fixture
def hold(code, now):
    """A function that holds the code for ten minutes."""

    def keep(checkout, source="h", at=now):
        return operations.hold(
            source=source, request_hash=HASH, codes=[code], checkout=checkout, minutes=10, now=at
        )  # fmt: skip

    return keep


def refusal(call):
    with pytest.raises(Refused) as caught:
        call()
    return caught.value.code, caught.value.params


def test_another_basket_reads_until_when(hold, code, now):
    held = hold(basket())
    until = {"until": held.held_until.isoformat()}
    for other in (basket("o2"), basket("o1", "c2"), basket(order="")):
        refused = operations.validate(codes=[code], checkout=other, now=now).refusal
        assert (refused.code, refused.params) == ("incentives.code_held", until)
        assert refusal(lambda other=other: hold(other, "another")) == ("incentives.code_held", until)
    assert str(refused) == f"This code is held for another basket until {until['until']}."
    operations.redeem(source="later", request_hash=HASH, codes=[code], checkout=basket("o2"), now=held.held_until)
    refused = operations.validate(codes=[code], checkout=basket("o3"), now=held.held_until).refusal
    assert refused.code == "incentives.code_redeemed"


@pytest.mark.parametrize("named", [True, False])
def test_its_own_hold_gives_way(hold, code, now, named):
    def later(held, **more):
        return dataclasses.replace(basket(**more), hold=held.public_id) if named else basket(**more)

    first = hold(basket())
    second = later(first, price=5_000)
    assert operations.validate(codes=[code], checkout=second, now=now).effects["discount_minor"] == 1_000
    assert Redemption.objects.get().state == "held", "to ask changes nothing"
    second = hold(second, "again")
    assert sorted(Redemption.objects.values_list("state", flat=True)) == ["held", "released"]
    third = operations.redeem(
        source="r", request_hash=HASH, codes=[code], checkout=later(second, price=2_000), now=now
    )  # fmt: skip
    assert third.effects["discount_minor"] == 400
    assert sorted(Redemption.objects.values_list("state", flat=True)) == ["redeemed", "released", "released"]
    assert differences() == []


def test_a_hold_stays_where_nothing_takes_its_place(hold, code, now):
    held = hold(basket())
    wrong = dataclasses.replace(basket(price=0), hold=held.public_id)
    with pytest.raises(Refused):
        hold(wrong, "again")
    assert Redemption.objects.get().state == "held"


def test_guests_of_one_order_are_the_same_only_by_all_that_is_known(code, now):
    def guest(email):
        return Checkout("EUR", (Line("a", 1, 10_000),), buyer=Buyer(email=email), order_reference="o1")

    operations.hold(
        source="h", request_hash=HASH, codes=[code], checkout=guest("a@example.com"), minutes=10, now=now
    )  # fmt: skip
    asked = {"codes": [code], "now": now + dt.timedelta(minutes=1)}
    assert operations.validate(checkout=guest("a@example.com"), **asked).refusal is None
    assert operations.validate(checkout=guest("b@example.com"), **asked).refusal.code == "incentives.code_held"
