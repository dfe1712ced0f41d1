"""Invented lines under real amounts: nothing is lost, nothing is added."""

import datetime as dt
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from retention.demoshop.baskets import RATES, baskets, order_row, return_row
from retention.demoshop.catalogue import catalogue
from retention.demoshop.crowd import buyer
from retention.demoshop.histories import histories

ZONE = ZoneInfo("America/New_York")
NOW = dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)
TODAY = dt.date(2026, 5, 12)


@pytest.fixture(scope="module")
def orders():
    goods = catalogue(seed=1, today=TODAY)
    return [
        basket
        for number, history in histories(today=TODAY, buyers=4_000).items()
        for basket in baskets(buyer(number, history, goods.genres, ZONE, 1), history, goods, ZONE, 1)
    ]


def test_lines_add_up_to_the_items_and_to_the_amount_in_dollars(orders):
    for order in orders:
        assert sum(line.quantity for line in order.lines) == order.purchase.items
        rate = Fraction(RATES.get(order.currency, "1"))
        minor_units = 1 if order.currency == "KRW" else 100
        assert Fraction(order.total, minor_units) * rate * 100 == order.purchase.cents
        assert all(line.quantity >= 1 and line.unit >= 0 and line.discount >= 0 for line in order.lines)


def test_a_purchase_that_cost_nothing_stays_an_order_of_nothing(orders):
    free = [order for order in orders if order.purchase.cents == 0]

    assert free
    for order in free:
        row = order_row(order, seed=1, now=NOW)
        assert (row["total_minor"], row["payment_method"]) == (0, "free of charge")
        assert [(line["quantity"], line["unit_price_minor"], line["discount_minor"]) for line in row["lines"]] == [
            (order.purchase.items, 0, 0)
        ]


def test_orders_fall_on_their_day_in_the_shops_zone_and_before_now(orders):
    for order in orders:
        assert order.placed_at.astimezone(ZONE).date() == order.purchase.on
        assert order.placed_at < NOW
        assert order.person.signed_up_at < order.placed_at


def test_every_order_counts_as_bought_so_that_totals_stay_the_published_ones(orders):
    assert {order_row(order, seed=1, now=NOW)["state"] for order in orders} == {"paid", "fulfilled"}


def test_returns_give_back_no_more_than_was_paid(orders):
    returns = [(order, row) for order in orders if (row := return_row(order, seed=1, now=NOW))]

    assert 100 < len(returns) < 400
    for order, row in returns:
        line = order.lines[row["lines"][0]["position"] - 1]
        assert row["lines"][0]["sku"] == line.item.sku
        assert 1 <= row["lines"][0]["quantity"] <= line.quantity
        assert row["amount_minor"] <= line.total
        assert order.placed_at < row["occurred_at"] < NOW
