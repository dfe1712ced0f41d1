"""A rule is read strictly, with every error at its place; hostile JSON ends early."""
# ruff: noqa: E501 (a table reads best in lines)

import pytest
from django import forms
from django.db.models import Q

from retention.customers.models import Customer
from retention.segments import rules
from retention.segments.models import Segment
from retention.segments.querysets import members
from tests.segments.facts import NOW

pytestmark = pytest.mark.django_db
GERMANS = {"key": "country", "args": {"countries": ["DE"]}}
WRITTEN_ON = {"key": "last_order", "args": {"window": "last", "days": 30}}


def errors(rule, **kwargs) -> dict[str, list[str]]:
    with pytest.raises(forms.ValidationError) as refused:
        rules.parse(rule, **kwargs)
    return refused.value.message_dict


@pytest.mark.parametrize("empty", [{}, {"all": []}, {"any": []}])
def test_an_empty_rule_is_nobody(shop, empty):
    assert shop.named(members(empty, NOW)) == set()
    # Campaigns use it as SQL: it must compile, not vanish.
    sql, _params = members(empty, NOW).values("pk").query.sql_with_params()
    assert sql.startswith("SELECT")
    assert rules.sentence(empty) == "Nobody: there is no condition yet."


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"all": [{"all": []}]}, {"/all/0/all": ["This group is empty: add a condition or remove it."]}),
        ({"not": {"any": []}}, {"/not/any": ["This group is empty: add a condition or remove it."]}),
        ({"not": {}}, {"/not": ["This must have exactly one of all, any and not, or a key with args."]}),
        (None, {"/": ["This must be an object."]}),
        ([GERMANS], {"/": ["This must be an object."]}),
        ({"all": GERMANS}, {"/all": ["This must be a list."]}),
        ({"all": [GERMANS], "any": []}, {"/": ["This must have exactly one of all, any and not, or a key with args."]}),
        ({"key": "moon"}, {"/key": ["There is no condition “moon”."]}),
        ({"key": ["country"]}, {"/key": ["There is no condition “['country']”."]}),
        ({"key": "country"}, {"/args/countries": ["This field is required."]}),
        ({"key": "country", "args": []}, {"/args": ["This must be an object."]}),
        ({"key": "country", "args": {"countries": ["XX"]}}, {"/args/countries": ["“XX” is not one of the choices."]}),
        ({"key": "country", "args": {"countries": [1]}}, {"/args/countries": ["This must be a list of texts."]}),
        ({"key": "country", "args": {"countries": {"a": 1}}}, {"/args/countries": ["This is of the wrong type."]}),
        (
            {"key": "country", "args": {"countries": ["DE"], "planet": "Mars"}},
            {"/args/planet": ["There is no such argument."]},
        ),
        ({"key": "city", "args": {"cities": ["a\0b"]}}, {"/args/cities": ["This text is too long or cannot be stored."]}),
        ({"key": "city", "args": {"cities": ["\ud800"]}}, {"/args/cities": ["This text is too long or cannot be stored."]}),
        ({"key": "city", "args": {"cities": ["a"] * 500}}, None),
        ({"key": "city", "args": {"cities": [str(n) for n in range(201)]}}, {"/args/cities": ["At most 200 values."]}),
        (
            {"key": "last_order", "args": {"window": "last"}},
            {"/args/days": ["This field is required."]},
        ),
        (
            {"key": "last_order", "args": {"window": "last", "days": 10**9}},
            {"/args/days": ["Ensure this value is less than or equal to 36500."]},
        ),
        ({"key": "last_order", "args": {"window": "last", "days": True}}, {"/args/days": ["This is of the wrong type."]}),
        ({"key": "last_order", "args": {"window": "last", "days": 1.5}}, {"/args/days": ["Enter a whole number."]}),
        (
            {"key": "last_order", "args": {"window": "dates", "since": "2026-02-02", "until": "2026-02-01"}},
            {"/args/until": ["This day is before the first."]},
        ),
        (
            {"key": "last_order", "args": {"window": "dates", "since": 20260202, "until": "31.12.2026"}},
            {"/args/since": ["This is of the wrong type."]},
        ),
        (
            {"key": "last_order", "args": {"window": "dates", "since": "2026-02-02", "until": "31.12.2026"}},
            {"/args/until": ["Enter a valid date."]},
        ),
        (
            {"key": "spend", "args": {"window": "ever", "operator": "between", "number": 5, "number_to": 4}},
            {"/args/number_to": ["This must not be less than the first."]},
        ),
        (
            {"key": "spend", "args": {"window": "ever", "operator": "at_least", "number": "12.5"}},
            {"/args/number": ["Enter an amount of money."]},
        ),
        (
            {"key": "discount_share", "args": {"operator": "at_least", "number": float("nan")}},
            {"/args/number": ["Enter a number."]},
        ),
        (
            {"key": "bought_product", "args": {"products": ["nothing"], "operator": "at_least", "number": 1, "window": "ever"}},
            {"/args/products": ["There is no product “nothing”."]},
        ),
        (
            {"key": "attribute_is", "args": {"attribute": "pet", "values": ["fish"]}},
            {"/args/values": ["“fish” is not a choice of this attribute: cat, dog."]},
        ),
        (
            {"key": "attribute_is", "args": {"attribute": "height", "values": ["tall"]}},
            {"/args/attribute": ["Select a valid choice. height is not one of the available choices."]},
        ),
        (
            {"key": "did", "args": {"kind": "reviewed", "operator": "at_least", "number": 1, "window": "ever", "test": "is", "value": "x"}},
            {"/args/property": ["Name the property."]},
        ),
        (
            {"key": "in_segment", "args": {"segment": "01900000-0000-7000-8000-000000000000"}},
            {"/args/segment": ["There is no such segment."]},
        ),
        ({"key": "in_segment", "args": {"segment": "x"}}, {"/args/segment": ["“x” is not a valid UUID."]}),
        ({"key": "in_segment", "args": {"segment": 10**30}}, {"/args/segment": ["This is of the wrong type."]}),
        ({"key": "in_segment", "args": {"segment": True}}, {"/args/segment": ["This is of the wrong type."]}),
        (
            {"all": [GERMANS, {"any": [WRITTEN_ON, {"not": {"key": "age", "args": {"operator": "most"}}}]}]},
            {
                "/all/1/any/1/not/args/operator": ["Select a valid choice. most is not one of the available choices."],
                "/all/1/any/1/not/args/number": ["This field is required."],
            },
        ),
    ],
)  # fmt: skip
def test_errors_are_precise(shop, rule, said):
    if said is None:
        assert rules.parse(rule)
    else:
        assert errors(rule) == said


