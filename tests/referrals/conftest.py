"""Schemes, advocates and friends for the tests of this room, made through the operations that make them for real."""

import datetime as dt
from collections import Counter

import pytest

from referrals import operations
from referrals.jobs import FollowReferrals
from referrals.models import Referral
from referrals.rules import SchemeRule
from referrals.seeds import seed
from retention.actors import Actor
from retention.customers.models import Customer, Order, Return
from retention.incentives import operations as incentives
from retention.incentives.rules import IncentiveRule
from retention.marks import CurrentTransaction
from retention.shop.models import Shop
from tests.marks import settle

BY = Actor.command("test")


@pytest.fixture
def shop(db):
    return Shop.objects.create(
        name="Shop", time_zone="Europe/Berlin", currency="EUR", website_url="https://shop.example.com"
    )


@pytest.fixture
def customer(db, now):
    """A function that makes a customer by the name in her email."""

    def make(name, at=None, **values):
        at = at or now
        values = {"reference": name, "email": f"{name}@example.com", "recorded_at": at, "signed_up_at": at, **values}
        return Customer.objects.create(**values)

    return make


@pytest.fixture
def offer(shop, now):
    """A function that makes an incentive, a draft unless told otherwise: 10 % off."""

    def make(name="10 % off", *, is_live=False, **rule):
        rule.setdefault("effects", [{"kind": "percent", "basis_points": 1000}])
        made = incentives.create_incentive(rule=IncentiveRule.model_validate({"name": name, **rule}), now=now, by=BY)
        return incentives.go_live(incentive_id=made.pk, now=now, by=BY) if is_live else made

    return make


@pytest.fixture
def kinds(db, now):
    seed(now=now)


@pytest.fixture
def scheme(offer, kinds, now):
    """A function that makes a live scheme: both sides get 10 % off, after a first order and 14 days."""

    def make(key="friends", *, is_live=True, **rule):
        if "friend_incentive" not in rule:
            rule["friend_incentive"] = offer("Welcome").pk
        if "levels" not in rule:
            rule["levels"] = [{"incentive_id": offer("Thank you").pk}]
        made = operations.create_scheme(
            key=key, rule=SchemeRule.model_validate({"names": {"en": "Friends"}, **rule}), now=now, by=BY
        )
        return operations.launch_scheme(scheme_id=made.pk, now=now, by=BY) if is_live else made

    return make


@pytest.fixture
def advocate(now):
    """A function that makes customers advocates of a scheme; their codes."""

    def make(scheme, *customers):
        opened = operations.open_advocates(
            scheme_id=scheme.pk, customer_ids=[each.pk for each in customers], now=now, by=BY
        )
        return [opened.advocates[each.pk][1] for each in customers]

    return make


@pytest.fixture
def refer(now):
    """A function that claims a friend by a code."""

    def claim(code, friend, **how):
        how.setdefault("now", now)
        how.setdefault("source", f"test:{code}:{friend.pk}")
        return operations.refer(code=code, friend_id=friend.pk, by=BY, **how).referral

    return claim


@pytest.fixture
def order(db):
    """A function that makes a paid order of a customer."""

    def make(customer, at, total=5_000, **values):
        values = {"state": "paid", "paid_at": at, "currency": "EUR", "base_minor": total, **values}
        return Order.objects.create(
            reference=f"o{Order.objects.count() + 1}", customer=customer, placed_at=at, recorded_at=at,
            total_minor=total, **values,
        )  # fmt: skip

    return make


@pytest.fixture
def comes_back(db):
    """A function by which an order comes back, whole or so much of it."""

    def make(order, at, minor=None):
        amount = order.total_minor if minor is None else minor
        Return.objects.create(
            order=order, reference=f"r{Return.objects.count() + 1}", amount_minor=amount, base_minor=amount,
            occurred_at=at, recorded_at=at,
        )  # fmt: skip
        state = "returned" if minor is None else "partially_returned"
        Order.objects.filter(pk=order.pk).update(state=state, xid=CurrentTransaction())

    return make


@pytest.fixture
def follow(transactional_db):
    """A function that runs the job at an instant, once older transactions of this server have ended; its figures."""

    def run(at):
        settle()
        return FollowReferrals.run(now=at, progress=lambda done, total: None)

    return run


def states():
    """How many referrals are in each state."""
    return dict(Counter(Referral.objects.values_list("state", flat=True)))


def days(n):
    return dt.timedelta(days=n)
