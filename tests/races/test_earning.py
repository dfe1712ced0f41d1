"""Earning and taking back at the same moment: one earning a fact, caps that hold, no return counted twice.

Each race is also run by a naive twin that looks first and writes then.
"""

import datetime as dt
import threading

import pytest
from django.db import connection, connections, transaction
from django.db.models import F

from loyalty.earning import State, earn
from loyalty.models import Earning, Member
from loyalty.operations.due import rules_by_time
from loyalty.operations.earning import Swept, earn_for
from loyalty.operations.returns import Followed, take_back_due, weigh_again
from loyalty.reading import orders
from loyalty.versions import rule_of
from retention.customers.models import OrderLine
from retention.incentives.models import Redemption
from retention.incentives.operations.paying import TenderAsk
from retention.ledger import operations as ledger
from retention.ledger.models import Entry
from retention.ledger.operations.proofs import differences
from tests.loyalty.conftest import (  # noqa: F401
    BY,
    ONE_FOR_ONE,
    customers,
    give_points,
    order,
    programme,
    shop,
    unit,
)
from tests.loyalty.test_returns import pays_with
from tests.races.crowds import at_once

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = dt.timedelta(hours=1)


def sleep(seconds=0.2):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds])


@pytest.fixture
def club(programme):  # noqa: F811
    return programme(earning=[{**ONE_FOR_ONE, "caps": [{"most": 25, "per": "day"}]}])


def earn_once(club, ids, now):
    facts = orders(ids, "EUR")
    earn_for(programme=club, rules=rules_by_time(club), facts=facts, swept=Swept(), now=now, by=BY)


def test_a_cap_and_an_order_hold_whoever_sweeps(club, customers, order, now):  # noqa: F811
    ids = [order(customers[0], at=now + HOUR).pk for _n in range(4)]

    # Every sweep knows two of the four orders, so that each order comes twice and the cap is met from all sides.
    outcomes = at_once(lambda n: earn_once(club, [ids[n % 4], ids[(n + 1) % 4]], now), tries=8, shoppers=4)

    assert outcomes == {"done": 8}
    assert sum(Earning.objects.values_list("amount", flat=True)) == Member.objects.get().earned == 25
    assert Entry.objects.filter(verb="issue").count() == Earning.objects.count() == 3
    assert differences() == []


def test_looking_first_breaks_the_cap(club, customers, order, now):  # noqa: F811
    ids = [order(customers[0], at=now + HOUR).pk for _n in range(4)]
    earn_once(club, ids[:1], now)

    def naive(n):
        member, rule = Member.objects.get(), rule_of(club.version_id)
        (fact,) = orders([ids[n]], "EUR")
        past = sum(Earning.objects.values_list("amount", flat=True))
        (earned,) = earn(fact, rule, State(zone="Europe/Berlin"))
        amount = min(earned.amount, 25 - past)
        sleep()
        if amount > 0:
            Earning.objects.create(
                member=member, rule="base", version=club.version, order_id=fact.id, given=amount, amount=amount,
                earned_at=now, recorded_at=now,
            )  # fmt: skip

    at_once(lambda n: naive(n + 1), tries=3, shoppers=3)
    assert sum(Earning.objects.values_list("amount", flat=True)) > 25


@pytest.fixture
def bought(programme, customers, order, now):  # noqa: F811
    """An order of ten units that earned 100."""
    club = programme()
    made = order(customers[0], ("A", 1_000, 10), at=now + HOUR)
    earn_once(club, [made.pk], now)
    return made


def come_back(bought, units):
    OrderLine.objects.filter(order=bought).update(returned_quantity=F("returned_quantity") + units)


def test_two_returns_at_once_take_back_what_came_back(bought, now):
    def ours(n):
        come_back(bought, 1)
        weigh_again(order_ids=[bought.pk], followed=Followed(), now=now, by=BY)

    assert at_once(ours, tries=8, shoppers=4) == {"done": 8}
    assert (Earning.objects.get().amount, Member.objects.get().earned) == (20, 20)
    taken = Entry.objects.filter(verb="take_back").values_list("amount", flat=True)
    assert sum(taken) == 80
    assert differences() == []


def test_looking_first_takes_one_return_back_twice(bought, now):
    def naive(n):
        come_back(bought, 1)
        with transaction.atomic():
            earning = Earning.objects.get()
            (fact,) = orders([bought.pk], "EUR")
            (earned,) = earn(fact, rule_of(earning.version_id), State(zone="Europe/Berlin"))
            sleep()
            Earning.objects.filter(pk=earning.pk).update(amount=earned.amount)
            Member.objects.update(earned=F("earned") - (earning.amount - earned.amount))
            entry = Entry.objects.get(verb="issue")
            ledger.take_back(
                entry_id=entry.pk, amount=earning.amount - earned.amount, source=f"naive:{n}", reason="r", now=now,
                by=BY,
            )  # fmt: skip

    at_once(naive, tries=2, shoppers=2)
    assert Member.objects.get().earned < 80


def test_what_paid_an_order_in_a_transaction_that_ended_late_is_followed(programme, customers, order, now):  # noqa: F811
    """30.00 of 100.00 are paid with points, hours before anybody can see it."""
    club = programme(unit_rule={"worth": {"EUR": 100}})
    made = order(customers[0], ("A", 10_000, 1), at=now + HOUR)
    earn_once(club, [made.pk], now + HOUR)
    give_points(Member.objects.get(), 10_000, now=now)
    is_paid, may_end = threading.Event(), threading.Event()

    def pay():
        with transaction.atomic():
            asks = [TenderAsk(unit=club.unit.key, amount=3_000)]
            pays_with(asks, order=made.reference, price=10_000, now=now + HOUR, customer=customers[0])
            is_paid.set()
            may_end.wait(60)
        connections.close_all()

    def follow(at):
        return take_back_due(now=at, progress=lambda done, total: None).due

    paying = threading.Thread(target=pay)
    paying.start()
    assert is_paid.wait(60)
    follow(now + 3 * HOUR)
    assert (follow(now + 4 * HOUR), Earning.objects.get().amount) == (0, 100)
    may_end.set()
    paying.join(60)

    assert (follow(now + 5 * HOUR), Earning.objects.get().amount) == (1, 70)
    # By its instant it was over when it was looked for, again and again; by its transaction it had never been seen.
    assert Redemption.objects.get().redeemed_at == now + HOUR
    follow(now + 6 * HOUR)
    assert (Earning.objects.get().amount, differences()) == (70, [])
