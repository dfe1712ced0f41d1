"""What one use of an incentive costs at most, for the forecast of a campaign."""

import pytest

from campaigns.operations.forecasting import cost_of_one
from retention.incentives.rules import IncentiveRule

EUR = {"EUR": 1000}
#: effects, average order → the cost of one use; None: nobody can say
COSTS = {
    "an amount": ([{"kind": "amount", "amounts": EUR}], None, 1000),
    "an amount off each unit": ([{"kind": "amount", "amounts": EUR, "is_per_unit": True}], 5000, None),
    "an amount off each unit, capped": (
        [{"kind": "amount", "amounts": EUR, "is_per_unit": True, "cap": {"EUR": 3000}}],
        5000,
        3000,
    ),
    "a share of the average order": ([{"kind": "percent", "basis_points": 1250}], 5000, 625),
    "a share up to its cap": ([{"kind": "percent", "basis_points": 5000, "cap": EUR}], 5000, 1000),
    "a share of what nobody knows": ([{"kind": "percent", "basis_points": 5000}], None, None),
    "a capped share of what nobody knows": ([{"kind": "percent", "basis_points": 5000, "cap": EUR}], None, 1000),
    "cash back": ([{"kind": "cash_back", "basis_points": 1000}], 5000, 500),
    "cash back of what nobody knows": ([{"kind": "cash_back", "basis_points": 1000}], None, None),
    "an amount of cash back": ([{"kind": "cash_back", "amounts": EUR}], None, 1000),
    "cards, credit and points": (
        [
            {"kind": "gift_card", "amounts": EUR},
            {"kind": "store_credit", "amounts": {"EUR": 50}},
            {"kind": "points", "points": 9},
        ],
        None,
        1050,
    ),
    "a card in another currency": ([{"kind": "gift_card", "amounts": {"USD": 5}}], 5000, None),
    "the third free": ([{"kind": "buy_get", "buy_quantity": 2}], 5000, None),
    "the third free, capped": ([{"kind": "buy_get", "buy_quantity": 2, "cap": EUR}], 5000, 1000),
}


@pytest.mark.parametrize("name", COSTS)
def test_what_one_use_costs_at_most(name):
    effects, average, cost = COSTS[name]
    rule = IncentiveRule.model_validate({"name": "Offer", "effects": effects})
    found, words = cost_of_one(rule, "EUR", average)
    assert found == cost
    assert words


@pytest.mark.parametrize(
    ("effect", "shipping", "cost"),
    [
        ({"kind": "free_shipping"}, 490, 490),
        ({"kind": "free_shipping", "cap": {"EUR": 300}}, 490, 300),
        ({"kind": "free_shipping", "cap": {"EUR": 300}}, None, 300),
        ({"kind": "free_shipping"}, None, None),
        ({"kind": "percent", "basis_points": 5000, "scope": {"on": "shipping"}}, 490, 245),
        ({"kind": "percent", "basis_points": 5000, "scope": {"on": "shipping"}}, None, None),
    ],
)
def test_shipping_costs_what_it_came_to_lately(effect, shipping, cost):
    rule = IncentiveRule.model_validate({"name": "Offer", "effects": [effect]})
    assert cost_of_one(rule, "EUR", 10_000, shipping)[0] == cost
