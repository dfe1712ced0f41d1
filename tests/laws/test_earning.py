"""What holds of earning for any order and any rules: exact, bounded, and never more after less was kept."""

import datetime as dt
from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from loyalty.earning import State, earn
from loyalty.facts import Line, OrderFact
from loyalty.rules import ProgrammeRule

NOON = dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)
CATEGORIES = ("Shoes", "Bags")


@st.composite
def lines(draw):
    quantity = draw(st.integers(1, 20))
    price = draw(st.integers(0, 50_000))
    off = draw(st.integers(0, quantity * price))
    category = draw(st.sampled_from(CATEGORIES))
    return Line(draw(st.sampled_from("ABC")), category, frozenset(), quantity, quantity, price, quantity * price - off)


@st.composite
def orders(draw):
    some = tuple(draw(st.lists(lines(), min_size=1, max_size=4)))
    goods = sum(line.total_minor for line in some)
    discount = draw(st.integers(0, goods))
    shipping = draw(st.integers(0, 2_000))
    total = goods - discount + shipping
    return OrderFact(
        id=1, customer_id=1, happened_at=NOON, lines=some, total_minor=total, discount_minor=discount,
        shipping_minor=shipping, tax_minor=draw(st.integers(0, total)),
        rate=draw(st.fractions(Fraction(1, 100), 100, max_denominator=1_000)),
    )  # fmt: skip


@st.composite
def order_rules(draw, key):
    kind = draw(st.sampled_from(("per_amount", "per_unit", "per_order")))
    goods = draw(st.sampled_from([{}, {"categories": ["Shoes"]}, {"without_categories": ["Shoes"]}]))
    said = {"kind": kind, "key": key, "amount": draw(st.integers(1, 100))}
    if kind == "per_amount":
        said |= {
            "per_minor": draw(st.integers(1, 10_000)), "is_whole": draw(st.booleans()), "goods": goods,
            "of": draw(st.sampled_from(("paid", "before"))), "with_shipping": draw(st.booleans()),
            "with_tax": draw(st.booleans()),
        }  # fmt: skip
    elif kind == "per_unit":
        said["goods"] = goods
    if draw(st.booleans()):
        said["caps"] = [{"most": draw(st.integers(1, 500)), "per": draw(st.sampled_from(("day", "month", "life")))}]
    return said


WAYS = st.sampled_from(("all", "first"))


@st.composite
def rules(draw, matching=WAYS):
    some = [draw(order_rules(f"r{n}")) for n in range(draw(st.integers(1, 4)))]
    if draw(st.booleans()):
        some.append({"kind": "multiplied", "key": "bonus", "percent": draw(st.integers(101, 400))})
    said = {"names": {"en": "x"}, "earning": some, "matching": draw(matching)}
    return ProgrammeRule.model_validate(said)


def amounts(order, rule, state=None):
    return {one.rule_key: one.amount for one in earn(order, rule, state or State())}


@st.composite
def returned(draw, order):
    return replace(
        order, lines=tuple(replace(line, kept=draw(st.integers(0, line.quantity))) for line in order.lines)
    )  # fmt: skip


@given(orders(), rules(st.just("all")), st.data())
def test_what_is_kept_earns_no_more_than_the_whole(order, rule, data):
    whole, part = amounts(order, rule), amounts(data.draw(returned(order)), rule)
    assert all(amount <= whole.get(key, 0) for key, amount in part.items())


@given(orders(), rules())
def test_nothing_kept_is_nothing_earned(order, rule):
    assert amounts(order.cancelled(), rule) == {}


@given(orders(), rules())
def test_the_same_again_is_the_same(order, rule):
    assert amounts(order, rule) == amounts(order, rule)
    assert all(amount > 0 for amount in amounts(order, rule).values())


@given(st.lists(orders(), min_size=1, max_size=6), rules())
def test_caps_hold_over_any_row_of_orders(row, rule):
    state = State()
    for n, order in enumerate(row):
        earn(replace(order, id=n), rule, state)
    for each in rule.earning:
        for cap in each.caps:
            assert sum(past.amount for past in state.past if past.rule == each.key) <= cap.most


@given(orders(), st.integers(1, 100), st.integers(1, 10_000))
def test_lines_share_out_exactly_and_are_rounded_once(order, amount, per):
    """What categories earn apart is what they earn together, but for less than one each."""
    base = {"kind": "per_amount", "amount": amount, "per_minor": per}
    apart = [{**base, "key": name.lower(), "goods": {"categories": [name]}} for name in CATEGORIES]
    both = ProgrammeRule.model_validate({"names": {"en": "x"}, "earning": [{**base, "key": "both"}, *apart]})
    found = amounts(order, both)
    parts = sum(found.get(name.lower(), 0) for name in CATEGORIES)
    assert parts <= found.get("both", 0) <= parts + len(CATEGORIES) - 1


@given(orders(), rules(st.just("first")))
def test_first_never_gives_more_than_all(order, rule):
    alone = rule.model_copy(update={"matching": "all"})
    own = [each.key for each in rule.earning if each.about == "order"]
    first, everything = amounts(order, rule), amounts(order, alone)
    assert all(first.get(key, 0) <= everything.get(key, 0) for key in own)
