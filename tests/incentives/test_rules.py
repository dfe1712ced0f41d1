"""What a rule may say, how it says itself, and how it holds for one customer's own terms."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from retention.incentives.cart_conditions import Condition, Window
from retention.incentives.rules import Effect, IncentiveRule, Stackable, Stacking, sentence, with_terms
from retention.messaging.offers import _SAYINGS, _WORDS, offer

EFFECT, CONDITION = TypeAdapter(Effect), TypeAdapter(Condition)
EUR = {"EUR": 1000}
SHOES = {"on": "lines", "categories": ["Shoes"]}
HATS = {"on": "lines", "categories": ["Hats"]}


def rule(*effects, conditions=(), **more):
    return IncentiveRule.model_validate({"name": "x", "effects": effects, "conditions": conditions, **more})


#: effect → its own sentence, and what a customer reads in English
EFFECTS = [
    (
        {"kind": "percent", "basis_points": 1250, "scope": SHOES, "cap": EUR},
        "12.5 % off Shoes, at most 10.00 EUR",
        "12.5% off Shoes",
    ),
    ({"kind": "percent", "basis_points": 5000, "scope": {"on": "shipping"}}, "50 % off shipping", "50% off shipping"),
    (
        {"kind": "percent", "basis_points": 1000, "scope": {"units": 2, "pick": "cheapest", "units_each": 1}},
        "10 % off the order, the cheapest 2 units, one unit of each product",
        "10% off",
    ),
    (
        {"kind": "percent", "basis_points": 1000, "scope": {"on": "lines", "price_from": EUR, "price_to": EUR}},
        "10 % off products, from 10.00 EUR each, up to 10.00 EUR each",
        "10% off",
    ),
    (
        {
            "kind": "percent",
            "basis_points": 1000,
            "scope": {"without_tags": ["old"], "without_low_margin": True, "without_discounted": True, "units": 1},
        },
        "10 % off the order, the dearest unit, not old, not low-margin products, not on sale items",
        "10% off",
    ),
    ({"kind": "amount", "amounts": EUR}, "10.00 EUR off the order", "€10.00 off"),
    (
        {"kind": "amount", "amounts": EUR, "is_per_unit": True, "scope": SHOES},
        "10.00 EUR off each unit of Shoes",
        "€10.00 off each on Shoes",
    ),
    ({"kind": "amount", "is_from_grant": True}, "An amount set for each customer off the order", "A present"),
    (
        {"kind": "fixed_price", "amounts": EUR, "scope": SHOES},
        "Shoes for 10.00 EUR each",
        "Shoes for €10.00",
    ),
    (
        {"kind": "fixed_price", "amounts": EUR, "is_together": True},
        "the order for 10.00 EUR",
        "Selected products for €10.00",
    ),
    ({"kind": "free_shipping", "cap": EUR}, "Free shipping up to 10.00 EUR", "Free shipping"),
    ({"kind": "free_product", "products": ["cup"], "quantity": 2}, "2 × cup free", "Cup as a free gift"),
    (
        {"kind": "buy_get", "buy_quantity": 2, "scope": SHOES},
        "Buy 2 of Shoes, get 1 of the cheapest of them free",
        "Buy 2, get 1 free on Shoes",
    ),
    (
        {"kind": "buy_get", "buy_quantity": 1, "get": HATS, "basis_points": 5000, "most_times": 2},
        "Buy 1 of the order, get 1 of Hats 50 % cheaper, up to 2 times",
        "Buy 1, get 1 50% cheaper",
    ),
    (
        {"kind": "bundle_price", "parts": [{"scope": SHOES}, {"scope": HATS, "quantity": 2}], "amounts": EUR},
        "1 × Shoes + 2 × Hats for 10.00 EUR",
        "3 for €10.00",
    ),
    (
        {
            "kind": "tiers",
            "steps": [{"from_amounts": EUR, "basis_points": 500}, {"from_amounts": {"EUR": 5000}, "off": EUR}],
        },
        "5 % from 10.00 EUR, 10.00 EUR from 50.00 EUR, off the order",
        "Up to 5 % off",
    ),
    (
        {"kind": "tiers", "steps": [{"from_quantity": 3, "off": EUR}]},
        "10.00 EUR from 3 units, off the order",
        "Up to €10.00 off",
    ),
    (
        {"kind": "cash_back", "basis_points": 500, "days": 30, "cap": EUR},
        "5 % cash back on the order after 30 days, at most 10.00 EUR",
        "5 % cash back",
    ),
    ({"kind": "cash_back", "amounts": EUR}, "10.00 EUR cash back on the order after 14 days", "€10.00 cash back"),
    ({"kind": "free_trial", "name": "Premium", "days": 1}, "One day of Premium free", "A free trial of Premium"),
    (
        {"kind": "gift_card", "amounts": EUR, "products": ["cup"], "days": 90},
        "Gift card of 10.00 EUR for cup, for 90 days",
        "A gift card of €10.00",
    ),
    ({"kind": "store_credit", "amounts": EUR}, "10.00 EUR store credit", "€10.00 of credit"),
    ({"kind": "points", "points": 50, "unit": "stars"}, "50 stars", "50 points"),
    ({"kind": "cash", "amounts": EUR}, "10.00 EUR in cash", "€10.00"),
    ({"kind": "access", "to": "early_access", "name": "the sale"}, "Early access to the sale", "The sale"),
    ({"kind": "experience", "name": "A tour of the roastery"}, "A tour of the roastery", "A tour of the roastery"),
]


@pytest.mark.parametrize(("effect", "said", "read"), EFFECTS, ids=[said for _effect, said, _read in EFFECTS])
def test_every_effect_says_itself_to_the_marketer_and_to_the_customer(effect, said, read):
    made = EFFECT.validate_python(effect)
    assert made.sentence() == said
    assert EFFECT.validate_json(EFFECT.dump_json(made)) == made, "it is the same after a time in the database"
    mine = rule(effect)
    assert offer(mine, {}, "en") == read
    assert all(offer(mine, {}, language) for language in _WORDS)


def test_every_kind_of_effect_is_among_those_above():
    kinds = {effect["kind"] for effect, _said, _read in EFFECTS}
    assert kinds == set(EFFECT.json_schema()["discriminator"]["mapping"]) == set(_SAYINGS)


#: condition → its sentence
CONDITIONS = [
    ({"kind": "minimum_amount", "amounts": EUR}, "from 10.00 EUR"),
    (
        {"kind": "minimum_amount", "amounts": EUR, "when": "before", "scope": SHOES},
        "from 10.00 EUR of Shoes after other offers",
    ),
    ({"kind": "maximum_amount", "amounts": EUR, "when": "after"}, "up to 10.00 EUR after this discount"),
    ({"kind": "minimum_quantity", "quantity": 3, "scope": SHOES}, "from 3 units of Shoes"),
    ({"kind": "maximum_quantity", "quantity": 3}, "up to 3 units"),
    ({"kind": "has_products", "products": ["a", "b"], "quantity": 2}, "with 2 of a, b"),
    ({"kind": "has_categories", "categories": ["Hats"]}, "with 1 from Hats"),
    ({"kind": "first_order"}, "first order only"),
    ({"kind": "nth_order", "numbers": [2, 3], "every": 10}, "order number 2, 3 and every 10 orders"),
    ({"kind": "in_segments", "segments": [7], "names": ["VIP"]}, "customers in VIP"),
    ({"kind": "in_segments", "segments": [7], "is_out": True}, "customers not in № 7"),
    ({"kind": "in_tiers", "tiers": ["gold"]}, "for tier gold"),
    ({"kind": "in_countries", "countries": ["DE"]}, "delivered to DE"),
    ({"kind": "in_regions", "regions": ["Bavaria"]}, "delivered to Bavaria"),
    ({"kind": "in_channels", "channels": ["app"]}, "in app"),
    ({"kind": "in_stores", "stores": ["Berlin"]}, "in the stores Berlin"),
    ({"kind": "in_currencies", "names": ["EUR"]}, "paid in EUR"),
    ({"kind": "paid_by", "methods": ["card"]}, "paid by card"),
    (
        {"kind": "at_times", "windows": [{"weekdays": [6, 7]}, {"starts": "22:00", "ends": "02:00"}]},
        "Sat, Sun; 22:00–02:00",
    ),
    ({"kind": "has_attribute", "name": "gift", "values": [True]}, "gift is True"),
    ({"kind": "has_attribute", "name": "weight", "least": 1.5, "most": 20}, "weight from 1.5 up to 20"),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "said"), CONDITIONS, ids=[said for _condition, said in CONDITIONS])
def test_every_condition_says_itself(condition, said):
    made = CONDITION.validate_python(condition)
    assert made.sentence() == said
    assert CONDITION.validate_json(CONDITION.dump_json(made)) == made


def test_every_kind_of_condition_is_among_those_above():
    kinds = {condition["kind"] for condition, _said in CONDITIONS}
    assert kinds == set(CONDITION.json_schema()["discriminator"]["mapping"])


def test_a_whole_rule_is_one_sentence():
    whole = rule(
        {"kind": "percent", "basis_points": 2000, "scope": {**SHOES, "without_discounted": True}},
        {"kind": "free_shipping"},
        conditions=[{"kind": "minimum_amount", "amounts": {"EUR": 5000}}],
        limits={"total": 500, "per_customer": 1},
        stacking={"kind": "exclusive", "base": "initial"},
    )
    assert sentence(whole) == (
        "20 % off Shoes, not on sale items and Free shipping, from 50.00 EUR, first 500 shoppers, once per customer, "
        "not with other offers, counted from the first prices"
    )


PERCENT = {"kind": "percent", "basis_points": 1000}
#: what is wrong → (effects, more of the rule, what the refusal names)
REFUSED = {
    "no effect": ([], {}, "at least 1 item"),
    "six effects": ([{**PERCENT, "basis_points": n} for n in range(1, 7)], {}, "at most 5 items"),
    "an effect twice": ([PERCENT, {**PERCENT, "scope": {}}], {}, "there twice"),
    "a condition twice": ([PERCENT], {"conditions": [{"kind": "first_order"}] * 2}, "asked twice"),
    "lines without a choice": ([{**PERCENT, "scope": {"on": "lines"}}], {}, "choose products"),
    "products of the shipping": ([{**PERCENT, "scope": {"on": "shipping", "tags": ["a"]}}], {}, "shipping has no"),
    "an order of some products": ([{**PERCENT, "scope": {"products": ["a"]}}], {}, "choose products"),
    "prices the wrong way round": (
        [{**PERCENT, "scope": {"on": "lines", "price_from": {"EUR": 2}, "price_to": {"EUR": 1}}}],
        {},
        "below the lowest",
    ),
    "prices in two currencies": (
        [{**PERCENT, "scope": {"on": "lines", "price_from": {"EUR": 1}, "price_to": {"USD": 2}}}],
        {},
        "same currencies",
    ),
    "no currency in common": ([{"kind": "amount", "amounts": {"USD": 5}}, {**PERCENT, "cap": EUR}], {}, "in common"),
    "a budget in another currency": (
        [{"kind": "amount", "amounts": {"USD": 5}}],
        {"limits": {"money": {"amount_minor": 5, "currency": "EUR"}}},
        "in common",
    ),
    "an amount off each shipping": (
        [{"kind": "amount", "amounts": EUR, "is_per_unit": True, "scope": {"on": "shipping"}}],
        {},
        "has no units",
    ),
    "sets of shipping": ([{"kind": "buy_get", "buy_quantity": 1, "scope": {"on": "shipping"}}], {}, "not about"),
    "sets of some units": ([{"kind": "buy_get", "buy_quantity": 1, "scope": {"units": 3}}], {}, "say themselves"),
    "a bundle of some units": (
        [{"kind": "bundle_price", "amounts": EUR, "parts": [{"scope": {"units": 3}}]}],
        {},
        "says itself",
    ),
    "a step without a start": ([{"kind": "tiers", "steps": [{"basis_points": 5}]}], {}, "from which amount"),
    "a step of nothing": ([{"kind": "tiers", "steps": [{"from_quantity": 5}]}], {}, "percentage or an amount"),
    "steps of two kinds": (
        [
            {
                "kind": "tiers",
                "steps": [
                    {"from_quantity": 5, "basis_points": 5},
                    {"from_amounts": EUR, "basis_points": 5},
                ],
            }
        ],
        {},
        "begin all",
    ),
    "cash back of the shipping": (
        [{"kind": "cash_back", "basis_points": 5, "scope": {"on": "shipping"}}],
        {},
        "not for shipping",
    ),
    "a card of nothing": ([{"kind": "gift_card"}], {}, "say how much"),
    "groups without a name": ([PERCENT], {"stacking": {"kind": "groups"}}, "name the groups"),
    "names without groups": ([PERCENT], {"stacking": {"groups": ["a"]}}, "name the groups"),
    "no order at all": ([PERCENT], {"conditions": [{"kind": "nth_order"}]}, "say which orders"),
    "an attribute of anything": ([PERCENT], {"conditions": [{"kind": "has_attribute", "name": "a"}]}, "name either"),
    "hours with a zone": (
        [PERCENT],
        {"conditions": [{"kind": "at_times", "windows": [{"starts": "10:00+02:00"}]}]},
        "without a zone",
    ),
    "a condition on a few units": (
        [PERCENT],
        {"conditions": [{"kind": "minimum_quantity", "quantity": 2, "scope": {"units": 1}}]},
        "all units of them",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_makes_no_sense_is_refused(name):
    effects, more, words = REFUSED[name]
    with pytest.raises(ValidationError, match=words):
        rule(*effects, **more)


@given(
    st.lists(st.integers(1, 7), max_size=3, unique=True),
    st.times(),
    st.times(),
    st.datetimes(dt.datetime(2026, 5, 1), dt.datetime(2026, 5, 31)),
)
def test_a_window_is_some_hours_from_each_of_its_days(weekdays, starts, ends, at):
    """Against each day's own hours, spelled out as two instants."""
    window = Window(weekdays=weekdays, starts=starts, ends=ends)
    opened = []
    for day in (at.date(), at.date() - dt.timedelta(days=1)):
        begins = dt.datetime.combine(day, starts)
        until = dt.datetime.combine(day + dt.timedelta(days=ends <= starts), ends)
        opened.append((not weekdays or day.isoweekday() in weekdays) and begins <= at < until)
    assert window.holds(at) == any(opened)


