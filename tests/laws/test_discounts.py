"""Laws that hold for every basket and every offer, alone or with others."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from retention import money
from retention.incentives.baskets import Basket, Line
from retention.incentives.carts import Cart
from retention.incentives.discounts.combining import Candidate
from retention.incentives.discounts.offers import Offer
from retention.incentives.rules import Stacking
from retention.incentives.sharing import percent_of, share
from tests.laws.offers import baskets, policies, rule_of, rules, stackings, tied_baskets, worked

PRIORITY = Stacking(mode="priority")
several = st.lists(rules, min_size=1, max_size=5)


@given(baskets, several, policies)
def test_everything_adds_up_by_offer_line_and_unit(basket, rules, policy):
    evaluation = worked(rules, basket, policy)
    assert {one.key for one in evaluation.applied}.isdisjoint(one.key for one in evaluation.not_applied)
    assert len(evaluation.applied) + len(evaluation.not_applied) == len(rules)
    for one in evaluation.applied:
        assert one.discount_minor == sum(one.lines) + one.shipping_minor
        assert [sum(count * off for count, off in units) for units in one.units] == list(one.lines)
        assert all(off > 0 and count > 0 for units in one.units for count, off in units)
        assert one.discount_minor > 0 or one.benefits
    for at, line in enumerate(basket.lines):
        assert sum(count for count, _left in evaluation.units[at]) == line.quantity
        paid = sum(count * left for count, left in evaluation.units[at])
        assert paid == line.amount_minor - sum(one.lines[at] for one in evaluation.applied)
    answer = evaluation.as_json()
    shipping = answer["shipping"]
    assert (
        answer["discount_minor"] == sum(row["discount_minor"] for row in answer["lines"]) + shipping["discount_minor"]
    )
    assert answer["total_minor"] == sum(row["total_minor"] for row in answer["lines"]) + shipping["total_minor"]
    assert answer["total_minor"] == basket.total_minor - sum(row["discount_minor"] for row in answer["offers"])


@given(baskets, several, policies)
def test_no_unit_goes_below_zero_or_its_minimum_price_and_shipping_stays_positive(basket, rules, policy):
    evaluation = worked(rules, basket, policy)
    for line, units in zip(basket.lines, evaluation.units, strict=True):
        floor = line.unit_price_minor if line.is_unpriced else min(line.minimum_price_minor, line.unit_price_minor)
        assert all(floor <= left <= line.unit_price_minor for _count, left in units)
    off_shipping = [one.shipping_minor for one in evaluation.applied]
    assert all(off >= 0 for off in off_shipping)
    assert sum(off_shipping) <= basket.shipping_minor


@given(baskets | tied_baskets, several, policies, st.data())
def test_the_order_of_lines_changes_nothing(basket, rules, policy, data):
    backwards = tuple(reversed(basket.lines))
    lines = data.draw(st.sampled_from([backwards, backwards[1:] + backwards[:1]]))
    shuffled = Basket("EUR", lines, basket.shipping_minor)

    def outcome(evaluation):
        rows = zip(evaluation.basket.lines, evaluation.units, *[one.lines for one in evaluation.applied], strict=True)
        return (
            # Lines alike in everything are one to the shopper, whichever of them bears the odd cent.
            sorted(repr((line._replace(tags=sorted(line.tags)), *rest)) for line, *rest in rows),
            [(one.key, one.shipping_minor, one.benefits) for one in evaluation.applied],
            evaluation.not_applied,
        )

    assert outcome(worked(rules, basket, policy)) == outcome(worked(rules, shuffled, policy))


@given(baskets, several, policies)
def test_the_same_basket_gets_the_same_answer(basket, rules, policy):
    assert worked(rules, basket, policy) == worked(rules, basket, policy)


@given(baskets, several, policies)
def test_no_amount_works_on_a_basket_in_another_currency(basket, rules, policy):
    abroad = Basket("USD", basket.lines, basket.shipping_minor)
    evaluation = worked(rules, abroad, policy)
    named = [key for key, rule in enumerate(rules) if '"EUR"' in rule.model_dump_json()]
    missed = {one.key: one.reasons[0].code for one in evaluation.not_applied}
    assert {missed.get(key) for key in named} <= {"incentives.wrong_currency"}
    assert not policy.ceiling or not evaluation.applied


@given(baskets, several)
def test_no_offer_is_ever_worth_more_than_it_was_bound_to(basket, rules):
    start = Cart.of(basket)
    for one in worked(rules, basket, PRIORITY).applied:
        most_off, most_given = Candidate(Offer(one.key, rules[one.key]), 0, start).bounds(start)
        assert one.discount_minor <= most_off
        assert sum(benefit.get("amount_minor", 0) for benefit in one.benefits) <= most_given


@given(baskets, st.integers(1, 10_000), stackings)
def test_a_percentage_alone_is_exact_to_the_cent(basket, points, stacking):
    free = Basket("EUR", tuple(Line(one.sku, one.quantity, one.unit_price_minor) for one in basket.lines))
    offer = rule_of([{"kind": "percent", "basis_points": points}], (), stacking)
    evaluation = worked([offer], free)
    assert abs(evaluation.discount_minor - Fraction(free.goods_minor * points, 10_000)) <= Fraction(1, 2)
    for line, units in zip(free.lines, evaluation.units, strict=True):
        paid = sum(count * left for count, left in units)
        assert abs(line.amount_minor - paid - Fraction(line.amount_minor * points, 10_000)) < 2
        # Units of a line bear the same, or one of them a minor unit more.
        assert max(left for _count, left in units) - min(left for _count, left in units) <= 1


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
