"""Schemes, advocates and friends for the tests of this room, made through the operations that make them for real."""

import pytest

from referrals import operations
from referrals.rules import SchemeRule
from retention.actors import Actor
from retention.customers.models import Customer
from retention.incentives import operations as incentives
from retention.incentives.rules import IncentiveRule
from retention.shop.models import Shop

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
def scheme(offer, now):
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
