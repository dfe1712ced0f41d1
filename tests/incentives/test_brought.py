"""What an order brings that people carry out, and what a guest's order brings before anybody knows her."""

import datetime as dt
import hashlib
import itertools

import pytest

from retention.customers.models import Customer, Order
from retention.incentives import operations
from retention.incentives.baskets import Line
from retention.incentives.checkouts import Buyer, Checkout
from retention.incentives.models import Code, Fulfilment, GiftCard, Grant, Ticket
from retention.incentives.operations import by_hand
from retention.incentives.operations.brought import count_guests_to_join, join_guests
from retention.incentives.operations.budgets import save_policy
from retention.incentives.operations.reconcile import differences
from retention.incentives.policy import Policy
from retention.ledger.operations.proofs import differences as book_differences
from retention.ledger.querysets import balances_of
from tests.incentives.conftest import BY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
HASH = hashlib.sha256(b"order").digest()
LINES = (Line("mug", 2, 1_000), Line("book", 1, 2_000))
OFF = {"kind": "amount", "amounts": {"EUR": 400}}
CARD = {"kind": "experience", "name": "Hand-written card", "instructions": "With the first name."}
SEAT = {"kind": "access", "to": "event", "name": "Members' evening", "is_ticket": True}
CREDIT = {"kind": "store_credit", "amounts": {"EUR": 400}}
VOUCHER = {"kind": "gift_card", "amounts": {"EUR": 500}}


@pytest.fixture
def order(now):
    """A function that redeems an order."""
    numbers = itertools.count(1)

    def place(*, buyer=None, codes=("PARTY",), source=None, reference=None):
        reference = reference or f"o{next(numbers)}"
        checkout = Checkout("EUR", LINES, buyer=buyer or Buyer(), order_reference=reference)
        return operations.redeem(
            source=source or reference, request_hash=HASH, codes=codes, checkout=checkout, now=now
        )  # fmt: skip

    return place


@pytest.fixture
def party(offer):
    """A public code: an amount off, a card to be written, a seat."""
    return offer(name="Party", codes={"kind": "public", "text": "PARTY"}, effects=[OFF, CARD, SEAT])


def undo(redeemed, now, lines=None, source="r"):
    return operations.roll_back(
        public_id=redeemed.public_id, source=source, reason="returned", lines=lines, now=now, by=BY
    )


def credit_of(customer, now):
    return {each.unit.key: each.amount for each in balances_of(customer.pk, now=now)}.get("store_credit_eur", 0)


def test_an_order_asks_for_a_present_and_makes_a_ticket_once(party, order, customers, now):
    anna = customers[0]
    for _again in range(2):
        order(buyer=Buyer(anna.reference), source="same")
    given = Grant.objects.get()
    assert (given.customer, given.origin, given.source.partition(":")[0]) == (
        anna,
        "incentives.redemption",
        "redemption",
    )
    present, ticket = Fulfilment.objects.get(), Ticket.objects.get()
    assert (present.grant, present.what, present.instructions) == (given, "Hand-written card", "With the first name.")
    assert (ticket.grant, ticket.name) == (given, "Members' evening")
    code = Code.objects.get(grant=given)
    with pytest.raises(Exception, match="used already"):
        order(buyer=Buyer(anna.reference), codes=[code.code])
    assert operations.check_in(code=code.code, now=now, by=BY).checked_in_at == now
    assert differences() == []


def test_what_the_codes_own_grant_asked_for_is_not_asked_for_again(offer, grant, order, customers):
    incentive = offer(effects=[OFF, CARD, CREDIT])
    grant(incentive, customers[:1], is_given=True)
    order(buyer=Buyer("c1"), codes=[Code.objects.get().code])
    assert Fulfilment.objects.count() == 1
    assert Grant.objects.count() == 2, "the credit comes with the order"


