"""A shop with a sorry desk, an agent with limits, and a customer with an order to complain about."""

import datetime as dt
from dataclasses import dataclass

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from retention.actors import Actor
from retention.customers.models import Customer, CustomerStats, Order, OrderLine, Product
from retention.doors import seeds as role_seeds
from retention.shop.models import Shop
from retention.support import seeds
from retention.support.models import Reason
from retention.support.operations import Complaint, set_limit

LEAD = Actor.command("test")


@dataclass
class Shopfloor:
    """Everything that a test at the desk needs."""

    shop: Shop
    anna: Customer
    order: Order
    line: OrderLine
    other_line: OrderLine
    reason: Reason

    def complaint(self, **changes) -> Complaint:
        return Complaint(
            **({"customer_id": self.anna.pk, "reason_id": self.reason.pk, "order_id": self.order.pk} | changes)
        )


def make_shopfloor(now: dt.datetime) -> Shopfloor:
    shop = Shop.objects.create(
        name="Northwind Records",
        time_zone="America/New_York",
        currency="USD",
        languages=["en", "ko", "ru"],
        country="US",
    )
    role_seeds.seed(now=now)
    seeds.seed(now=now)
    anna = Customer.objects.create(
        reference="C00001",
        email="Anna.Meyer@example.com",
        phone="+12125550123",
        given_name="Anna",
        family_name="Meyer",
        city="Seattle",
        country="US",
        recorded_at=now,
    )
    CustomerStats.objects.create(customer=anna, orders=3, items=5, spend_minor=15_000, average_order_minor=5_000)
    products = [
        Product.objects.create(sku=sku, name=name, currency="USD", price_minor=price, recorded_at=now)
        for sku, name, price in (("LP-1", "Half Speed (Vinyl)", 4_000), ("CD-2", "Encore, Encore (CD)", 1_000))
    ]
    order = Order.objects.create(
        reference="NW-1001",
        customer=anna,
        state="fulfilled",
        currency="USD",
        total_minor=5_000,
        base_minor=5_000,
        placed_at=now - dt.timedelta(days=9),
        recorded_at=now,
    )
    lines = [
        OrderLine.objects.create(
            order=order, position=n, product=product, quantity=1, unit_price_minor=price, total_minor=price
        )
        for n, (product, price) in enumerate(zip(products, (4_000, 1_000), strict=True), start=1)
    ]
    return Shopfloor(shop, anna, order, lines[0], lines[1], Reason.objects.get(key="damaged"))


def make_agent(now: dt.datetime, *, name: str = "oleg", per_case: int = 5_000, per_day: int = 18_000):
    agent = get_user_model().objects.create_user(name, f"{name}@example.com", first_name=name.title(), is_staff=True)
    agent.groups.add(Group.objects.get(name="support agent"))
    set_limit(staff_id=agent.pk, per_case_minor=per_case, per_day_minor=per_day, now=now, by=LEAD)
    return agent


@pytest.fixture
def floor(db, now):
    return make_shopfloor(now)


@pytest.fixture
def oleg(floor, now):
    return make_agent(now)


@pytest.fixture
def by(oleg):
    return Actor.staff(oleg)