def nested(levels):
    rule = GERMANS
    for _level in range(levels):
        rule = {"not": rule}
    return rule


def test_depth_and_number_are_limited(shop):
    assert rules.parse(nested(rules.MOST_LEVELS - 1))
    assert list(errors(nested(rules.MOST_LEVELS)).values()) == [["At most 8 levels."]]
    assert list(errors(nested(100_000)).values()) == [["At most 8 levels."]]
    assert rules.parse({"any": [GERMANS] * rules.MOST_CONDITIONS})
    assert errors({"any": [GERMANS] * 201}) == {"/any": ["At most 200 conditions."]}
    many = {"any": [{"all": [GERMANS] * 150}] * 150}
    assert errors(many) == {"/": ["At most 200 conditions, those of the segments it names included."]}


def test_the_segments_that_it_names_count_too(shop):
    """Each of these names the one before twice: 2⁹ conditions when written out."""
    before = shop.germans
    for level in range(9):
        twice = {"any": [{"key": "in_segment", "args": {"segment": str(before.public_id)}}] * 2}
        before = Segment.objects.create(name=f"Twice {level}", rule=twice)
    assert "At most 200 conditions" in str(errors(before.rule))


def test_a_segment_cannot_lean_on_itself(shop):
    first = Segment.objects.create(name="First", rule=GERMANS)
    second = Segment.objects.create(
        name="Second", rule={"not": {"key": "in_segment", "args": {"segment": str(first.public_id)}}}
    )
    circle = {"all": [GERMANS, {"key": "in_segment", "args": {"segment": str(second.public_id)}}]}
    assert errors(circle, of=first.pk) == {"/all/1/args": ["This would make the segment lean on itself."]}
    assert errors({"key": "in_segment", "args": {"segment": str(first.public_id)}}, of=first.pk) == {
        "/args": ["This would make the segment lean on itself."]
    }
    # Where it was stored in spite of that, it is an error to ask for its members, not an endless loop.
    Segment.objects.filter(pk=first.pk).update(rule=circle)
    with pytest.raises(forms.ValidationError, match="lean on itself"):
        members({"key": "in_segment", "args": {"segment": str(second.public_id)}}, NOW)


def test_a_segment_whose_facts_are_gone_is_an_error(shop):
    broken = Segment.objects.create(name="Broken", rule={"key": "attribute_known", "args": {"attribute": "gone"}})
    with pytest.raises(forms.ValidationError, match="gone"):
        members({"key": "in_segment", "args": {"segment": str(broken.public_id)}}, NOW)


def test_a_count_groups_the_facts_of_those_left_over_where_they_are_few(shop):
    """The customers named, and the Germans among the few, stand inside what is grouped; nowhere else in vain."""
    vip = {"key": "order_count", "args": {"operator": "at_least", "number": 5, "window": "last", "days": 30}}

    def groups(customers) -> str:
        return str(customers.query).split("EXISTS(SELECT 1 FROM (")[1].split('"groups"')[0]

    anna = shop.people["anna"].pk
    assert (
        f'"customer_id" IN (SELECT U0."id" AS "pk" FROM "customers_customer" U0 WHERE U0."id" IN ({anna}))'
        in groups(members(vip, NOW, among=Q(pk__in=[anna])))
    )
    for few in (True, False):
        asked = rules.q({"all": [{"not": vip}, GERMANS]}, NOW, where=lambda _left, few=few: few)
        left = Customer.objects.filter(asked)
        assert ("country" in groups(left)) == few
    # Of one or the other nobody is left out beforehand.
    either = rules.q({"any": [vip, GERMANS]}, NOW, where=lambda _left: True)
    assert "country" not in groups(Customer.objects.filter(either))


def test_sentences_show_how_a_rule_is_nested(shop):
    vip = {"key": "order_count", "args": {"operator": "at_least", "number": 5, "window": "ever"}}
    rule = {"all": [GERMANS, {"any": [vip, {"all": [WRITTEN_ON, {"not": vip}]}]}, {"not": {"any": [GERMANS, vip]}}]}
    assert rules.sentence(rule) == (
        "Everyone who lives in Germany, and (has placed at least 5 orders, or (placed her last order in the last 30"
        " days, and is not someone who has placed at least 5 orders)), and is not someone who (lives in Germany, or has"
        " placed at least 5 orders)."
    )
