"""Gift cards at the same moment: no card pays more than is on it, a blocked one pays nothing, nothing comes back twice.

Each race is also run by a naive twin that looks first and writes then; `make races` runs two hundred clients, twenty
rounds.
"""

import datetime as dt
import hashlib
import threading

import pytest
from django.db import transaction
from django.db.models import Sum

from retention.actors import Actor
from retention.incentives import operations
from retention.incentives.baskets import Line
from retention.incentives.checkouts import Checkout
from retention.incentives.models import Redemption, Tender
from retention.incentives.operations import gift_cards
from retention.incentives.operations.paying import TenderAsk
from retention.ledger import operations as ledger
from retention.ledger.models import Account, Entry
from retention.ledger.operations.proofs import differences
from retention.shop.models import Shop
from tests.races.crowds import at_once

pytestmark = pytest.mark.django_db(transaction=True)

BY = Actor.command("race")
HASH = hashlib.sha256(b"race").digest()
#: What a card may say when others were faster.
LATE = {"incentives.card_empty", "incentives.tender_too_small"}
#: (clients, rounds) of every test run, and of `make races`.
SIZES = [
    pytest.param((12, 2), id="quick"),
    pytest.param((200, 20), id="full", marks=[pytest.mark.races, pytest.mark.timeout(1800)]),
]


@pytest.fixture
def card(now):
    Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR")

    def sell(source, amount_minor):
        return gift_cards.create_card(amount_minor=amount_minor, currency="EUR", source=source, now=now, by=BY)

    return sell


def order(reference):
    return Checkout("EUR", (Line("a", 1, 5_000),), order_reference=reference)


def pay(now, card, source, *, minutes=None):
    """An order of ten euros out of the card, or a hold on them."""
    asked = {
        "source": f"r:{source}", "request_hash": HASH, "checkout": order(f"o{source}"), "now": now,
        "tenders": [TenderAsk(code=card.code.code, amount=1_000)],
    }  # fmt: skip
    if minutes:
        operations.hold(minutes=minutes, **asked)
        return "held"
    operations.redeem(**asked)
    return "paid"


def account_of(card):
    return Account.objects.get(pk=card.account_id)


def spent_of(card):
    return Entry.objects.filter(from_account=card.account_id, verb="spend").aggregate(sum=Sum("amount"))["sum"] or 0


class Meeting:
    """Where naive twins wait for each other between looking and writing; late ones do not wait for ever."""

    def __init__(self, parties):
        self.barrier = threading.Barrier(parties)

    def __call__(self):
        try:
            self.barrier.wait(timeout=1)
        except threading.BrokenBarrierError:
            self.barrier.reset()


def naive_pay(card, meet):
    """What paying must not be: look what is left, then write what is left after it."""
    left = account_of(card).balance
    if left < 1_000:
        return "refused"
    meet()
    Account.objects.filter(pk=card.account_id).update(balance=left - 1_000)
    return "paid"


@pytest.mark.parametrize("size", SIZES)
def test_one_card_pays_what_is_on_it(card, now, size):
    clients, rounds = size
    for turn in range(rounds):
        one = card(f"sold:{turn}", 5_500)
        outcomes = at_once(lambda n, t=turn, c=one: pay(now, c, f"{t}:{n}"), clients, clients)
        assert outcomes.pop("paid") == 5
        assert set(outcomes) <= LATE, outcomes
        assert (account_of(one).balance, spent_of(one)) == (500, 5_000)
    assert Tender.objects.count() == Redemption.objects.count() == 5 * rounds
    assert differences() == []


def test_the_naive_twin_pays_more_than_there_is(card):
    one, meet = card("sold", 5_000), Meeting(4)
    outcomes = at_once(lambda n: naive_pay(one, meet), 12, 12)
    assert outcomes["paid"] > 5


@pytest.mark.parametrize("size", SIZES)
def test_holds_against_redemptions_of_one_card(card, now, size):
    clients, rounds = size
    for turn in range(rounds):
        one = card(f"sold:{turn}", 4_000)

        def act(number, turn=turn, one=one):
            return pay(now, one, f"{turn}:{number}", minutes=30 if number % 2 else None)

        outcomes = at_once(act, clients, clients)
        account = account_of(one)
        assert outcomes["paid"] + outcomes["held"] == 4
        assert set(outcomes) - {"paid", "held"} <= LATE, outcomes
        assert (spent_of(one), account.held) == (1_000 * outcomes["paid"], 1_000 * outcomes["held"])
        assert account.balance - account.held == 0
    assert differences() == []


