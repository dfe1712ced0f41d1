"""Laws that hold for every basket and offer."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from retention import money
from retention.incentives import discounts
from retention.incentives.baskets import Basket, Line
from retention.incentives.rules import IncentiveRule
from retention.incentives.sharing import percent_of, share


def evaluate(offers, basket, *policy):
    return discounts.evaluate([discounts.Offer(key, rule) for key, rule in offers], basket, *policy)


SKUS = ["a", "b", "c", "d"]
lines = st.builds(
    Line,
    sku=st.sampled_from(SKUS),
    quantity=st.integers(1, 7),
    unit_price_minor=st.integers(0, 50_000),
    category=st.sampled_from(["Shoes", "Shoes/Running", "Hats", ""]),
    tags=st.frozensets(st.sampled_from(["wool", "new"])),
    is_discounted=st.booleans(),
    is_low_margin=st.booleans(),
    minimum_price_minor=st.integers(0, 60_000),
    is_unpriced=st.sampled_from([False, False, False, True]),
)
baskets = st.builds(
    Basket,
    currency=st.just("EUR"),
    lines=st.lists(lines, min_size=1, max_size=8).map(tuple),
    shipping_minor=st.integers(0, 2_000),
)
scopes = st.one_of(
    st.fixed_dictionaries({"on": st.just("order"), "without_low_margin": st.booleans()}),
    st.fixed_dictionaries(
        {"on": st.just("lines"), "categories": st.just(["Shoes"]), "without_discounted": st.booleans()}
    ),
    st.fixed_dictionaries({"on": st.just("lines"), "products": st.lists(st.sampled_from(SKUS), min_size=1)}),
)
caps = st.one_of(st.just({}), st.fixed_dictionaries({"EUR": st.integers(1, 20_000)}))
goods_effects = st.one_of(
    st.fixed_dictionaries(
        {"kind": st.just("percent"), "basis_points": st.integers(1, 10_000), "scope": scopes, "cap": caps}
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just("amount"),
            "amounts": st.fixed_dictionaries({"EUR": st.integers(1, 100_000)}),
            "scope": scopes,
        }
    ),
)
shipping_effects = st.fixed_dictionaries({"kind": st.just("free_shipping"), "cap": caps})
rules = st.builds(
    lambda goods, shipping: IncentiveRule.model_validate({"name": "x", "effects": [*goods, *shipping]}),
    st.lists(goods_effects, min_size=1, max_size=1),
    st.lists(shipping_effects, max_size=1),
)


@given(baskets, st.lists(rules, min_size=1, max_size=4))
def test_nothing_goes_below_zero_or_a_minimum_price_and_everything_adds_up(basket, offers):
    evaluation = evaluate(enumerate(offers), basket)
    assert {one.key for one in evaluation.applied}.isdisjoint(one.key for one in evaluation.not_applied)
    assert len(evaluation.applied) + len(evaluation.not_applied) == len(offers)
    for at, line in enumerate(basket.lines):
        off = [one.lines[at] for one in evaluation.applied]
        assert all(part >= 0 for part in off)
        assert sum(off) <= line.room_minor
    off_shipping = [one.shipping_minor for one in evaluation.applied]
    assert all(part >= 0 for part in off_shipping)
    assert sum(off_shipping) <= basket.shipping_minor
    assert all(one.discount_minor > 0 for one in evaluation.applied)
    answer = evaluation.as_json()
    assert answer["discount_minor"] == sum(row["discount_minor"] for row in answer["lines"]) + sum(off_shipping)
    assert (
        answer["total_minor"] == sum(row["total_minor"] for row in answer["lines"]) + answer["shipping"]["total_minor"]
    )


@given(baskets, rules, st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_nothing(basket, offer, random):
    places = list(range(len(basket.lines)))
    random.shuffle(places)
    shuffled = Basket("EUR", tuple(basket.lines[at] for at in places), basket.shipping_minor)

    def outcome(evaluation):
        if not evaluation.applied:
            return [reason.code for reason in evaluation.not_applied[0].reasons]
        (applied,) = evaluation.applied
        pairs = zip(evaluation.basket.lines, applied.lines, strict=True)
        return sorted((repr((line.sku, line.amount_minor, line.room_minor)), off) for line, off in pairs), (
            applied.shipping_minor
        )

    assert outcome(evaluate([("x", offer)], basket)) == outcome(evaluate([("x", offer)], shuffled))


@given(baskets, rules)
def test_the_same_basket_gets_the_same_answer(basket, offer):
    assert evaluate([("x", offer)], basket) == evaluate([("x", offer)], basket)


@given(baskets, st.integers(1, 10_000))
def test_a_percentage_alone_is_exact_to_the_cent(basket, points):
    free = Basket("EUR", tuple(Line(one.sku, one.quantity, one.unit_price_minor) for one in basket.lines))
    offer = IncentiveRule.model_validate({"name": "x", "effects": [{"kind": "percent", "basis_points": points}]})
    exact = Fraction(free.goods_minor * points, 10_000)
    off = evaluate([("x", offer)], free).discount_minor
    assert abs(off - exact) <= Fraction(1, 2)
    for at, line in enumerate(free.lines):
        applied = evaluate([("x", offer)], free).applied
        if applied:
            assert abs(applied[0].lines[at] - Fraction(line.amount_minor * points, 10_000)) < 2


@given(st.integers(0, 10**12), st.integers(0, 10_000))
def test_the_rounding_rule_is_that_of_the_house(amount, points):
    assert percent_of(amount, points) == money.round_half_up(money.Decimal(amount) * points / 10_000)


@given(
    st.integers(0, 10_000),
    st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 5_000)), min_size=1, max_size=9),
)
def test_shares_fill_what_room_there_is_and_no_more(total, pairs):
    weights = [weight for weight, _room in pairs]
    rooms = [min(room, weight) for weight, room in pairs]
    shares = share(total, weights, rooms)
    assert sum(shares) == min(total, sum(rooms))
    assert all(0 <= part <= room for part, room in zip(shares, rooms, strict=True))