def test_her_own_terms_reach_every_effect_that_has_a_scope_or_an_amount_for_her():
    whole = rule(
        {"kind": "percent", "basis_points": 1000, "scope": {"without_discounted": True, "units": 1}},
        {"kind": "amount", "is_from_grant": True, "scope": {"on": "shipping"}},
        {"kind": "gift_card", "is_from_grant": True},
        {"kind": "buy_get", "buy_quantity": 1, "scope": SHOES, "get": HATS},
        {"kind": "cash_back", "basis_points": 100},
    )
    hers = with_terms(whole, {"amount_minor": 700, "currency": "USD", "categories": ["Bags"], "products": ["cup"]})
    percent, amount, card, buy_get, back = hers.effects
    for scope in (percent.scope, buy_get.get, back.scope):
        assert (scope.on, scope.products, scope.categories) == ("lines", ("cup",), ("Bags",))
    assert (percent.scope.without_discounted, percent.scope.units) == (True, 1), "what is left out stays left out"
    assert buy_get.scope.categories == ("Shoes",), "what is to be bought is for everybody the same"
    assert (amount.scope.on, amount.amounts, card.amounts) == ("shipping", {"USD": 700}, {"USD": 700})
    assert (card.products, card.categories) == (("cup",), ("Bags",))
    assert (whole.currencies, hers.currencies) == (None, {"USD"}), "her amount names the currency of her baskets"
    assert with_terms(whole, {}) is whole


