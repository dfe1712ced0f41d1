"""A shop, customers, units and money in accounts, made through the operations that make them for real."""

import itertools

import pytest

from retention.actors import Actor
from retention.customers.models import Customer
from retention.ledger import operations
from retention.ledger.models import Account
from retention.ledger.units import UnitRule
from retention.shop.models import Shop

BY = Actor.command("test")


@pytest.fixture
def shop(db):
    return Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR")


@pytest.fixture
def customers(db, now):
    return [Customer.objects.create(reference=f"c{n}", email=f"c{n}@example.com", recorded_at=now) for n in range(1, 6)]


@pytest.fixture
def unit(shop, now):
    """A function that makes a unit: store credit in euros unless told otherwise."""

    def make(key="credit", **rule):
        rule = {"name": key.title(), "kind": "money", "currency": "EUR", "digits": 2, **rule}
        return operations.create_unit(key=key, rule=UnitRule.model_validate(rule), now=now, by=BY)

    return make


@pytest.fixture
def points(unit):
    return unit("points", kind="points", currency="", digits=0, worth={"EUR": 100})


@pytest.fixture
def account(customers, now):
    """A function: the account of a customer in a unit."""

    def of(unit, customer=None):
        customer = customer or customers[0]
        opened = operations.open_customer_accounts(unit=unit, customer_ids=[customer.pk], now=now)
        return Account.objects.get(pk=opened[customer.pk])

    return of


@pytest.fixture
def give(now):
    """A function that gives an amount to an account: its entry's id."""
    numbers = itertools.count()

    def act(account, amount, **options):
        wish = operations.Transfer(
            source=options.pop("source", f"give:{next(numbers)}"),
            from_id=operations.shop_account(account.unit, "issued"),
            to_id=account.pk, amount=amount, verb="issue",
            **options,
        )  # fmt: skip
        return operations.transfer_one(wish=wish, now=options.pop("now", now), by=BY)

    return act


@pytest.fixture
def spend(now):
    """A function that spends an amount of an account: its entry's id, or the refusal."""
    numbers = itertools.count()

    def act(account, amount, *, now=now, **options):
        wish = operations.Transfer(
            source=options.pop("source", f"spend:{next(numbers)}"),
            from_id=account.pk, to_id=operations.shop_account(account.unit, "redeemed"),
            amount=amount, verb="spend",
            **options,
        )  # fmt: skip
        return operations.transfer_one(wish=wish, now=now, by=BY)

    return act
