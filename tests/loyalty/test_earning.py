"""The pure engine: each kind of rule by itself, then what several make of one fact, and why a rule gives nothing."""

import datetime as dt
from dataclasses import replace
from fractions import Fraction

import pytest
from pydantic import ValidationError

from loyalty.earning import Past, State, earn, weigh
from loyalty.facts import ActivityFact, DayFact, Line, OrderFact
from loyalty.rules import ProgrammeRule

#: Tuesday, 12 May 2026, noon in Berlin.
NOON = dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)
BASE = {"kind": "per_amount", "key": "base", "amount": 1, "per_minor": 100}
HOUR = dt.timedelta(hours=1)


def line(sku="A", minor=1_000, quantity=1, kept=None, category="", tags=(), off=0):
    kept = quantity if kept is None else kept
    return Line(sku, category, frozenset(tags), quantity, kept, minor, minor * quantity - off)


def bought(*lines, at=NOON, **columns):
    lines = lines or (line(),)
    total = sum(each.total_minor for each in lines) - columns.get("discount_minor", 0)
    columns.setdefault("total_minor", total + columns.get("shipping_minor", 0))
    return OrderFact(id=1, customer_id=1, happened_at=at, lines=tuple(lines), **columns)


def did(kind, at=NOON, **properties):
    return ActivityFact(1, 1, at, kind, properties)


def rule(*earning, **changes):
    return ProgrammeRule.model_validate({"names": {"en": "Club"}, "earning": list(earning), **changes})


def earned(fact, *rules, state=None, **changes):
    state = state or State(zone="Europe/Berlin")
    return {each.rule_key: each.amount for each in earn(fact, rule(*rules, **changes), state)}


def why_not(fact, *rules, state=None, **changes):
    weighed = weigh(fact, rule(*rules, **changes), state or State(zone="Europe/Berlin"))
    return {each.rule.key: each.refused and each.refused.code.removeprefix("loyalty.") for each in weighed}


ORDER = bought(
    line("S1", 4_000, 2, category="Shoes/Boots", off=1_000),
    line("B1", 2_500, 1, tags=("sale",)),
    discount_minor=950,
    shipping_minor=490,
    tax_minor=1_444,
)


@pytest.mark.parametrize(
    ("changes", "amount"),
    [
        # Lines 70.00 and 25.00; a tenth of that off the whole.
        ({}, 85),
        ({"of": "before"}, 105),
        ({"with_shipping": True}, 90),
        # 90.40 was paid in all, and 14.44 of that was tax: 85.50 × 75.96 / 90.40 = 71.84.
        ({"with_tax": False}, 71),
        ({"amount": 10, "per_minor": 5_000, "is_whole": True}, 10),
        ({"amount": 10, "per_minor": 5_000}, 17),
        ({"amount": 10, "per_minor": 2_850, "is_whole": True}, 30),
        ({"goods": {"categories": ["Shoes"]}}, 63),
        ({"goods": {"tags": ["sale"]}}, 22),
        ({"goods": {"products": ["B1"]}, "of": "before"}, 25),
        ({"goods": {"without_categories": ["Shoes"]}}, 22),
        ({"goods": {"categories": ["Shoes"]}, "with_shipping": True}, 63),
        ({"from_minor": 9_040}, 85),
        ({"from_minor": 9_041}, 0),
    ],
)
def test_so_much_for_so_much(changes, amount):
    assert earned(ORDER, {**BASE, **changes}).get("base", 0) == amount


def test_other_currencies_count_in_the_base_currency_exactly():
    dollars = bought(line("A", 10_000), rate=Fraction(9_149, 10_000))
    assert earned(dollars, BASE) == {"base": 91}
    assert earned(dollars, {**BASE, "amount": 100}) == {"base": 9_149}


def test_units_and_orders():
    per_unit = {"kind": "per_unit", "key": "unit", "amount": 5, "goods": {"categories": ["Shoes"]}}
    per_order = {"kind": "per_order", "key": "visit", "amount": 1, "from_minor": 9_000}
    assert earned(ORDER, per_unit, per_order) == {"unit": 10, "visit": 1}
    assert earned(ORDER, {**per_unit, "most_units": 1}) == {"unit": 5}
    assert why_not(bought(), per_unit, per_order) == {"unit": "nothing_meant", "visit": "too_little"}


def test_first_takes_each_line_once_and_all_gives_everything():
    shoes = {**BASE, "key": "shoes", "amount": 3, "goods": {"categories": ["Shoes"]}}
    visit = {"kind": "per_order", "key": "visit", "amount": 1}
    assert earned(ORDER, shoes, BASE, visit) == {"shoes": 189, "base": 85, "visit": 1}
    assert earned(ORDER, shoes, BASE, visit, matching="first") == {"shoes": 189, "base": 22}
    assert why_not(ORDER, BASE, shoes, matching="first") == {"base": None, "shoes": "earned_by_another_rule"}
    twice = [{"kind": "activity", "key": key, "activity": "reviewed", "amount": 5} for key in ("a", "b")]
    assert earned(did("reviewed"), *twice) == {"a": 5, "b": 5}
    assert earned(did("reviewed"), *twice, matching="first") == {"a": 5}


