"""Rewards at the same moment: the last one in stock, the same points, a member's last one, one claim returned twice.

Each race is also run by a naive twin that looks first and writes then.
"""

import threading

import pytest
from django.db import transaction

from loyalty import operations as loyalty
from loyalty.models import Claim, Member, RewardCount
from loyalty.operations import claims, rewards
from loyalty.rules import ProgrammeRule
from loyalty.rules.rewards import RewardGone, RewardRule
from retention.actors import Actor
from retention.customers.models import Customer
from retention.incentives import operations as incentives
from retention.incentives.models import Grant
from retention.incentives.rules import IncentiveRule
from retention.ledger import operations as ledger
from retention.ledger.models import Account, Entry
from retention.ledger.operations.proofs import differences
from retention.ledger.operations.transfers import NotEnough
from retention.ledger.querysets import balances
from retention.ledger.units import UnitRule
from retention.shop.models import Shop
from tests.races.crowds import at_once

pytestmark = pytest.mark.django_db(transaction=True)

BY = Actor.command("race")
#: (clients, tries, rounds) of every test run, and of `make races`.
SIZES = [
    pytest.param((8, 16, 2), id="quick"),
    pytest.param((100, 200, 10), id="full", marks=[pytest.mark.races, pytest.mark.timeout(1800)]),
]


@pytest.fixture
def club(now):
    """A live programme whose reward costs 100 points, and a function that makes members of it with some points."""
    Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR")
    ledger.create_unit(key="points", rule=UnitRule(name="Points", kind="points"), now=now, by=BY)
    rule = ProgrammeRule.model_validate(
        {
            "names": {"en": "Club"},
            "earning": [{"kind": "per_amount", "key": "base", "amount": 1, "per_minor": 100}],
        }
    )
    programme = loyalty.create_programme(key="club", unit_key="points", rule=rule, now=now, by=BY)
    return loyalty.launch_programme(programme_id=programme.pk, now=now, by=BY)


@pytest.fixture
def reward(club, now):
    def make(**rule):
        given = IncentiveRule.model_validate({"name": "Gift", "effects": [{"kind": "percent", "basis_points": 1000}]})
        incentive = incentives.create_incentive(rule=given, now=now, by=BY)
        rule = {"names": {"en": "Gift"}, "kind": "coupon", "price": 100, "incentive_id": incentive.pk, **rule}
        made = rewards.create_reward(programme_id=club.pk, rule=RewardRule.model_validate(rule), now=now, by=BY)
        return rewards.start_reward(reward_id=made.pk, now=now, by=BY)

    return make


@pytest.fixture
def members(club, now):
    def make(count, points):
        people = [Customer.objects.create(reference=f"m{n}", recorded_at=now) for n in range(count)]
        joined = loyalty.join(programme_id=club.pk, customer_ids=[one.pk for one in people], now=now, by=BY).members
        accounts = ledger.open_customer_accounts(unit=club.unit, customer_ids=list(joined), now=now)
        for customer, account in accounts.items():
            ledger.adjust(account_id=account, amount=points, source=f"g:{customer}", reason="race", now=now, by=BY)
        return sorted(joined.values())

    return make


class Meeting:
    """Where naive twins wait for each other between looking and writing; late ones do not wait for ever."""

    def __init__(self, parties):
        self.barrier = threading.Barrier(parties)

    def __call__(self):
        try:
            self.barrier.wait(timeout=1)
        except threading.BrokenBarrierError:
            self.barrier.reset()


def naive_claim(reward, member_id, source, meet, now):
    """What claiming must not be: look at the stock and at her points, then write what was seen."""
    with transaction.atomic():
        stock = RewardCount.objects.get(reward=reward, member=None)
        account = _account(member_id)
        meet()
        if stock.most is not None and stock.taken >= stock.most:
            raise RewardGone
        if account.balance < reward.price:
            raise NotEnough(available=account.balance)
        RewardCount.objects.filter(pk=stock.pk).update(taken=stock.taken + 1)
        Account.objects.filter(pk=account.pk).update(balance=account.balance - reward.price)
        given = incentives.grant(
            incentive_id=reward.incentive_id, sources=[source], origin="race", origin_ids=[None], now=now, by=BY,
            customer_ids=[account.customer_id], is_given=True,
        )  # fmt: skip
        Claim.objects.create(
            reward=reward, member_id=member_id, version_id=reward.version_id, source=source, price=0, claimed_at=now,
            grant_id=given.grants[source],
        )  # fmt: skip


