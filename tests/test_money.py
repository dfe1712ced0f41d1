"""Reading, showing and splitting money."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention import money


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("12.30", "EUR", 1230), ("0", "EUR", 0), (" 7 ", "USD", 700), ("5000", "KRW", 5000), ("1.234", "KWD", 1234)],
)
def test_reading(text, currency, minor):
    assert money.to_minor(text, currency) == minor
    assert money.to_major(minor, currency) == Decimal(text.strip())


@pytest.mark.parametrize(
    ("text", "currency"), [("1.005", "EUR"), ("0.5", "JPY"), ("ten", "EUR"), ("NaN", "EUR"), ("1", "EURO")]
)
def test_what_is_no_amount_is_refused(text, currency):
    with pytest.raises(money.BadMoney):
        money.to_minor(text, currency)


def test_halves_go_up():
    assert [money.round_half_up(Decimal(text)) for text in ("0.5", "1.5", "2.4", "-0.5")] == [1, 2, 2, -1]


def test_thirds_of_a_cent_go_to_the_first_of_equals():
    assert money.split(100, [1, 1, 1]) == [34, 33, 33]


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=30), st.data())
def test_parts_sum_exactly_and_fit(weights, data):
    total = data.draw(st.integers(0, sum(weights)))
    parts = money.split(total, weights)
    assert sum(parts) == total
    assert all(0 <= part <= weight for part, weight in zip(parts, weights, strict=True))


def test_nothing_to_split_over():
    assert money.split(0, [0, 0]) == [0, 0]
    with pytest.raises(ValueError, match="nothing"):
        money.split(1, [0, 0])