def test_a_bonus_comes_on_top_of_what_rules_gave_and_bonuses_add_up():
    double = {"kind": "multiplied", "key": "double", "percent": 200}
    half = {"kind": "multiplied", "key": "half", "percent": 150, "of": ["visit"]}
    visit = {"kind": "per_order", "key": "visit", "amount": 10}
    assert earned(ORDER, BASE, visit, double, half) == {"base": 85, "visit": 10, "double": 95, "half": 5}
    assert earned(ORDER, BASE, visit, double, half, matching="first") == {"base": 85, "double": 85}
    assert earned(did("reviewed"), double) == {}
    app = {**double, "channels": ["app"]}
    assert why_not(ORDER, BASE, app) == {"base": None, "double": "other_channel"}
    card = {**double, "payment_methods": ["card"]}
    assert why_not(ORDER, BASE, card) == {"base": None, "double": "other_payment_method"}
    assert earned(replace(ORDER, payment_method="card"), BASE, card) == {"base": 85, "double": 85}
    assert earned(replace(ORDER, payment_method="card"), {**BASE, "payment_methods": ["cash"]}) == {}


def test_nothing_is_earned_that_could_be_spent_no_more():
    window = {"kind": "date", "on": "2026-05-01", "until": "2026-05-12"}
    late = replace(ORDER, happened_at=NOON + 12 * HOUR)  # midnight in Berlin
    assert earned(ORDER, BASE, pending=window) == {"base": 85}
    assert why_not(late, BASE, pending=window) == {"base": "too_late"}
    assert earned(late, BASE, pending={**window, "until": None}) == {"base": 85}


def test_a_birthday_has_a_month():
    double = {"kind": "multiplied", "key": "double", "percent": 200, "when": {"in_birth_month": True}}
    # The order is of May.
    assert earned(ORDER, BASE, double, state=State(zone="Europe/Berlin", birth_month=5)) == {"base": 85, "double": 85}
    for month in (4, None):
        state = State(zone="Europe/Berlin", birth_month=month)
        assert why_not(ORDER, BASE, double, state=state) == {"base": None, "double": "not_her_month"}


@pytest.mark.parametrize(
    ("when", "at", "holds"),
    [
        ({"weekdays": [1], "from_": "12:00", "until": "14:00"}, NOON, True),
        ({"weekdays": [1], "from_": "12:00", "until": "14:00"}, NOON + 2 * HOUR, False),
        ({"weekdays": [0, 2]}, NOON, False),
        ({"from_": "22:00", "until": "00:00"}, NOON + 11 * HOUR, True),
        # Midnight in Berlin is the next day though it is ten in the evening in UTC.
        ({"days": ["2026-05-13"]}, NOON + 12 * HOUR, True),
        ({"days": ["2026-05-13"]}, NOON + 11 * HOUR, False),
        ({"starts_on": "2026-05-12", "ends_on": "2026-05-12"}, NOON, True),
        ({"ends_on": "2026-05-11"}, NOON, False),
    ],
)
def test_happy_hours_and_days_are_the_shop_s(when, at, holds):
    assert (why_not(bought(at=at), {**BASE, "when": when})["base"] is None) is holds


def test_what_is_not_a_time_is_refused():
    for wrong in ({"from_": "10:00"}, {"from_": "22:00", "until": "02:00"}, {"weekdays": [7]},
                  {"starts_on": "2026-05-12", "ends_on": "2026-05-11"}):  # fmt: skip
        with pytest.raises(ValidationError):
            rule({**BASE, "when": wrong})
    with pytest.raises(ValidationError, match="same key"):
        rule(BASE, BASE)


@pytest.mark.parametrize(
    ("cap", "at", "left"),
    [
        ({"most": 15, "per": "day"}, NOON - HOUR, 5),
        ({"most": 15, "per": "day"}, NOON - 13 * HOUR, 10),
        ({"most": 15, "per": "week"}, NOON - 36 * HOUR, 5),
        ({"most": 15, "per": "week"}, NOON - 37 * HOUR, 10),
        ({"most": 15, "per": "month"}, NOON - 12 * 24 * HOUR, 10),
        ({"most": 15, "per": "year"}, NOON - 100 * 24 * HOUR, 5),
        ({"most": 15, "per": "life"}, NOON - 5_000 * 24 * HOUR, 5),
        ({"most": 1, "of": "times", "per": "life"}, NOON - HOUR, 0),
        ({"most": 2, "of": "times", "per": "life"}, NOON - HOUR, 10),
        ({"most": 10, "per": "life"}, NOON - HOUR, 0),
    ],
)
def test_caps_count_what_came_before_in_their_stretch(cap, at, left):
    state = State(zone="Europe/Berlin", past=[Past("base", at, 10), Past("other", NOON, 99)])
    assert earned(bought(), {**BASE, "caps": [cap]}, state=state).get("base", 0) == left


