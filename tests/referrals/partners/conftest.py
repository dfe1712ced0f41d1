"""Partners, and friends that they brought, as rows: how a referral comes about is the other tests' matter."""

import datetime as dt
import itertools

import pytest

from referrals.models import Advocate, Partner, Referral, Scheme
from retention.actors import Actor
from retention.audit.operations import save_version
from retention.customers.models import Customer, Order, Return
from retention.shop.models import ExchangeRate, Shop

BY = Actor.command("test")


@pytest.fixture
def shop(db):
    return Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR")


@pytest.fixture
def rate(db):
    def make(currency, rate, on=dt.date(2026, 5, 1)):
        return ExchangeRate.objects.create(currency=currency, on=on, rate=rate)

    return make


@pytest.fixture
def scheme(shop, now):
    scheme = Scheme.objects.create(key="affiliates", name="Affiliates", kind=Scheme.Kind.PARTNERS)
    scheme.version = save_version(of=scheme, data={}, edited=None, by=BY, now=now)
    scheme.state, scheme.launched_at = Scheme.State.LIVE, now
    scheme.save()
    return scheme


@pytest.fixture
def partner(shop, now):
    """A function that makes a partner: 10 % in euros unless told otherwise."""
    numbers = itertools.count(1)

    def make(**columns):
        n = next(numbers)
        given = {
            "reference": f"p{n}", "name": f"Partner {n}", "email": f"p{n}@example.com", "payee": f"Partner {n} Ltd",
            "iban": "DE89370400440532013000", "basis_points": 1_000, "currency": "EUR", "created_at": now,
        }  # fmt: skip
        return Partner.objects.create(**{**given, **columns})

    return make


@pytest.fixture
def order(shop, now):
    """A function that makes a paid order of €80.00 of somebody new."""
    numbers = itertools.count(1)

    def make(total=8_000, currency="EUR", base=None, **columns):
        n = next(numbers)
        customer = Customer.objects.create(reference=f"f{n}", email=f"f{n}@example.com", recorded_at=now)
        given = {
            "reference": f"o{n}", "customer": customer, "state": Order.State.PAID, "currency": currency,
            "total_minor": total, "base_minor": total if base is None else base, "placed_at": now, "paid_at": now,
            "recorded_at": now,
        }  # fmt: skip
        return Order.objects.create(**{**given, **columns})

    return make


@pytest.fixture
def referral(scheme, order, now):
    """A function that makes a rewarded referral of a partner's, with its order."""

    def make(partner, bought=None, state=Referral.State.REWARDED, **columns):
        bought = bought or order()
        code = f"P{partner.pk:06d}"
        advocate, _new = Advocate.objects.get_or_create(
            scheme=scheme, partner=partner, defaults={"code": code, "joined_at": now}
        )
        given = {"claimed_at": now, "since_at": now, "qualified_at": now, "source": f"test:{bought.pk}"}
        return Referral.objects.create(
            scheme=scheme, advocate=advocate, friend=bought.customer, version=scheme.version, order=bought, state=state,
            **{**given, **columns},
        )  # fmt: skip

    return make


@pytest.fixture
def came_back(now):
    """A function: some of an order comes back, as the ingest of returns writes it."""
    numbers = itertools.count(1)

    def act(order, amount):
        n = next(numbers)
        Return.objects.create(
            order=order, reference=f"r{n}", amount_minor=amount, base_minor=amount, occurred_at=now, recorded_at=now
        )
        refunded = sum(order.returns.values_list("amount_minor", flat=True))
        state = Order.State.RETURNED if refunded == order.total_minor else Order.State.PARTIALLY_RETURNED
        Order.objects.filter(pk=order.pk).update(state=state, xid=Order._meta.get_field("xid").db_default)

    return act
