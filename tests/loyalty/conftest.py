"""Programmes and customers for the tests of this room, made through the operations that make them for real."""

import pytest

from loyalty import operations, seeds
from loyalty.rules import ProgrammeRule
from retention.actors import Actor
from retention.customers import seeds as customers_seeds
from retention.customers.models import Customer
from retention.ledger import operations as ledger
from retention.ledger.units import UnitRule
from retention.shop.models import Shop

BY = Actor.command("test")
#: One for every 1.00 that was paid.
ONE_FOR_ONE = {"kind": "per_amount", "key": "base", "amount": 1, "per_minor": 100}


@pytest.fixture
def shop(db, now):
    customers_seeds.seed(now=now)
    seeds.seed(now=now)
    return Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR")


@pytest.fixture
def customers(db, now):
    """Five customers, by rising id."""
    return [Customer.objects.create(reference=f"c{n}", email=f"c{n}@example.com", recorded_at=now) for n in range(1, 6)]


@pytest.fixture
def unit(shop, now):
    """A function that makes a unit: points that never expire unless told otherwise."""

    def make(key="points", **rule):
        rule = {"name": key.capitalize(), "kind": "points", **rule}
        return ledger.create_unit(key=key, rule=UnitRule.model_validate(rule), now=now, by=BY)

    return make


@pytest.fixture
def programme(unit, now):
    """A function that makes a live programme of points: one for every 1.00, for everyone, unless told otherwise."""

    def make(key="club", *, is_live=True, at=now, unit_rule=None, **rule):
        unit(f"{key}_points", **(unit_rule or {}))
        rule = {"names": {"en": key.capitalize()}, "earning": [ONE_FOR_ONE], **rule}
        made = operations.create_programme(
            key=key, unit_key=f"{key}_points", rule=ProgrammeRule.model_validate(rule), now=at, by=BY
        )
        if is_live:
            made = operations.launch_programme(programme_id=made.pk, now=at, by=BY)
        return made

    return make
