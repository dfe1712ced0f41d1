"""Incentives and customers for the tests of this room, made through the operations that make them for real."""

import pytest

from retention.actors import Actor
from retention.customers.models import Customer
from retention.incentives import operations
from retention.incentives.rules import IncentiveRule
from retention.shop.models import Shop

BY = Actor.command("test")


@pytest.fixture
def shop(db):
    return Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR")


@pytest.fixture
def customers(db, now):
    """Five customers, by rising id."""
    return [Customer.objects.create(reference=f"c{n}", email=f"c{n}@example.com", recorded_at=now) for n in range(1, 6)]


@pytest.fixture
def offer(db, now):
    """A function that makes a live incentive: 20 % off the order unless told otherwise."""

    def make(*, is_live: bool = True, **rule):
        rule.setdefault("name", "Offer")
        rule.setdefault("effects", [{"kind": "percent", "basis_points": 2000}])
        incentive = operations.create_incentive(rule=IncentiveRule.model_validate(rule), now=now, by=BY)
        if is_live:
            incentive = operations.go_live(incentive_id=incentive.pk, now=now, by=BY)
        return incentive

    return make


@pytest.fixture
def grant(now):
    """A function that grants an incentive to customers, with sources made of their ids."""

    def give_out(incentive, customers, *, sources=None, **options):
        return operations.grant(
            incentive_id=incentive.pk,
            sources=sources or [f"test:{incentive.pk}:{customer.pk}" for customer in customers],
            customer_ids=[customer.pk for customer in customers],
            origin="test",
            origin_ids=list(range(len(customers))),
            now=options.pop("now", now),
            by=BY,
            **options,
        )

    return give_out