def _account(member_id):
    member = Member.objects.select_related("programme").get(pk=member_id)
    return Account.objects.get(customer_id=member.customer_id, unit_id=member.programme.unit_id)


def taken(reward):
    return Claim.objects.filter(reward=reward, state="claimed").count()


@pytest.mark.parametrize("size", SIZES)
def test_the_last_rewards_in_stock_are_given_to_no_more_than_there_are(reward, members, now, size):
    clients, tries, rounds = size
    people = members(tries, 100 * rounds)
    for place in range(rounds):
        one = reward(stock=3)

        def act(n, one=one, place=place):
            claims.claim(reward_id=one.pk, member_id=people[n], source=f"{place}:{n}", now=now, by=BY)

        assert at_once(act, tries, clients) == {"done": 3, "loyalty.reward_gone": tries - 3}
        assert taken(one) == RewardCount.objects.get(reward=one, member=None).taken == 3
        # Who got nothing paid nothing.
        assert Entry.objects.filter(verb="spend").count() == Claim.objects.count() == 3 * (place + 1)
    assert differences() == []


def test_the_race_for_the_last_one_is_real(reward, members, now):
    """The naive twin gives more than there are."""
    one, people, meet = reward(stock=1), members(6, 100), Meeting(6)
    at_once(lambda n: naive_claim(one, people[n], f"n:{n}", meet, now), 6, 6)
    assert taken(one) > 1


@pytest.mark.parametrize("size", SIZES)
def test_the_same_points_are_spent_once(reward, members, now, size):
    clients, tries, rounds = size
    (hers,) = members(1, 250)
    for place in range(rounds):
        if place:
            ledger.adjust(
                account_id=_account(hers).pk, amount=200, source=f"more:{place}", reason="race", now=now, by=BY
            )
        offered = [reward() for _ in range(4)]

        def act(n, offered=offered, place=place):
            claims.claim(reward_id=offered[n % 4].pk, member_id=hers, source=f"{place}:{n}", now=now, by=BY)

        assert at_once(act, tries, clients) == {"done": 2, "ledger.not_enough": tries - 2}
        assert balances([_account(hers).pk], now=now)[0].available == 50
        # Whoever was refused took nothing out of any stock.
        assert sum(RewardCount.objects.filter(member=None).values_list("taken", flat=True)) == 2 * (place + 1)
    assert Claim.objects.count() == Grant.objects.filter(origin="loyalty.claim").count() == 2 * rounds
    assert differences() == []


def test_the_race_for_the_points_is_real(reward, members, now):
    """The naive twin gives two rewards for one reward's points."""
    offered, hers, meet = [reward() for _ in range(4)], members(1, 100)[0], Meeting(4)
    at_once(lambda n: naive_claim(offered[n], hers, f"n:{n}", meet, now), 4, 4)
    assert Claim.objects.count() > 1


def test_one_source_and_one_limit_at_once_give_one_reward(reward, members, now):
    hers = members(1, 10_000)[0]
    one, limited = reward(), reward(per_customer=1)
    same = at_once(
        lambda n: str(claims.claim(reward_id=one.pk, member_id=hers, source="same", now=now, by=BY).pk), 12, 6
    )
    assert list(same.values()) == [12]

    def act(n):
        claims.claim(reward_id=limited.pk, member_id=hers, source=f"{n}", now=now, by=BY)

    most = at_once(act, 12, 6)
    assert most == {"done": 1, "loyalty.reward_limit": 11}
    assert (taken(one), taken(limited)) == (1, 1)


def test_a_claim_comes_back_once_while_others_claim(reward, members, now):
    people, one = members(2, 100), reward(stock=1)
    claimed = claims.claim(reward_id=one.pk, member_id=people[0], source="a", now=now, by=BY)

    def act(n):
        if n % 2:
            claims.claim(reward_id=one.pk, member_id=people[1], source=f"b{n}", now=now, by=BY)
            return "claimed"
        claims.return_claim(claim_id=claimed.pk, now=now, by=BY, reason="race")
        return "returned"

    tally = at_once(act, 12, 6)

    assert tally["returned"] == 1
    assert tally["loyalty.claim_returned"] == 5
    assert tally["claimed"] <= 1
    assert tally["claimed"] + tally["loyalty.reward_gone"] + tally["ledger.not_enough"] == 6
    assert taken(one) == RewardCount.objects.get(reward=one, member=None).taken == tally["claimed"]
    assert differences() == []
