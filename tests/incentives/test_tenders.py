"""What tenders pay, and what comes back of them: by hand, and by law."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.incentives.tenders import (
    Bill,
    Purse,
    TenderEmpty,
    TenderNotForThese,
    TenderOtherCurrency,
    TenderTooSmall,
    give_back,
    pay,
    share_of,
)
from retention.ledger.units import UnitRule

EUR = UnitRule(name="Gift card", kind="money", currency="EUR", digits=2)
POINTS = UnitRule(name="Points", kind="points", worth_points=100, worth={"EUR": 150}, most_basis_points=5_000)
BILL = Bill("EUR", (("mug", "Kitchen/Mugs", 1_000), ("book", "Books", 2_000)), 500)


def card(available, account=1, **only):
    only = {name: frozenset(values) for name, values in only.items()}
    return Purse(account, "…WXYZ", "gift_card_eur", EUR, available, **only)


def points(available, account=9):
    return Purse(account, "Points", "points", POINTS, available)


def told(paid):
    return [(one.amount, one.minor, one.lines, one.shipping_minor) for one in paid]


def test_a_card_pays_its_part_of_every_line():
    assert told(pay(BILL, [(card(700), None)])) == [(700, 700, (200, 400), 100)]


def test_several_pay_in_their_order_and_no_more_than_there_is():
    tenders = [(card(3_000), None), (card(900, 2), None), (card(100, 3), None)]
    assert told(pay(BILL, tenders)) == [
        (3_000, 3_000, (857, 1_714), 429),
        (500, 500, (143, 286), 71),
    ]  # fmt: skip


def test_a_restricted_card_pays_its_own_lines_alone():
    assert told(pay(BILL, [(card(5_000, categories=["Kitchen"]), None)])) == [(1_000, 1_000, (1_000, 0), 0)]
    assert told(pay(BILL, [(card(5_000, products=["book"]), None)])) == [(2_000, 2_000, (0, 2_000), 0)]
    with pytest.raises(TenderNotForThese):
        pay(BILL, [(card(5_000, categories=["Kitch"]), None)])


def test_a_unit_pays_for_nothing_that_it_excludes():
    rule = EUR.model_copy(update={"excluded_categories": ("Kitchen",)})
    cash = Purse(1, "Store cash", "store_cash_eur", rule, 9_000)
    assert told(pay(BILL, [(cash, None)])) == [(2_500, 2_500, (0, 2_000), 500)]
    with pytest.raises(TenderNotForThese):
        pay(Bill("EUR", (("mug", "Kitchen", 1_000),), 0), [(cash, None)])


def test_points_pay_at_their_worth_up_to_their_share():
    assert told(pay(BILL, [(points(100_000), None)])) == [(1_167, 1_750, (500, 1_000), 250)]
    assert told(pay(BILL, [(points(101), None)])) == [(101, 151, (43, 86), 22)]
    with pytest.raises(TenderTooSmall) as refused:
        pay(BILL, [(points(100_000), 1_200)])
    assert refused.value.params["available"] == "1,167 Points"


def test_the_share_is_of_all_tenders_of_the_unit_together():
    paid = pay(BILL, [(points(600), None), (points(100_000, 10), None)])
    assert [one.minor for one in paid] == [900, 850]


def test_an_amount_that_was_asked_for_is_paid_or_refused():
    assert told(pay(BILL, [(card(700), 300)]))[0][:2] == (300, 300)
    with pytest.raises(TenderTooSmall):
        pay(BILL, [(card(700), 701)])
    with pytest.raises(TenderTooSmall):
        pay(BILL, [(card(9_000), 3_501)])


def test_what_cannot_pay():
    with pytest.raises(TenderEmpty):
        pay(BILL, [(card(0), None)])
    with pytest.raises(TenderEmpty):
        pay(BILL, [(card(500), None), (card(500), None)])
    with pytest.raises(TenderOtherCurrency):
        pay(Bill("USD", BILL.lines, 0), [(card(500), None)])
    with pytest.raises(TenderOtherCurrency):
        pay(Bill("USD", BILL.lines, 0), [(points(500), None)])


amounts = st.integers(0, 5_000)
bills = st.builds(
    lambda lines, shipping: Bill("EUR", tuple((f"s{n % 3}", f"c{n % 2}", a) for n, a in enumerate(lines)), shipping),
    st.lists(amounts, min_size=1, max_size=6),
    amounts,
)
purses = st.lists(
    st.one_of(
        st.builds(lambda a, n: card(a, n), st.integers(1, 9_000), st.integers(1, 3)),
        st.builds(lambda a: card(a, 4, products=["s0"]), st.integers(1, 9_000)),
        st.builds(points, st.integers(1, 9_000)),
    ),
    max_size=5,
    unique_by=lambda purse: purse.account_id,
)


@given(bills, purses)
def test_no_line_is_paid_twice_and_no_purse_overdrawn(bill, tenders):
    try:
        paid = pay(bill, [(purse, None) for purse in tenders])
    except TenderNotForThese:
        return
    assert all(one.minor == sum(one.lines) + one.shipping_minor for one in paid)
    assert all(0 < one.amount <= one.purse.available for one in paid)
    for place, (_sku, _category, amount) in enumerate(bill.lines):
        assert sum(one.lines[place] for one in paid) <= amount
    assert sum(one.shipping_minor for one in paid) <= bill.shipping_minor
    by_points = sum(one.minor for one in paid if one.purse.unit_key == "points")
    assert by_points <= bill.total_minor // 2
    for one in paid:
        assert one.purse.rule.in_minor(one.amount, "EUR") >= one.minor


@st.composite
def returns(draw):
    bought = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    lines = [draw(amounts) for _ in bought]
    shipping = draw(st.integers(0, 300))
    steps = [list(bought)]
    before = [0] * len(bought)
    for _ in range(draw(st.integers(0, 3))):
        after = [draw(st.integers(had, of)) for had, of in zip(before, bought, strict=True)]
        steps.insert(-1, after)
        before = after
    return bought, lines, shipping, steps


@given(returns(), st.integers(1, 3))
def test_parts_that_come_back_sum_exactly_to_the_whole(case, worth):
    bought, lines, shipping, steps = case
    minor = sum(lines) + shipping
    amount, before, back, back_minor = minor * worth, [0] * len(bought), 0, 0
    for after in steps:
        part = give_back(
            amount=amount, minor=minor, lines=lines, bought=bought, before=before, after=after, is_last=after == bought
        )
        assert part.amount >= 0
        assert part.minor >= 0
        back, back_minor, before = back + part.amount, back_minor + part.minor, after
        if after == bought:
            break
    assert (back, back_minor) == (amount, minor)


@given(amounts, st.lists(st.integers(1, 100), min_size=1))
def test_shares_of_a_benefit_sum_to_it(amount, parts):
    whole, at, back = sum(parts), 0, 0
    for part in parts:
        back += share_of(amount, at, at + part, whole)
        at += part
    assert back == amount
