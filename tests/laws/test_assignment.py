"""Assignment is the same in Python and in SQL, bit for bit; fair; and nobody's arm depends on who else there is."""

import pytest
import scipy
from django.db import connection
from hypothesis import example, given, settings
from hypothesis import strategies as st

from retention.experiments.assignment import RANGE, arm, arm_sql, cuts, number
from retention.experiments.holdouts import Holdout

pytestmark = pytest.mark.django_db

seeds = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=40)
ids = st.integers(1, 2**63 - 1)
weights = st.lists(st.integers(0, 10_000), min_size=1, max_size=8).filter(sum)


def in_sql(seed, customer_ids, parts):
    expression, params = arm_sql(seed, "c.id", parts)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT c.id, {expression} FROM unnest(%s::bigint[]) AS c (id)", [*params, list(customer_ids)])
        return dict(cursor.fetchall())


@settings(deadline=None, max_examples=100)
@given(seeds, st.lists(ids, min_size=1, max_size=50, unique=True), weights)
@example("%s 100 % : 고객", [1, 2**63 - 1], [1])
@example("", list(range(1, 50)), [0, 0, 1, 0])
def test_python_and_sql_agree(seed, customers, parts):
    assert in_sql(seed, customers, parts) == {customer: arm(seed, customer, parts) for customer in customers}


@given(seeds, ids, weights)
def test_the_arm_is_the_one_whose_share_holds_the_number(seed, customer, parts):
    chosen = arm(seed, customer, parts)
    # In whole numbers: below / whole ≤ number / range < until / whole.
    below, until, whole = sum(parts[:chosen]), sum(parts[: chosen + 1]), sum(parts)
    assert below * RANGE <= number(seed, customer) * whole < until * RANGE


def test_a_documented_number_stays():
    # md5("spring:7") begins with 1c953875; a change of the hash would move every running experiment.
    assert number("spring", 7) == 0x1C953875
    assert [arm("spring", customer, [1, 1]) for customer in range(1, 11)] == [1, 0, 1, 1, 0, 0, 0, 1, 1, 1]


def p_value(counts, parts):
    whole, drawn = sum(parts), sum(counts)
    statistic = sum(
        (count - drawn * part / whole) ** 2 / (drawn * part / whole) for count, part in zip(counts, parts, strict=True)
    )
    return scipy.special.chdtrc(len(parts) - 1, statistic)


@pytest.mark.parametrize("seed", ["spring", "0198c2f0-7b1c-7000-8000-000000000001:1", "x"])
@pytest.mark.parametrize("parts", [[1] * 16, [10, 45, 45], [1, 99]])
def test_arms_are_as_large_as_their_weights(seed, parts):
    arms = list(in_sql(seed, range(1, 40_001), parts).values())
    assert p_value([arms.count(n) for n in range(len(parts))], parts) > 0.001


def test_the_measure_of_fairness_finds_what_is_unfair():
    by_parity = [sum(n % 100 < 55 for n in range(10_000)), sum(n % 100 >= 55 for n in range(10_000))]
    assert p_value(by_parity, [1, 1]) < 0.001


def test_experiments_are_drawn_independently():
    one, other = (in_sql(seed, range(1, 40_001), [1, 1]) for seed in ("spring", "autumn"))
    together = [one[n] * 2 + other[n] for n in one]
    assert p_value([together.count(n) for n in range(4)], [1] * 4) > 0.001


def test_a_larger_holdout_keeps_those_it_had():
    held = {percent: {n for n in range(1, 5_001) if Holdout("s", percent).holds(n)} for percent in (0, 5, 10)}
    assert held[0] == set()
    assert held[5] < held[10]
    expression, params = Holdout("s", 5).sql("c.id")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT c.id FROM generate_series(1, 5000) AS c (id) WHERE {expression}", params)
        assert {n for (n,) in cursor.fetchall()} == held[5]


@pytest.mark.parametrize("parts", [[], [0, 0], [5, -1]])
def test_weights_that_cannot_be_cut(parts):
    with pytest.raises(ValueError, match="weights"):
        cuts(parts)
