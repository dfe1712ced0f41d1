"""Baskets worked by hand: every expected line discount below was computed with pencil, not by the engine."""

import pytest

from retention.incentives import discounts
from retention.incentives.baskets import Basket, Line, Shopper
from retention.incentives.discounts import Offer
from retention.incentives.rules import IncentiveRule, Stacking, with_terms


def evaluate(offers, basket, *policy):
    return discounts.evaluate([Offer(key, rule) for key, rule in offers], basket, *policy)


def rule(*effects, conditions=(), **more):
    return IncentiveRule.model_validate({"name": "x", "effects": effects, "conditions": conditions, **more})


def percent(points, scope=None, **more):
    return {"kind": "percent", "basis_points": points, "scope": scope or {}, **more}


def amount(minor, scope=None, currency="EUR"):
    return {"kind": "amount", "amounts": {currency: minor}, "scope": scope or {}}


def lines_of(**scope):
    return {"on": "lines", **scope}


SHIPPING = {"kind": "free_shipping"}


def line(sku, price, quantity=1, **more):
    return Line(sku, quantity, price, tags=frozenset(more.pop("tags", ())), **more)


def shoe(price, quantity=1, **more):
    return line(more.pop("sku", "shoe"), price, quantity, category="Shoes/Running", **more)


def hat(price, quantity=1, **more):
    return line("hat", price, quantity, category="Hats", tags=["wool"], **more)


