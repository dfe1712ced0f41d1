"""The suggested amount: a share of what went wrong, more for regulars, less after a gift, never above the limits."""

import pytest

from retention.support.suggestions import History, suggest


def asked(*, percent=20, basis=5_000, average=3_000, orders=1, recent=0, per_case=5_000, left=18_000, currency="USD"):
    return suggest(
        percent=percent,
        label="Late",
        history=History(basis_minor=basis, average_minor=average, orders=orders, recent=recent),
        per_case_minor=per_case,
        left_minor=left,
        currency=currency,
        language="en",
    )


@pytest.mark.parametrize(
    ("changes", "amount", "why"),
    [
        ({}, 1_000, ["20 % of $50.00 for “Late”."]),
        ({"basis": None}, 600, ["20 % of the average order of $30.00 for “Late”."]),
        ({"basis": None, "average": None}, 500, ["No order to go by: a small gesture for “Late”."]),
        ({"basis": 0}, 500, ["No order to go by: a small gesture for “Late”."]),
        ({"orders": 7}, 1_000, ["20 % of $50.00 for “Late”."]),
        ({"orders": 8}, 1_250, ["20 % of $50.00 for “Late”.", "A quarter more: 8 orders so far."]),
        ({"recent": 2}, 500, ["20 % of $50.00 for “Late”.", "Half of it: made whole before, not long ago."]),
        ({"basis": 50_000}, 5_000, ["20 % of $500.00 for “Late”.", "At most $50.00 for one case."]),
        ({"left": 433}, 433, ["20 % of $50.00 for “Late”.", "Only $4.33 left today."]),
        ({"left": 0}, 0, ["20 % of $50.00 for “Late”.", "Only $0.00 left today."]),
        ({"per_case": 0, "left": 0}, 0, ["20 % of $50.00 for “Late”.", "At most $0.00 for one case."]),
    ],
)
def test_the_amount_and_every_step_to_it(changes, amount, why):
    suggestion = asked(**changes)
    assert (suggestion.amount_minor, list(suggestion.why)) == (amount, why)


@pytest.mark.parametrize(
    ("basis", "amount"), [(1_299, 250), (1_374, 250), (1_375, 300), (10, 50), (1_000, 200), (1_125, 250)]
)
def test_rounded_to_half_units_halves_up_and_never_nothing(basis, amount):
    assert asked(basis=basis).amount_minor == amount


def test_currencies_without_cents_are_rounded_to_tens():
    assert asked(basis=10_030, currency="KRW").amount_minor == 2_010
    assert asked(basis=None, average=None, per_case=30_000, left=99_999, currency="KRW").amount_minor == 3_000