def test_a_rest_keeps_its_distance_whichever_came_first():
    resting = {**BASE, "cool_down_hours": 24}
    for at, code in ((NOON - 24 * HOUR, None), (NOON - 23 * HOUR, "too_soon"), (NOON + HOUR, "too_soon")):
        assert why_not(bought(), resting, state=State(past=[Past("base", at, 1)])) == {"base": code}


def test_activities_by_their_properties():
    km = {"kind": "activity", "key": "run", "activity": "ran", "amount": 3, "per_property": "km"}
    rated = {
        "kind": "activity", "key": "good", "activity": "reviewed", "amount": 5,
        "filters": [{"name": "rating", "least": 4, "most": 5}, {"name": "network", "one_of": ["a", "7", "true"]}],
    }  # fmt: skip
    assert earned(did("ran", km=4.7), km) == {"run": 14}
    for count in (0, -1, "4", True, None, 10**7):
        assert earned(did("ran", km=count), km) == {}
    assert earned(did("reviewed", rating=4, network="a"), rated) == {"good": 5}
    assert earned(did("reviewed", rating=4, network=7), rated) == {"good": 5}
    assert earned(did("reviewed", rating=4, network=True), rated) == {"good": 5}
    for properties in ({"rating": 3, "network": "a"}, {"rating": True, "network": "a"}, {"rating": 5}):
        assert why_not(did("reviewed", **properties), rated) == {"good": "nothing_meant"}


def test_a_code_counts_in_one_spelling_once():
    pack = {"kind": "activity", "key": "pack", "activity": "shared", "amount": 5, "code_property": "code"}
    state = State(used={("pack", "OLD")})
    assert earned(did("shared", code=" new"), pack, state=state) == {"pack": 5}
    assert why_not(did("shared", code="NEW"), pack, state=state) == {"pack": "code_used"}
    assert why_not(did("shared", code="old "), pack, state=state) == {"pack": "code_used"}
    assert why_not(did("shared"), pack, state=state) == {"pack": "nothing_meant"}


def test_yearly_days():
    birthday = {"kind": "yearly", "key": "day", "of": "birthday", "amount": 5}
    assert earned(DayFact(1, NOON, "birthday:2026"), birthday) == {"day": 5}
    assert why_not(DayFact(1, NOON, "joining:2026"), birthday) == {"day": "nothing_meant"}


def test_what_came_back_counts_no_more():
    part = bought(line("A", 3_333, 3, kept=1), line("B", 1_001, 1, kept=0), shipping_minor=490)
    assert earned(part, {**BASE, "with_shipping": True}) == {"base": 38}
    assert earned(part.cancelled(), {**BASE, "with_shipping": True}) == {}
    assert earned(bought(line("A", 10_000), refunded_minor=2_550), BASE) == {"base": 74}


def test_what_was_not_paid_with_money_earns_nothing_unless_the_programme_says_so():
    """Of 100.00 points paid 30.00 and a gift card 20.00; shared over what was kept, whatever else is taken off."""
    half = bought(line("A", 2_500, 4), by_balance_minor=3_000, by_card_minor=2_000)
    assert earned(half, BASE) == {"base": 50}
    assert earned(half, BASE, earns_on="cards") == {"base": 70}
    assert earned(half, BASE, earns_on="everything") == {"base": 100}
    assert earned(half, {**BASE, "of": "before"}) == {"base": 50}
    part = bought(line("A", 2_500, 4, kept=1), by_balance_minor=3_000, by_card_minor=2_000)
    assert earned(part, BASE) == {"base": 12}
    # A threshold asks for money too; a visit counts as long as any money was paid.
    visit = {"kind": "per_order", "key": "visit", "amount": 1}
    assert earned(half, {**visit, "from_minor": 5_000}, {**BASE, "from_minor": 5_001}) == {"visit": 1}
    free = bought(line("A", 5_000), by_balance_minor=3_000, by_card_minor=2_000)
    units = {"kind": "per_unit", "key": "each", "amount": 5, "goods": {"products": ["A"]}}
    assert earned(free, visit, units, BASE) == {}
    assert why_not(free, visit, units, BASE) == dict.fromkeys(("visit", "each", "base"), "too_little")
    assert earned(free, visit, units, BASE, earns_on="cards") == {"visit": 1, "each": 5, "base": 20}


def test_it_says_what_an_amount_was_made_of():
    capped = {**BASE, "caps": [{"most": 7, "per": "day"}]}
    (found,) = earn(bought(line("A", 1_050)), rule(capped), State())
    assert (found.amount, found.why) == (7, {"worth": "10.5", "before_cap": 10})