# effects, lines, shipping → discounts by line, discount on shipping
WORKED = {
    "20 % of 100.00": ([percent(2000)], [line("a", 10000)], 0, [2000], 0),
    "20 % of two lines": ([percent(2000)], [line("a", 1000), line("b", 3000)], 0, [200, 600], 0),
    "quantities count": ([percent(1000)], [line("a", 1000, 3)], 0, [300], 0),
    "half a cent rounds up: 50 % of 0.01": ([percent(5000)], [line("a", 1)], 0, [1], 0),
    "half a cent rounds up: 10 % of 0.05": ([percent(1000)], [line("a", 5)], 0, [1], 0),
    "under half rounds down: 10 % of 0.04, and 0.04 more": (
        [percent(1000)],
        [line("a", 4), line("b", 4)],
        0,
        [1, 0],
        0,
    ),
    "rounded once, not by line: 10 % of 3 × 0.05": (
        [percent(1000)],
        [line("a", 5), line("b", 5), line("c", 5)],
        0,
        [1, 1, 0],
        0,
    ),
    "a third of 10.00 three times": (
        [percent(3333)],
        [line("a", 1000), line("b", 1000), line("c", 1000)],
        0,
        [334, 333, 333],
        0,
    ),
    "33.33 % of 9.99": ([percent(3333)], [line("a", 999)], 0, [333], 0),
    "12.5 % of 19.99": ([percent(1250)], [line("a", 1999)], 0, [250], 0),
    "0.01 % of 50.00 is half a cent": ([percent(1)], [line("a", 5000)], 0, [1], 0),
    "100 % leaves nothing": ([percent(10000)], [line("a", 1999, 2), line("b", 1)], 0, [3998, 1], 0),
    "shares by largest remainder: 10 % of 3.33 + 6.66": (
        [percent(1000)],
        [line("a", 333), line("b", 666)],
        0,
        [33, 67],
        0,
    ),
    "20 % of the goods, not of the shipping": ([percent(2000)], [line("a", 5000)], 490, [1000], 0),
    "only shoes": ([percent(2000, lines_of(categories=["Shoes"]))], [shoe(5000), hat(3000)], 0, [1000, 0], 0),
    "the category itself and below it": (
        [percent(2000, lines_of(categories=["Shoes/Running"]))],
        [shoe(5000), line("b", 1000, category="Shoes")],
        0,
        [1000, 0],
        0,
    ),
    "a category is no prefix of letters": (
        [percent(2000, lines_of(categories=["Hat", "Shoes"]))],
        [hat(3000), shoe(100)],
        0,
        [0, 20],
        0,
    ),
    "one product": ([percent(1000, lines_of(products=["hat"]))], [shoe(5000), hat(3000)], 0, [0, 300], 0),
    "a tag": ([percent(1000, lines_of(tags=["wool"]))], [shoe(5000), hat(3000)], 0, [0, 300], 0),
    "product or tag": (
        [percent(1000, lines_of(products=["shoe"], tags=["wool"]))],
        [shoe(5000), hat(3000), line("c", 700)],
        0,
        [500, 300, 0],
        0,
    ),
    "the order without hats": ([percent(1000, {"without_categories": ["Hats"]})], [shoe(500), hat(300)], 0, [50, 0], 0),
    "the order without a product": (
        [percent(1000, {"without_products": ["shoe"]})],
        [shoe(500), hat(300)],
        0,
        [0, 30],
        0,
    ),
    "the order without a tag": ([percent(1000, {"without_tags": ["wool"]})], [shoe(500), hat(300)], 0, [50, 0], 0),
    "exclusion beats choice": (
        [percent(1000, lines_of(categories=["Shoes"], without_products=["shoe"]))],
        [shoe(500), shoe(900, sku="boot")],
        0,
        [0, 90],
        0,
    ),
    "not low-margin products": (
        [percent(1000, {"without_low_margin": True})],
        [shoe(500, is_low_margin=True), hat(300)],
        0,
        [0, 30],
        0,
    ),
    "not on sale items": (
        [percent(1000, {"without_discounted": True})],
        [shoe(500), hat(300, is_discounted=True)],
        0,
        [50, 0],
        0,
    ),
    "a percentage stops at the minimum price": (
        [percent(5000)],
        [line("a", 1000, minimum_price_minor=800), line("b", 1000)],
        0,
        [200, 500],
        0,
    ),
    "the minimum price counts for each unit": (
        [percent(5000)],
        [line("a", 1000, 3, minimum_price_minor=900)],
        0,
        [300],
        0,
    ),
    "a minimum price above the price takes nothing": (
        [percent(5000)],
        [line("a", 1000, minimum_price_minor=1200), line("b", 100)],
        0,
        [0, 50],
        0,
    ),
    "a cap": ([percent(5000, cap={"EUR": 1000})], [line("a", 3000), line("b", 1000)], 0, [750, 250], 0),
    "a cap in thirds": (
        [percent(5000, cap={"EUR": 1000})],
        [line("a", 1000), line("b", 1000), line("c", 1000)],
        0,
        [334, 333, 333],
        0,
    ),
    "a cap that is not reached": ([percent(1000, cap={"EUR": 1000})], [line("a", 3000)], 0, [300], 0),
    "a cap after the minimum prices": (
        [percent(5000, cap={"EUR": 600})],
        [line("a", 1000, minimum_price_minor=900), line("b", 1000)],
        0,
        [100, 500],
        0,
    ),
    "10.00 off 100.00": ([amount(1000)], [line("a", 10000)], 0, [1000], 0),
    "10.00 over three equal lines": (
        [amount(1000)],
        [line("a", 2000), line("b", 2000), line("c", 2000)],
        0,
        [334, 333, 333],
        0,
    ),
    "the odd cent goes to the dearer line": ([amount(5)], [line("a", 100), line("b", 300)], 0, [1, 4], 0),
    "10.00 off 7.00 is 7.00": ([amount(1000)], [line("a", 700)], 490, [700], 0),
    "10.00 off in proportion 1 : 3": ([amount(1000)], [line("a", 2500), line("b", 7500)], 0, [250, 750], 0),
    "10.00 off shoes": ([amount(1000, lines_of(categories=["Shoes"]))], [shoe(5000), hat(9000)], 0, [1000, 0], 0),
    "what a protected line cannot give, others do": (
        [amount(1000)],
        [line("a", 1000, minimum_price_minor=900), line("b", 1000)],
        0,
        [100, 900],
        0,
    ),
    "an amount ends where every line is at its minimum": (
        [amount(1000)],
        [line("a", 1000, minimum_price_minor=900), line("b", 1000, minimum_price_minor=700)],
        0,
        [100, 300],
        0,
    ),
    "shared anew twice": (
        [amount(900)],
        [line("a", 1000, minimum_price_minor=990), line("b", 1000, minimum_price_minor=600), line("c", 1000)],
        0,
        [10, 400, 490],
        0,
    ),
    "yen have no cents": ([amount(1000, currency="JPY")], [line("a", 2000), line("b", 1000)], 0, [667, 333], 0),
    "free shipping": ([SHIPPING], [line("a", 1000)], 490, [0], 490),
    "free shipping up to 4.00": ([{**SHIPPING, "cap": {"EUR": 400}}], [line("a", 1000)], 490, [0], 400),
    "a discount and free shipping": ([percent(1000), SHIPPING], [line("a", 1000)], 490, [100], 490),
    "free shipping where no goods match": (
        [percent(1000, lines_of(tags=["x"])), SHIPPING],
        [line("a", 1000)],
        490,
        [0],
        490,
    ),
    "a discount where shipping is free already": ([percent(1000), SHIPPING], [line("a", 1000)], 0, [100], 0),
    "a line of no worth": ([percent(1000)], [line("a", 0), line("b", 1000)], 0, [0, 100], 0),
    "two lines of one product": ([amount(101)], [line("a", 100), line("a", 200)], 0, [34, 67], 0),
}


