"""The work-list and tickets: made by the grant, ended with it, settled once, checked in once."""

import datetime as dt

import pytest

from retention.audit.models import AuditEntry
from retention.incentives import operations
from retention.incentives.models import Code, Fulfilment, Ticket
from retention.incentives.operations import by_hand
from retention.incentives.operations.grant_life import GrantUsed, take_back, void_grant
from tests.incentives.conftest import BY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
CARD = {"kind": "experience", "name": "Hand-written card", "instructions": "With the first name."}
SEAT = {"kind": "access", "to": "event", "name": "Members' evening", "is_ticket": True}


@pytest.fixture
def card(offer, grant, customers):
    """A function that grants the card to the first customers."""
    incentive = offer(name="Card", effects=[CARD, {"kind": "percent", "basis_points": 1000}])
    return lambda count=1, **options: grant(incentive, customers[:count], **options)


@pytest.fixture
def seat(offer, grant, customers):
    """A ticket given to the first customer."""
    incentive = offer(name="Evening", effects=[SEAT])
    grant(incentive, customers[:1], is_given=True)
    return Code.objects.get(incentive=incentive)


def settle(fulfilment, now, state="done", **more):
    return operations.settle_fulfilment(public_id=fulfilment.public_id, state=state, now=now, by=BY, **more)


def test_each_grant_asks_once_for_what_it_promises(card, now):
    granted = card(3)
    rows = Fulfilment.objects.order_by("grant_id")
    assert [row.grant_id for row in rows] == sorted(granted.grants.values())
    assert {(row.what, row.instructions, row.state, row.place, row.asked_at) for row in rows} == {
        ("Hand-written card", "With the first name.", "open", 0, now)
    }
    card(3)
    assert Fulfilment.objects.count() == 3, "the same sources again ask for nothing"
    assert not Ticket.objects.exists()


def test_it_is_done_once_and_by_one(card, now):
    card()
    row = Fulfilment.objects.get()
    done = settle(row, now, note="parcel 12")
    assert (done.state, done.settled_at, done.settled_by, done.note) == ("done", now, BY.name, "parcel 12")
    for state in ("done", "cancelled"):
        with pytest.raises(by_hand.FulfilmentSettled) as refused:
            settle(row, now, state)
        assert refused.value.params == {"state": "Done", "at": "2026-05-12 10:00"}
    entry = AuditEntry.objects.get(verb="incentives.settle_fulfilment")
    assert entry.after == {"state": "done"}, "the note may hold words about her"
    with pytest.raises(by_hand.NoSuchFulfilment):
        operations.settle_fulfilment(public_id="00000000-0000-7000-8000-000000000001", state="done", now=now, by=BY)


def test_a_grant_that_ends_takes_what_is_open_off_the_list(card, now):
    granted = card(3)
    first, second, third = sorted(granted.grants.values())
    void_grant(grant_id=first, now=now, by=BY, reason="wrong")
    take_back(grant_ids=[second], now=now, by=BY, reason="unsent")
    states = dict(Fulfilment.objects.values_list("grant_id", "state"))
    assert states == {first: "cancelled", second: "cancelled", third: "open"}
    settle(Fulfilment.objects.get(grant_id=third), now)
    with pytest.raises(GrantUsed):
        void_grant(grant_id=third, now=now, by=BY, reason="too late")
    assert Fulfilment.objects.get(grant_id=third).state == "done"


def test_a_grant_that_stays_given_keeps_its_place_on_the_list(card, now):
    granted = card(1, is_given=True)
    assert take_back(grant_ids=list(granted.grants.values()), now=now, by=BY, reason="late") == 0
    assert Fulfilment.objects.get().state == "open"


def test_a_ticket_lets_in_once(seat, now):
    ticket = operations.check_in(code=seat.code.lower(), now=now, by=BY)
    assert (ticket.name, ticket.checked_in_at, ticket.checked_in_by) == ("Members' evening", now, BY.name)
    with pytest.raises(by_hand.CheckedInBefore) as refused:
        operations.check_in(code=seat.code, now=now + dt.timedelta(hours=1), by=BY)
    assert str(refused.value) == "Already checked in at 2026-05-12 10:00 UTC."
    assert AuditEntry.objects.filter(verb="incentives.check_in").count() == 1
    with pytest.raises(GrantUsed):
        void_grant(grant_id=seat.grant_id, now=now, by=BY, reason="too late")


def test_what_does_not_let_in(seat, card, now):
    with pytest.raises(by_hand.NoSuchTicket):
        operations.check_in(code="NOSUCH", now=now, by=BY)
    card(is_given=True)
    with pytest.raises(by_hand.NoSuchTicket):
        operations.check_in(code=Code.objects.exclude(pk=seat.pk).get().code, now=now, by=BY)
    Code.objects.filter(pk=seat.pk).update(starts_at=now + dt.timedelta(seconds=1))
    with pytest.raises(by_hand.TicketNotYet):
        operations.check_in(code=seat.code, now=now, by=BY)
    Code.objects.filter(pk=seat.pk).update(starts_at=None, expires_at=now)
    with pytest.raises(by_hand.TicketOver):
        operations.check_in(code=seat.code, now=now, by=BY)
    Code.objects.filter(pk=seat.pk).update(expires_at=None)
    operations.stop(incentive_id=seat.incentive_id, now=now, by=BY)
    with pytest.raises(by_hand.TicketNotValid):
        operations.check_in(code=seat.code, now=now, by=BY)
    operations.resume(incentive_id=seat.incentive_id, now=now, by=BY)
    void_grant(grant_id=seat.grant_id, now=now, by=BY, reason="wrong")
    with pytest.raises(by_hand.TicketNotValid):
        operations.check_in(code=seat.code, now=now, by=BY)
    assert Ticket.objects.get().checked_in_at is None


def test_a_ticket_is_of_one_thing(offer):
    with pytest.raises(ValueError, match="one code"):
        offer(effects=[SEAT, {**SEAT, "name": "Another"}])


def test_a_public_offer_makes_tickets_with_orders_not_with_grants(offer, grant, customers):
    grant(offer(effects=[SEAT], codes={"kind": "public", "text": "ALL"}), customers[:1])
    assert not Ticket.objects.exists()
