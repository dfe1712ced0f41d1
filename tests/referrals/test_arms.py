"""Variants of a scheme: the same advocate always in the same one, in Python as in SQL, and what differs for her."""

import uuid

import pytest
from django.db import connection

from referrals.arms import variant_of, variant_sql
from referrals.rules import SchemeRule

SCHEME = uuid.UUID(int=7)


@pytest.fixture
def rule():
    return SchemeRule.model_validate(
        {
            "names": {"en": "Friends"},
            "friend_incentive": 1,
            "levels": [{"incentive_id": 2}],
            "variants": [
                {"key": "ten", "weight": 30},
                {"key": "twenty", "weight": 70, "levels": [{"incentive_id": 3}]},
            ],
        }
    )


def test_nobody_changes_sides_and_sql_agrees(rule, db):
    told = {n: variant_of(n, SCHEME, rule) for n in range(1, 501)}
    text, params = variant_sql("n.n", SCHEME, rule)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT n.n, {text} FROM generate_series(1, 500) n (n)", params)
        assert dict(cursor.fetchall()) == told
    assert 110 < sum(key == "ten" for key in told.values()) < 190


def test_another_number_draws_anew(rule):
    anew = rule.model_copy(update={"experiment": 2})
    assert any(variant_of(n, SCHEME, rule) != variant_of(n, SCHEME, anew) for n in range(20))


def test_a_variant_differs_only_where_it_says(rule):
    twenty = rule.with_variant("twenty")
    assert (twenty.level_at(1).incentive_id, twenty.friend_incentive) == (3, 1)
    assert rule.with_variant("ten").level_at(1).incentive_id == 2
    assert rule.with_variant("") is rule
    assert rule.incentive_ids == {1, 2, 3}


def test_without_a_test_everybody_has_the_schemes_own(rule):
    plain = rule.model_copy(update={"variants": ()})
    assert variant_of(1, SCHEME, plain) == ""
    assert variant_sql("1", SCHEME, plain) == ("''", [])


def test_one_side_is_no_test(rule):
    with pytest.raises(ValueError, match="two variants or more"):
        SchemeRule.model_validate({**rule.model_dump(), "variants": [{"key": "alone"}]})