def test_a_limit_of_orders_and_what_minimum_a_customer_reads():
    asked = [
        {"kind": "minimum_amount", "amounts": EUR, "when": "after"},
        {"kind": "minimum_amount", "amounts": {"EUR": 5000}},
    ]
    assert offer(rule(PERCENT, conditions=asked), {}, "en") == "10% off from €50.00"
    assert offer(rule(PERCENT, conditions=asked[:1]), {}, "en") == "10% off"


def test_the_policy_of_several_offers_is_one_sentence():
    assert Stacking().sentence() == "the best deal"
    strict = Stacking(mode="priority", most_offers=2, ceiling_basis_points=3_000, ceiling={"EUR": 5000})
    assert strict.sentence() == "by priority, up to 2 offers an order, at most 30 % off, at most 50.00 EUR off"


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ({}, {}, True),
        ({"kind": "exclusive"}, {}, False),
        ({"kind": "exclusive"}, {"kind": "exclusive"}, False),
        ({"kind": "groups", "groups": ["a"]}, {}, False),
        ({"kind": "groups", "groups": ["a"]}, {"kind": "groups", "groups": ["b", "a"]}, True),
        ({"kind": "groups", "groups": ["a"]}, {"kind": "groups", "groups": ["b"]}, False),
        ({"kind": "groups", "groups": ["a"]}, {"kind": "exclusive"}, False),
    ],
)
def test_offers_must_allow_each_other(one, other, together):
    first, second = Stackable.model_validate(one), Stackable.model_validate(other)
    assert first.allows(second) is second.allows(first) is together
