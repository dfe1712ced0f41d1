"""The demo shop in the database: the published amounts, once, and whole again after a death half-way."""

import datetime as dt
from collections import Counter

import pytest
from django.core.management import call_command
from django.db.models import Sum

from retention import clock
from retention.customers.models import (
    Activity,
    Consent,
    ConsentState,
    Customer,
    CustomerStats,
    Order,
    OrderLine,
    Product,
    Return,
)
from retention.demoshop import loading
from retention.demoshop.histories import histories
from retention.shop.models import Shop
from tests.demoshop.conftest import BUYERS, load_small

FACTS = (Customer, Consent, ConsentState, Product, Order, OrderLine, Return, Activity)


def counts():
    return {model.__name__: model.objects.count() for model in FACTS}


def real(today):
    amounts, orders, items = Counter(), Counter(), Counter()
    for number, history in histories(today=today, buyers=BUYERS).items():
        for purchase in history:
            amounts[f"C{number:05d}"] += purchase.cents
            orders[f"C{number:05d}"] += 1
            items[f"C{number:05d}"] += purchase.items
    return amounts, orders, items


def test_every_buyer_has_her_real_amounts_orders_and_items(small_demo, now):
    amounts, orders, items = real(dt.date(2026, 5, 12))

    rows = Order.objects.values_list("customer__reference").annotate(Sum("base_minor"))
    assert dict(rows) == dict(amounts)
    lines = OrderLine.objects.values_list("order__customer__reference").annotate(Sum("quantity"))
    assert dict(lines) == dict(items)
    stats = {s.customer.reference: s for s in CustomerStats.objects.select_related("customer").filter(orders__gt=0)}
    assert {reference: s.orders for reference, s in stats.items()} == dict(orders)
    assert {reference: s.spend_minor + s.refunds_minor for reference, s in stats.items()} == dict(amounts)


def test_the_last_order_was_yesterday_in_the_shops_zone(small_demo, now):
    zone = clock.zone(Shop.objects.get().time_zone)
    last = Order.objects.latest("placed_at").placed_at.astimezone(zone).date()
    newest = max(p.on for history in histories(today=dt.date(2026, 5, 12), buyers=BUYERS).values() for p in history)
    assert last == newest
    assert max(p.on for h in histories(today=dt.date(2026, 5, 12)).values() for p in h) == dt.date(2026, 5, 11)


def test_orders_are_what_their_lines_say(small_demo):
    for order in Order.objects.prefetch_related("lines"):
        assert order.total_minor == sum(line.total_minor for line in order.lines.all())
    assert {order.currency for order in Order.objects.all()} >= {"USD", "KRW"}


def test_a_second_load_does_nothing(small_demo, now):
    before = counts()

    again = load_small(now + dt.timedelta(days=3), seed=9, buyers=1_000)

    assert again.rows == {}
    assert counts() == before
    assert loading.is_loaded()


@pytest.mark.parametrize("stage", ["customers", "orders", "activities"])
def test_killed_half_way_it_goes_on_as_it_began(small_demo_counts, db, now, stage):
    class Killed(Exception):
        pass

    def die(at, done, total):
        if at == stage and done >= total // 2:
            raise Killed

    with pytest.raises(Killed):
        load_small(now, progress=die)
    assert not loading.is_loaded()
    if stage == "orders":
        assert not Order.objects.exists()
        assert Customer.objects.exists()

    # Another day, another size, another seed: it keeps those it began with.
    load_small(now + dt.timedelta(days=1), buyers=50, seed=7)
    assert loading.is_loaded()
    assert counts() == small_demo_counts


@pytest.fixture(scope="module")
def small_demo_counts():
    """What a load that nothing disturbed holds; reckoned from the generators, not from a database."""
    world = loading.World(
        seed=1, buyers=BUYERS, now=dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC), zone="America/New_York"
    )
    rows = {stage: [row for found in world.rows(stage) for row in found] for stage in loading.STAGES}
    states = {(row["customer"], row["channel"], row["purpose"]) for row in rows["consents"]}
    return {
        "Customer": len(rows["customers"]),
        "Consent": len(rows["consents"]),
        "ConsentState": len(states),
        "Product": len(rows["products"]),
        "Order": len(rows["orders"]),
        "OrderLine": sum(len(row["lines"]) for row in rows["orders"]),
        "Return": len(rows["returns"]),
        "Activity": len(rows["activities"]),
    }


@pytest.mark.django_db
def test_the_command_says_what_it_did_and_that_it_was_done(capsys):
    call_command("load_demo", "--customers", "40")
    first = capsys.readouterr().out
    assert "customers         44 rows" in first

    call_command("load_demo")
    assert "The demo shop is loaded already." in capsys.readouterr().out
    assert Customer.objects.count() == 44
