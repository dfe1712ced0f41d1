"""Orders that are cancelled and lines that come back undo what was redeemed for them, once."""

import datetime as dt
import hashlib

import pytest

from retention.audit.operations import save_version
from retention.incentives import operations
from retention.incentives.baskets import Line
from retention.incentives.checkouts import Buyer, Checkout
from retention.incentives.models import CheckoutPolicy, Code, Redemption, Rollback
from retention.incentives.operations.following import count_orders_to_follow, follow_orders
from retention.incentives.policy import Policy
from retention.work.ingest import ingest
from tests.incentives.conftest import BY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def bring(now):
    def load(kind, *rows):
        result = ingest(kind, rows, now=now, by=BY)
        assert result.is_written, result.refused

    return load


@pytest.fixture
def bought(bring, offer, grant, customers, now):
    """Three LPs and a CD for 35.00, bought by c1 with a code of 20 %: 7.00 off. Returns the redemption."""
    for sku, price in (("LP", "10.00"), ("CD", "5.00")):
        bring("products", {"sku": sku, "name": sku, "price": price, "currency": "EUR"})
    grant(offer(), customers[:1], is_given=True)
    basket = Checkout(
        currency="EUR",
        lines=(Line("LP", 2, 1_000), Line("CD", 1, 500), Line("LP", 1, 1_000)),
        buyer=Buyer(reference="c1"),
        order_reference="O1",
    )
    redeemed = operations.redeem(
        source="k:O1", request_hash=hashlib.sha256(b"O1").digest(), codes=[Code.objects.get().code], checkout=basket,
        now=now,
    )  # fmt: skip
    return Redemption.objects.get(public_id=redeemed.public_id)


@pytest.fixture
def order(bring, now):
    def bring_order(state="paid", reference="O1"):
        lines = [
            {"sku": "LP", "quantity": 2, "unit_price": "10.00", "discount": "4.00"},
            {"sku": "CD", "quantity": 1, "unit_price": "5.00", "discount": "1.00"},
            {"sku": "LP", "quantity": 1, "unit_price": "10.00", "discount": "2.00"},
        ]
        told = {"reference": reference, "customer": "c1", "state": state, "currency": "EUR", "total": "28.00"}
        bring("orders", {**told, "placed_at": now.isoformat(), "lines": lines})

    return bring_order


@pytest.fixture
def come_back(bring, now):
    def bring_return(reference, *lines):
        rows = [{"position": position, "quantity": quantity} for position, quantity in lines]
        told = {"reference": reference, "order_reference": "O1", "amount": "1.00", "occurred_at": now.isoformat()}
        bring("returns", {**told, "lines": rows})

    return bring_return


def undone():
    rows = Rollback.objects.order_by("pk").values_list("lines", "discount_minor", "reason")
    return [(lines and [(one["line"], one["quantity"]) for one in lines], minor, why) for lines, minor, why in rows]


def test_a_cancelled_order_frees_its_code_once(bought, order, now):
    order()
    assert follow_orders(now=now).undone == 0
    order("cancelled")
    assert count_orders_to_follow(now=now) == 1
    assert follow_orders(now=now).as_dict() == {"due": 1, "skipped": {}}
    bought.refresh_from_db()
    assert (bought.state, bought.given_back_minor, Code.objects.get().state) == ("rolled_back", 700, "given")
    assert undone() == [(None, 700, "orders.cancelled")]
    assert count_orders_to_follow(now=now) == 0
    assert follow_orders(now=now + HOUR).undone == 0
    assert len(undone()) == 1


def test_lines_that_come_back_give_back_their_share_to_the_cent(bought, order, come_back, now):
    order()
    come_back("R1", (1, 1))
    assert follow_orders(now=now).undone == 1
    come_back("R2", (1, 1), (2, 1))
    assert follow_orders(now=now).undone == 1
    assert follow_orders(now=now).undone == 0
    come_back("R3", (3, 1))
    follow_orders(now=now)
    assert undone() == [
        ([(0, 1)], 200, "orders.partially_returned"),
        ([(0, 1), (1, 1)], 300, "orders.partially_returned"),
        (None, 200, "orders.returned"),
    ]
    bought.refresh_from_db()
    assert (bought.state, bought.given_back_minor) == ("rolled_back", 700)


def test_what_the_shop_rolled_back_itself_comes_back_no_second_time(bought, order, come_back, now):
    order()
    operations.roll_back(
        public_id=bought.public_id, source="api", reason="customer service", lines={0: 1}, now=now, by=BY
    )
    come_back("R1", (1, 1))
    assert follow_orders(now=now).as_dict() == {"due": 0, "skipped": {}}
    assert len(undone()) == 1


def test_a_code_redeemed_after_the_order_was_cancelled_is_undone_too(order, bring, request, now):
    for sku, price in (("LP", "10.00"), ("CD", "5.00")):
        bring("products", {"sku": sku, "name": sku, "price": price, "currency": "EUR"})
    request.getfixturevalue("customers")
    order("cancelled")
    follow_orders(now=now)
    late = request.getfixturevalue("bought")
    assert follow_orders(now=now).undone == 1
    late.refresh_from_db()
    assert late.state == "rolled_back"


def test_orders_of_other_references_touch_nothing(bought, order, now):
    order("cancelled", reference="O2")
    assert follow_orders(now=now).due == 0


def test_a_shop_that_calls_the_roll_back_itself_may_switch_it_off(bought, order, now):
    policy = CheckoutPolicy.objects.create()
    policy.version = save_version(
        of=policy, data=Policy(follows_orders=False).model_dump(mode="json"), edited=None, by=BY, now=now
    )
    policy.save(update_fields=["version"])
    order("cancelled")
    assert count_orders_to_follow(now=now) == 0
    assert follow_orders(now=now).due == 0
    assert undone() == []
