"""Orders, returns and products in bulk: sums, currencies, states, lines, and what they do to statistics."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retention.customers.models import (
    Customer,
    CustomerStats,
    Order,
    OrderLine,
    Price,
    Product,
    Return,
    Stock,
)
from retention.shop.models import ExchangeRate

FLAT = {"reference": "F1", "email": "f@example.com", "state": "paid", "currency": "EUR", "placed_at": "2026-05-02"}


def test_an_order_makes_its_guest_and_counts(bring, catalogue, order):
    assert bring("orders", order()).new == 1
    stats = CustomerStats.objects.get(customer__email="guest@example.com")
    assert (stats.orders, stats.items, stats.spend_minor, stats.average_order_minor) == (1, 2, 2000, 2000)
    assert stats.last_order_at == stats.last_seen_at == dt.datetime(2026, 5, 1, 10, tzinfo=dt.UTC)
    assert stats.days_between_orders is None


def test_the_same_order_again_changes_nothing(bring, catalogue, order):
    bring("orders", order())
    before = (Order.objects.values().get(), list(OrderLine.objects.values()), CustomerStats.objects.values().get())
    result = bring("orders", order())
    assert (result.new, result.changed, result.unchanged) == (0, 0, 1)
    assert (
        Order.objects.values().get(),
        list(OrderLine.objects.values()),
        CustomerStats.objects.values().get(),
    ) == before


def test_flat_rows_are_the_lines_of_one_order(bring, catalogue):
    result = bring(
        "orders",
        {**FLAT, "sku": "LP", "quantity": "2", "unit_price": "12.00", "line_discount": "1.00", "total": "28.00"},
        {"reference": "F1", "state": "", "sku": "CD", "quantity": "1", "unit_price": "5.00"},
    )
    assert (result.new, result.unchanged) == (1, 0)
    assert list(OrderLine.objects.values_list("position", "quantity", "total_minor")) == [(1, 2, 2300), (2, 1, 500)]
    stats = CustomerStats.objects.get()
    assert (stats.discounts_minor, round(stats.discount_share, 4)) == (100, round(100 / 2900, 4))
    assert (stats.favourite_product.sku, stats.favourite_category) == ("LP", "Music/Vinyl")


STATES = ["placed", "paid", "fulfilled", "cancelled"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries=st.lists(st.sampled_from(STATES), min_size=1, max_size=5))
def test_in_whatever_order_states_are_delivered_the_furthest_one_stands(bring, catalogue, order, deliveries):
    reference = f"O{Order.objects.count()}"
    for state in deliveries:
        bring("orders", order(reference, state=state))
    row = Order.objects.get(reference=reference)
    assert row.state == max(deliveries, key=STATES.index)
    assert (row.cancelled_at is None) == ("cancelled" not in deliveries)


def test_a_cancelled_order_no_longer_counts(bring, catalogue, order):
    bring("orders", order(), order("O2"))
    bring("orders", {"reference": "O2", "state": "cancelled"})
    stats = CustomerStats.objects.get()
    assert (stats.orders, stats.spend_minor) == (1, 2000)


def test_another_currency_counts_at_the_days_rate(bring, catalogue, order):
    for on, rate in (("2026-04-01", "0.5"), ("2026-05-01", "0.00625"), ("2026-05-02", "9")):
        ExchangeRate.objects.create(currency="JPY", on=on, rate=Decimal(rate))
    lines = [{"sku": "LP", "quantity": 1, "unit_price": 1999, "discount": 199}]
    bring("orders", order(currency="JPY", total=1800, shipping=0, lines=lines))
    row = Order.objects.get()
    assert (row.total_minor, row.base_minor) == (1800, 1125)  # 1,800 yen are 11.25 euros
    stats = CustomerStats.objects.get()
    assert (stats.spend_minor, stats.discounts_minor) == (1125, 124)


BAD = [
    ({"total": "21.00"}, "total", "total_does_not_add_up"),
    ({"currency": "USD"}, "currency", "no_exchange_rate"),
    ({"currency": "DOLLAR"}, "currency", "unknown_currency"),
    ({"currency": ""}, "currency", "required"),
    ({"state": "lost"}, "state", "not_a_choice"),
    ({"placed_at": ""}, "placed_at", "required"),
    ({"placed_at": "2031-01-01"}, "placed_at", "in_the_future"),
    ({"customer": "nobody"}, "customer", "unknown_customer"),
    ({"email": "nobody"}, "email", "not_an_email"),
    ({"lines": []}, "lines", "not_a_list"),
    ({"lines": "LP"}, "lines", "not_a_list"),
    ({"lines": ["LP"]}, "lines.0", "not_an_object"),
    ({"lines": [{"sku": "LP", "quantity": 1, "unit_price": "12", "colour": 1}]}, "lines.0.colour", "unknown_column"),
    ({"lines": [{"sku": "LP", "quantity": 1, "unit_price": "12", "state": 1}]}, "lines.0.state", "unknown_column"),
    ({"lines": [{"sku": "no", "quantity": 1, "unit_price": "12"}]}, "lines.0.sku", "unknown_product"),
    ({"lines": [{"sku": "LP", "quantity": 0, "unit_price": "12"}]}, "lines.0.quantity", "too_small"),
    ({"lines": [{"sku": "LP", "quantity": "1.5", "unit_price": "12"}]}, "lines.0.quantity", "not_a_whole_number"),
    ({"lines": [{"sku": "LP", "quantity": 1}]}, "lines.0.unit_price", "required"),
    ({"lines": [{"sku": "LP", "quantity": 1, "unit_price": "12.001"}]}, "lines.0.unit_price", "too_many_digits"),
    ({"lines": [{"sku": "LP", "quantity": 1, "unit_price_minor": -1}]}, "lines.0.unit_price_minor", "negative"),
    ({"lines": [{"sku": "LP", "quantity": 1, "unit_price": "1", "discount": "2"}]}, "lines.0.discount", "discount_above_price"),  # noqa: E501
    ({"lines": [{"sku": "LP", "quantity": 1, "unit_price": "1", "unit_price_minor": 100}]}, "lines.0.unit_price", "said_twice"),  # noqa: E501
    ({"discount": "99"}, "discount", "discount_above_lines"),
    ({"reference": ""}, "reference", "required"),
    ({"reference": "O\0"}, "reference", "control_character"),
    ({"shoe": 1}, "shoe", "unknown_column"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "column", "code"), BAD)
def test_a_bad_order_is_refused_and_nothing_is_half_written(refused, catalogue, order, changes, column, code):
    found = refused("orders", order("good"), {**order("bad"), **changes})
    assert (2, column, code) in found
    assert {line for line, _column, _code in found} == {2}
    assert not Order.objects.exists()
    assert not Customer.objects.exists()


def test_one_bad_line_keeps_its_order_out_and_no_other(shop, catalogue, now, refused):
    row = {**FLAT, "sku": "LP", "quantity": "1", "unit_price": "12"}
    bad = {"reference": "F1", "sku": "no", "quantity": "1", "unit_price": "12"}
    good = {**row, "reference": "F2", "email": "g@example.com"}
    assert refused("orders", row, bad, good, good_only=True) == [(2, "sku", "unknown_product")]
    assert Order.objects.get().reference == "F2"
    assert Customer.objects.get().email == "g@example.com"


def test_rows_of_one_order_must_agree(refused, catalogue):
    row = {**FLAT, "sku": "LP", "quantity": "1", "unit_price": "12"}
    found = refused("orders", row, {**row, "state": "cancelled"})
    assert {code for _line, _column, code in found} == {"contradicts"}


def test_an_order_twice_is_refused(refused, catalogue, order):
    assert refused("orders", order(), order()) == [(1, "reference", "duplicate"), (2, "reference", "duplicate")]


def test_lines_that_change_replace_the_old_ones(bring, refused, catalogue, order):
    bring("orders", order())
    lines = [{"sku": "CD", "quantity": 3, "unit_price": "5.00"}]
    assert bring("orders", order(total="18.00", lines=lines)).changed == 1
    assert list(OrderLine.objects.values_list("product__sku", "quantity")) == [("CD", 3)]
    assert CustomerStats.objects.get().spend_minor == 1800
    bring("returns", _return(amount="5.00", lines=[{"sku": "CD", "quantity": 2}]))
    assert refused("orders", order(total="8.00", lines=[{"sku": "CD", "quantity": 1, "unit_price": "5"}])) == [
        (1, "lines.0.quantity", "fewer_than_returned")
    ]


def test_an_orders_currency_stays(bring, refused, catalogue, order):
    bring("orders", order())
    assert refused("orders", order(currency="USD")) == [(1, "currency", "currency_changed")]


def test_an_order_that_finds_its_customer_later_moves_the_figures(bring, catalogue, order):
    bring("customers", {"reference": "a"})
    bring("orders", order())
    bring("orders", order(customer="a"))
    figures = dict(CustomerStats.objects.values_list("customer__reference", "orders"))
    assert figures == {"a": 1, None: 0}


def _return(reference="R1", **changes):
    return {"reference": reference, "order_reference": "O1", "occurred_at": "2026-05-05T10:00:00Z", **changes}


def test_a_return_moves_state_and_figures_once(bring, catalogue, order):
    bring("orders", order())
    row = _return(amount="12.00", reason="scratched", lines=[{"sku": "LP", "quantity": 1}])
    assert bring("returns", row).new == 1
    assert bring("returns", row).unchanged == 1
    assert Order.objects.get().state == "partially_returned"
    stats = CustomerStats.objects.get()
    assert (stats.orders, stats.items, stats.spend_minor, stats.refunds_minor) == (1, 1, 800, 1200)
    assert stats.favourite_product.sku == "CD"
    bring("returns", _return("R2", amount="5.00", lines=[{"position": 2, "quantity": 1}]))
    assert Order.objects.get().state == "returned"
    assert bring("orders", order(state="fulfilled")).changed == 1  # it was fulfilled on some day, we learn now
    assert Order.objects.get().state == "returned"


BAD_RETURNS = [
    ({"amount": "21.00"}, "amount", "refund_above_total"),
    ({"amount": "1.001"}, "amount", "too_many_digits"),
    ({"amount": "x"}, "amount", "not_an_amount"),
    ({"amount": ""}, "amount", "required"),
    ({"order_reference": "no"}, "order_reference", "unknown_order"),
    ({"lines": [{"sku": "no", "quantity": 1}]}, "lines.0.sku", "unknown_line"),
    ({"lines": [{"sku": "LP", "quantity": 2}]}, "lines.0.quantity", "more_than_bought"),
    ({"lines": [{"sku": "LP", "quantity": 1}, {"position": 1, "quantity": 1}]}, "lines.1.quantity", "more_than_bought"),
    ({"lines": [{"sku": "LP"}]}, "lines.0.quantity", "required"),
    ({"occurred_at": "soon"}, "occurred_at", "not_a_time"),
    ({"reference": ""}, "reference", "required"),
]


@pytest.mark.parametrize(("changes", "column", "code"), BAD_RETURNS)
def test_a_bad_return_is_refused(bring, refused, catalogue, order, changes, column, code):
    bring("orders", order())
    found = refused("returns", {**_return(amount="1.00"), **changes})
    assert (1, column, code) in found
    assert not Return.objects.exists()
    assert Order.objects.get().state == "paid"


def test_another_return_under_a_known_reference_is_refused(bring, refused, catalogue, order):
    bring("orders", order())
    bring("returns", _return(amount="1.00"))
    assert refused("returns", _return(amount="2.00")) == [(1, "reference", "already_recorded")]


class TestProducts:
    def test_a_price_that_changes_is_history(self, bring, catalogue, now):
        later = now + dt.timedelta(days=1)
        bring("products", {"sku": "LP", "price": "15.00"}, {"sku": "CD", "name": "Disc"}, now=later)
        found = Price.objects.order_by("product__sku", "starts_at").values_list(
            "product__sku", "price_minor", "starts_at"
        )
        assert list(found) == [("CD", 500, now), ("LP", 1200, now), ("LP", 1500, later)]

    @pytest.mark.parametrize(
        ("row", "column", "code"),
        [
            ({"sku": "X"}, "name", "required"),
            ({"sku": "X", "name": "X"}, "price", "required"),
            ({"sku": "LP", "name": ""}, "name", "required"),
            ({"sku": "LP", "price": "1.234"}, "price", "too_many_digits"),
            ({"sku": "LP", "minimum_price": "13"}, "minimum_price", "minimum_above_price"),
            (
                {"sku": "LP", "season_from": "2026-05-01", "season_until": "2026-05-01"},
                "season_until",
                "season_is_empty",
            ),
            ({"sku": "LP", "is_low_margin": "perhaps"}, "is_low_margin", "not_yes_or_no"),
            ({"sku": "LP", "url": "javascript:alert(1)"}, "url", "not_a_link"),
            ({"sku": "LP", "replenish_days": "0"}, "replenish_days", "too_small"),
            ({"name": "X", "price": "1"}, "sku", "required"),
        ],
    )
    def test_a_bad_product_is_refused(self, refused, catalogue, row, column, code):
        assert (1, column, code) in refused("products", row)
        assert Product.objects.count() == 2

    def test_stock_by_place(self, bring, refused, catalogue):
        rows = [{"sku": "LP", "place": "Berlin", "quantity": 3}, {"sku": "LP", "place": "Bonn", "quantity": 1}]
        assert bring("stock", *rows).new == 2
        assert bring("stock", rows[0], {**rows[1], "quantity": 0}).changed == 1
        assert dict(Stock.objects.values_list("place", "quantity")) == {"Berlin": 3, "Bonn": 0}
        assert refused("stock", {"sku": "no", "place": "Bonn", "quantity": 1}) == [(1, "sku", "unknown_product")]
        assert (2, "place", "duplicate") in refused("stock", rows[0], rows[0])