def test_the_naive_twin_sets_aside_what_another_one_spends(card):
    one, meet = card("sold", 1_000), Meeting(2)

    def naive(number):
        free = account_of(one).balance - account_of(one).held
        if free < 1_000:
            return "refused"
        meet()
        with transaction.atomic():
            return "held" if number % 2 else "paid"

    outcomes = at_once(naive, 2, 2)
    assert outcomes == {"held": 1, "paid": 1}


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_paid_with_a_card_after_it_was_blocked(card, now, size):
    clients, rounds = size
    for turn in range(rounds):
        one, is_blocked = card(f"sold:{turn}", 1_000_000), threading.Event()

        def act(number, turn=turn, one=one, is_blocked=is_blocked):
            if number == clients // 2:
                gift_cards.block_card(card_id=one.pk, reason="stolen", now=now, by=BY)
                is_blocked.set()
                return "blocked"
            was_blocked = is_blocked.is_set()
            paid = pay(now, one, f"{turn}:{number}")
            return f"{paid} after" if was_blocked else paid

        outcomes = at_once(act, clients, clients)
        assert "paid after" not in outcomes
        assert set(outcomes) <= {"paid", "blocked", "incentives.card_blocked"}, outcomes
        assert spent_of(one) == 1_000 * outcomes["paid"]
    assert differences() == []


@pytest.mark.parametrize("size", SIZES)
def test_one_order_comes_back_to_its_card_once(card, now, size):
    clients, rounds = size
    for turn in range(rounds):
        one = card(f"sold:{turn}", 3_000)
        pay(now, one, f"{turn}")
        redemption = Redemption.objects.get(order_reference=f"o{turn}")

        def act(number, redemption=redemption):
            operations.roll_back(
                public_id=redemption.public_id, source=f"b:{redemption.pk}:{number}", reason="returned", now=now, by=BY
            )
            return "back"

        outcomes = at_once(act, clients, clients)
        assert outcomes == {"back": 1, "incentives.rolled_back_before": clients - 1}
        assert account_of(one).balance == 3_000
    assert differences() == []


def test_the_naive_twin_gives_back_twice(card, now):
    one, meet = card("sold", 3_000), Meeting(2)
    pay(now, one, "0")
    entry = Entry.objects.get(verb="spend")

    def naive(number):
        if Tender.objects.get().given_back:
            return "refused"
        meet()
        Tender.objects.update(given_back=1_000)
        ledger.adjust(account_id=one.account_id, amount=entry.amount, source=f"n{number}", reason="x", now=now, by=BY)
        return "back"

    assert at_once(naive, 2, 2) == {"back": 2}
    assert account_of(one).balance == 4_000


@pytest.mark.parametrize("size", SIZES)
def test_a_night_meets_spending(card, now, size):
    """What expires cannot be spent as well, and what is spent does not expire."""
    clients, rounds = size
    for turn in range(rounds):
        unit = ledger.money_unit(purpose="gift_card", currency="EUR", now=now, by=BY)
        one = card(f"sold:{turn}", 2_500)
        issued = ledger.shop_account(unit, "issued")
        wish = ledger.Transfer(
            source=f"ends:{turn}", from_id=issued, to_id=one.account_id, amount=2_500, verb="issue",
            expires_at=now + dt.timedelta(minutes=1),
        )  # fmt: skip
        ledger.transfer_one(wish=wish, now=now, by=BY)
        late = now + dt.timedelta(minutes=2)

        def act(number, turn=turn, one=one, late=late):
            if number % 4 == 0:
                ledger.keep_night(now=late, by=BY, progress=lambda done, total: None)
                return "night"
            return pay(late, one, f"{turn}:{number}")

        outcomes = at_once(act, clients, clients)
        assert outcomes["paid"] == 2
        assert set(outcomes) - {"paid", "night"} <= LATE, outcomes
        assert account_of(one).balance == 500
        assert Entry.objects.filter(from_account=one.account_id, verb="expire").count() == 1
    assert differences() == []