@pytest.mark.parametrize("name", WORKED)
def test_worked_by_hand(name):
    effects, lines, shipping, off, off_shipping = WORKED[name]
    basket = Basket("JPY" if "yen" in name else "EUR", tuple(lines), shipping)
    evaluation = evaluate([("x", rule(*effects))], basket)
    (applied,) = evaluation.applied
    assert (list(applied.lines), applied.shipping_minor) == (off, off_shipping)
    assert evaluation.total_minor == sum(one.amount_minor for one in lines) + shipping - sum(off) - off_shipping


MINIMUM = {"kind": "minimum_amount", "amounts": {"EUR": 5000}}
#: rule, basket's own facts → codes of the reasons, near miss
REFUSED = {
    "short of the minimum": (rule(percent(1000), conditions=[MINIMUM]), {}, ["incentives.below_minimum"], True),
    "a minimum in another currency": (
        rule(percent(1000), conditions=[MINIMUM]),
        {"currency": "USD"},
        ["incentives.wrong_currency"],
        False,
    ),
    "an amount in another currency": (rule(amount(100)), {"currency": "USD"}, ["incentives.wrong_currency"], False),
    "a cap in another currency": (
        rule(percent(1000, cap={"EUR": 1})),
        {"currency": "USD"},
        ["incentives.wrong_currency"],
        False,
    ),
    "a budget in another currency": (
        rule(percent(1000), limits={"money": {"amount_minor": 1, "currency": "EUR"}}),
        {"currency": "USD"},
        ["incentives.wrong_currency"],
        False,
    ),
    "not a first order": (
        rule(percent(1000), conditions=[{"kind": "first_order"}]),
        {"shopper": Shopper(1, True, 2)},
        ["incentives.not_first_order"],
        False,
    ),
    "a stranger's first order": (
        rule(percent(1000), conditions=[{"kind": "first_order"}]),
        {},
        ["incentives.customer_unknown"],
        False,
    ),
    "a product is missing": (
        rule(percent(1000), conditions=[{"kind": "has_products", "products": ["a"], "quantity": 3}]),
        {},
        ["incentives.product_missing"],
        True,
    ),
    "a category is missing": (
        rule(percent(1000), conditions=[{"kind": "has_categories", "categories": ["Shoes"]}]),
        {},
        ["incentives.category_missing"],
        True,
    ),
    "another country": (
        rule(percent(1000), conditions=[{"kind": "in_countries", "countries": ["DE", "AT"]}]),
        {"country": "FR"},
        ["incentives.other_country"],
        False,
    ),
    "an unknown country is outside": (
        rule(percent(1000), conditions=[{"kind": "in_countries", "countries": ["DE", "AT"]}]),
        {"country": ""},
        ["incentives.country_unknown"],
        False,
    ),
    "another channel": (
        rule(percent(1000), conditions=[{"kind": "in_channels", "channels": ["app"]}]),
        {"channel": "web"},
        ["incentives.other_channel"],
        False,
    ),
    "every reason is told, and one that no basket mends makes it no near miss": (
        rule(percent(1000), conditions=[MINIMUM, {"kind": "first_order"}]),
        {"shopper": Shopper(1, True, 1)},
        ["incentives.below_minimum", "incentives.not_first_order"],
        False,
    ),
    "nothing in scope": (
        rule(percent(1000, lines_of(tags=["x"]))),
        {},
        ["incentives.nothing_in_scope"],
        False,
    ),
    "free shipping without shipping": (rule(SHIPPING), {}, ["incentives.no_shipping_to_pay"], False),
    "everything at its minimum price": (
        rule(percent(1000)),
        {"lines": (line("a", 1000, minimum_price_minor=1000),)},
        ["incentives.at_minimum_price"],
        False,
    ),
    "a floor that nobody can tell": (
        rule(percent(1000)),
        {"lines": (line("a", 1000, is_unpriced=True),)},
        ["incentives.at_minimum_price"],
        False,
    ),
    "an amount for each customer, and none for her": (
        rule({"kind": "amount", "is_from_grant": True}),
        {},
        ["incentives.amount_missing"],
        False,
    ),
    "a percentage too small to be a cent": (
        rule(percent(1)),
        {"lines": (line("a", 100),)},
        ["incentives.no_effect"],
        False,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    refused, own, codes, is_near_miss = REFUSED[name]
    basket = Basket(**{"currency": "EUR", "lines": (line("a", 1000),), "country": "DE", **own})
    evaluation = evaluate([("x", refused)], basket)
    assert evaluation.applied == ()
    (missed,) = evaluation.not_applied
    assert [reason.code for reason in missed.reasons] == codes
    assert missed.is_near_miss is is_near_miss
    assert evaluation.total_minor == basket.total_minor
    assert all(str(reason) and "%(" not in str(reason) for reason in missed.reasons)


def test_a_near_miss_says_what_is_missing():
    basket = Basket("EUR", (line("a", 3801),), 490)
    (missed,) = evaluate([("x", rule(SHIPPING, conditions=[MINIMUM]))], basket).not_applied
    assert missed.reasons[0].params["missing"] == "11.99 EUR"
    assert missed.reasons[0].params["missing_minor"] == 1199


def test_exactly_the_minimum_is_enough_and_shipping_does_not_count():
    offer = rule(percent(1000), conditions=[MINIMUM])
    assert evaluate([("x", offer)], Basket("EUR", (line("a", 5000),))).discount_minor == 500
    assert evaluate([("x", offer)], Basket("EUR", (line("a", 4999),), 900)).discount_minor == 0


def test_her_own_terms_say_how_much_and_for_what():
    sorry = rule({"kind": "amount", "is_from_grant": True})
    hers = with_terms(sorry, {"amount_minor": 1200, "currency": "EUR", "products": ["hat"]})
    basket = Basket("EUR", (shoe(5000), hat(1500)))
    assert evaluate([("x", hers)], basket).applied[0].lines == (0, 1200)
    assert evaluate([("x", hers)], Basket("EUR", (shoe(5000),))).not_applied[0].reasons[0].code == (
        "incentives.nothing_in_scope"
    )
    assert evaluate([("x", hers)], Basket("USD", (hat(1500),))).not_applied[0].reasons[0].code == (
        "incentives.wrong_currency"
    )


def test_later_offers_see_what_earlier_ones_left():
    basket = Basket("EUR", (line("a", 10000),), 490)
    evaluation = evaluate([("half", rule(percent(5000))), ("fifth", rule(percent(2000)))], basket)
    assert [one.discount_minor for one in evaluation.applied] == [5000, 1000]
    assert evaluation.total_minor == 4490


def test_an_offer_that_holds_alone_and_not_beside_a_better_one_is_outdone_or_by_priority_too_late():
    half = rule(percent(5000), stacking={"priority": 1})
    fifty = rule(amount(1000), conditions=[{**MINIMUM, "when": "before"}])
    basket = Basket("EUR", (line("a", 8000),))
    for mode, reason in (("best_deal", "incentives.others_are_better"), ("priority", "incentives.below_minimum")):
        evaluation = evaluate([("fifty", fifty), ("half", half)], basket, Stacking(mode=mode))
        assert [one.key for one in evaluation.applied] == ["half"]
        (missed,) = evaluation.not_applied
        assert [one.code for one in missed.reasons] == [reason]


def test_the_answer_adds_up_by_line():
    answer = evaluate([("x", rule(percent(1000), SHIPPING))], Basket("EUR", (shoe(999, 3), hat(1)), 490)).as_json()
    assert answer == {
        "currency": "EUR",
        "lines": [
            {
                "sku": "shoe",
                "quantity": 3,
                "amount_minor": 2997,
                "discount_minor": 300,
                "total_minor": 2697,
                "units": [{"quantity": 3, "total_minor": 899}],
            },
            {
                "sku": "hat",
                "quantity": 1,
                "amount_minor": 1,
                "discount_minor": 0,
                "total_minor": 1,
                "units": [{"quantity": 1, "total_minor": 1}],
            },
        ],
        "shipping": {"amount_minor": 490, "discount_minor": 490, "total_minor": 0},
        "goods_minor": 2998,
        "discount_minor": 790,
        "total_minor": 2698,
        "offers": [
            {"key": "x", "discount_minor": 790, "lines": [300, 0], "shipping_minor": 490, "benefits": []},
        ],
    }