def test_the_end_of_the_order_takes_back_what_nobody_carried_out(party, order, customers, now):
    first, second = (order(buyer=Buyer(f"c{n}")) for n in (1, 2))
    assert "by_hand" not in undo(first, now, {0: 1}, "part").effects["others"]
    assert set(Fulfilment.objects.values_list("state", flat=True)) == {"open"}
    told = undo(first, now, source="rest").effects["others"]["by_hand"]
    assert told == {"withdrawn": ["Hand-written card", "Members' evening"], "carried_out": []}
    hers, other = Fulfilment.objects.order_by("pk")
    assert (hers.state, other.state) == ("cancelled", "open")
    with pytest.raises(by_hand.TicketNotValid):
        operations.check_in(code=Code.objects.get(grant=hers.grant).code, now=now, by=BY)

    operations.settle_fulfilment(public_id=other.public_id, state="done", now=now, by=BY)
    operations.check_in(code=Code.objects.get(grant=other.grant).code, now=now, by=BY)
    told = undo(second, now, source="second").effects["others"]["by_hand"]
    assert told == {"withdrawn": [], "carried_out": ["Hand-written card", "Members' evening"]}
    other.refresh_from_db()
    assert other.state == "done"


def test_the_policy_may_let_them_be(party, order, now):
    save_policy(policy=Policy(withdraws_by_hand=False), edited=None, now=now, by=BY)
    assert "by_hand" not in undo(order(buyer=Buyer("", email="x@example.com")), now).effects["others"]
    assert Fulfilment.objects.get().state == "open"


def test_an_agent_voids_what_came_with_an_order(party, order, customers, now):
    order(buyer=Buyer("c1"))
    operations.void_grant(grant_id=Grant.objects.get().pk, now=now, by=BY, reason="wrong")
    assert Fulfilment.objects.get().state == "cancelled"
    assert differences() == [], "it was never counted as issued"


class TestGuests:
    @pytest.fixture
    def gifts(self, offer):
        return offer(codes={"kind": "public", "text": "GIFTS"}, effects=[OFF, CARD, CREDIT, VOUCHER])

    def guest(self, order, email="Guest@Example.com", **options):
        return order(buyer=Buyer(email=email), codes=["GIFTS"], **options)

    def test_what_needs_no_account_is_there_at_once(self, gifts, order, now):
        self.guest(order)
        assert Fulfilment.objects.get().state == "open"
        card = GiftCard.objects.get()
        assert (card.account.balance, card.code.customer) == (500, None)
        assert (Grant.objects.get().customer, join_guests(now=now), book_differences()) == (None, 0, [])

    def test_a_known_email_is_that_customer(self, gifts, order, customers, now):
        self.guest(order, "C1@example.com")
        assert (Grant.objects.get().customer, credit_of(customers[0], now)) == (customers[0], 400)

    @pytest.mark.parametrize("known_by", ["email", "order", "order before"])
    def test_the_rest_comes_when_she_is_known(self, gifts, order, now, known_by):
        join_guests(now=now)
        email = "guest@example.com" if known_by == "email" else "other@example.com"
        if known_by == "order before":
            anna = Customer.objects.create(email=email, recorded_at=now)
            placed(anna, "o7", now)
            join_guests(now=now)
        redeemed = self.guest(order, reference="o7")
        self.guest(order, "somebody@example.com")
        if known_by != "order before":
            anna = Customer.objects.create(email=email, recorded_at=now)
        if known_by == "order":
            placed(anna, "o7", now)
        assert count_guests_to_join() == 1
        assert (join_guests(now=now), join_guests(now=now)) == (1, 0)
        given = Grant.objects.get(customer=anna)
        assert (credit_of(anna, now), given.code.customer) == (400, anna)
        assert Grant.objects.filter(customer=None).count() == 1
        undo(redeemed, now)
        assert (credit_of(anna, now), book_differences(), differences()) == (0, [], [])

    def test_what_came_back_before_is_not_given(self, gifts, order, now):
        part, whole = self.guest(order), self.guest(order)
        undo(part, now, {1: 1}, "half")
        undo(whole, now, None, "all")
        anna = Customer.objects.create(email="guest@example.com", recorded_at=now)
        assert join_guests(now=now) == 2
        assert credit_of(anna, now) == 200
        undo(part, now, {0: 2}, "rest")
        assert (credit_of(anna, now), book_differences()) == (0, [])

    def test_an_erased_customer_is_nobody(self, gifts, order, now):
        self.guest(order, reference="o7")
        gone = Customer.objects.create(email=None, recorded_at=now, erased_at=now)
        placed(gone, "o7", now)
        assert join_guests(now=now) == 0


def placed(customer, reference, now):
    Order.objects.create(
        reference=reference, customer=customer, state="paid", currency="EUR", total_minor=4_000, base_minor=4_000,
        placed_at=now - dt.timedelta(minutes=1), recorded_at=now,
    )  # fmt: skip
