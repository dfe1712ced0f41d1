"""The statistics, against worked examples that others have published, and against what must hold for any figures."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.experiments.comparison import Arm, Verdict, compare
from retention.experiments.means import Amounts, enough_for, mean_difference
from retention.experiments.rates import rate_difference, wilson
from retention.experiments.samples import holm, minimum_sample, power, ratio_p_value


def amounts(values):
    return Amounts(len(values), sum(values), sum(v**2 for v in values), sum(v**3 for v in values))


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    # Newcombe, Two-sided confidence intervals for the single proportion, Stat. Med. 17 (1998), table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson(count, of, low, high):
    found = wilson(count, of)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    # Newcombe, Interval estimation for the difference between independent proportions, Stat. Med. 17 (1998),
    # table II, examples (a) to (h), method 10.
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_newcombe(one, other, low, high):
    found = rate_difference(*one, *other).interval
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_the_p_value_of_two_rates():
    # The Physicians' Health Study, aspirin and heart attacks: X² = 25.01 with one degree of freedom (Agresti, An
    # Introduction to Categorical Data Analysis, chapter 2), so the p-value is erfc(√(X²/2)).
    found = rate_difference(104, 11_037, 189, 11_034)
    assert found.p_value == pytest.approx(math.erfc(math.sqrt(25.01 / 2)), rel=0.005)
    assert round(found.value, 4) == -0.0077
    assert rate_difference(0, 10, 0, 10).p_value == rate_difference(3, 3, 0, 0).p_value == 1.0


def test_welch():
    # Student's sleep data, as R's manual has them: t.test(extra ~ group, data = sleep) says t = -1.8608, df = 17.776,
    # p-value = 0.07939, 95 percent confidence interval -3.3654832 0.2054832.
    one = amounts([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
    other = amounts([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
    found = mean_difference(one, other)
    assert round(found.value, 2) == -1.58
    assert (round(found.interval.low, 7), round(found.interval.high, 7)) == (-3.3654832, 0.2054832)
    assert round(found.p_value, 5) == 0.07939


def test_nothing_is_known_of_one_customer_or_of_what_does_not_vary():
    for one, other in (([5.0], [1.0, 2.0]), ([3.0, 3.0], [3.0, 3.0])):
        found = mean_difference(amounts(one), amounts(other))
        assert (found.interval.low, found.interval.high, found.p_value) == (-math.inf, math.inf, 1.0)


def test_lopsided_amounts_need_many_customers():
    # Kohavi and others, Seven rules of thumb for web site experimenters (KDD 2014), rule 7: a skewness of 17.9 needs
    # some 114,000 users. One buyer among n who buy nothing has the skewness (n − 2) / √(n − 1).
    assert round(355 * 17.9**2, -3) == 114_000
    few = amounts([100.0] + [0.0] * 322)
    assert few.skewness == pytest.approx(321 / math.sqrt(322))
    assert enough_for(few) == math.ceil(355 * 321**2 / 322)
    assert enough_for(amounts([1.0, 2.0, 3.0])) == 0


def test_the_sample_ratio():
    # Mendel's peas, 9:3:3:1: chi-square 0.470 with three degrees of freedom, p = 0.925 (Fisher, Annals of Science 1,
    # 1936, and many textbooks since).
    assert round(ratio_p_value([315, 108, 101, 32], [9, 3, 3, 1]), 3) == 0.925
    # Kohavi, Tang, Xu: Trustworthy Online Controlled Experiments (2020), chapter 3: 821,588 users against 815,482 in
    # a 50/50 test has a p-value of 1.8E-6.
    assert f"{ratio_p_value([821_588, 815_482], [1, 1]):.1e}" == "1.8e-06"
    assert ratio_p_value([0, 0], [1, 1]) == ratio_p_value([7], [3]) == 1.0
    with pytest.raises(ValueError, match="without weight"):
        ratio_p_value([5, 1], [1, 0])


def test_power_and_the_minimum_sample():
    # R's manual: power.prop.test(n = 50, p1 = .50, p2 = .75) gives power = 0.740;
    # power.prop.test(p1 = .50, p2 = .75, power = .90) gives n = 76.7.
    assert round(power(base=0.5, rate=0.75, size=50, base_size=50), 3) == 0.740
    assert round(minimum_sample(base=0.5, rate=0.75, power=0.9), 1) == 76.7
    assert minimum_sample(base=0.1, rate=0.1) == math.inf


@given(st.floats(0.01, 0.6), st.floats(1.05, 1.5), st.floats(0.1, 20))
def test_the_minimum_sample_has_the_power_that_was_asked_for(base, factor, ratio):
    size = minimum_sample(base=base, rate=base * factor, ratio=ratio)
    assert power(base=base, rate=base * factor, size=size, base_size=size / ratio) == pytest.approx(0.8)


def test_holm():
    # The worked example of "Holm–Bonferroni method", Wikipedia, as p.adjust of R has it.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_keeps_the_order_and_lies_between_the_value_and_bonferroni(p_values):
    adjusted = holm(p_values)
    for p_value, found in zip(p_values, adjusted, strict=True):
        assert p_value <= found <= min(1.0, p_value * len(p_values))
    in_order = sorted(range(len(p_values)), key=p_values.__getitem__)
    assert [adjusted[n] for n in in_order] == sorted(adjusted)


@given(st.integers(0, 500), st.integers(1, 500), st.integers(0, 500), st.integers(1, 500))
def test_a_difference_lies_in_its_interval_and_turns_round(count, of, base_count, base_of):
    count, base_count = min(count, of), min(base_count, base_of)
    found, turned = rate_difference(count, of, base_count, base_of), rate_difference(base_count, base_of, count, of)
    assert -1 - 1e-12 <= found.interval.low <= found.value <= found.interval.high <= 1 + 1e-12
    assert found.interval.low == pytest.approx(-turned.interval.high)
    assert found.p_value == pytest.approx(turned.p_value)


def side(key, heads, converted, each=10.0):
    return Arm(key, heads, converted, Amounts(heads, converted * each, converted * each**2, converted * each**3))


@pytest.mark.parametrize(
    ("base", "other", "verdict"),
    [
        (side("a", 10_000, 1_000), side("b", 10_000, 1_200), Verdict.BETTER),
        (side("a", 10_000, 1_200), side("b", 10_000, 1_000), Verdict.WORSE),
        (side("a", 10_000, 1_000), side("b", 10_000, 1_010), Verdict.NO_DIFFERENCE),
        (side("a", 500, 50), side("b", 500, 90), Verdict.TOO_FEW),
        (side("a", 20_000, 9), side("b", 20_000, 90), Verdict.TOO_FEW),
        (side("a", 0, 0), side("b", 0, 0), Verdict.TOO_FEW),
    ],
)
def test_verdicts(base, other, verdict):
    (found,) = compare(base, [other], lift=0.2)
    assert found.verdict == verdict


def test_several_arms_are_corrected_together():
    base = side("a", 20_000, 1_000)
    others = [side("b", 20_000, 1_100), side("c", 20_000, 1_000)]
    alone, together = compare(base, others[:1], lift=0.2), compare(base, others, lift=0.2)
    assert together[0].rate_p == pytest.approx(2 * alone[0].rate_p)
    assert together[0].money_p == pytest.approx(2 * alone[0].money_p)
    assert together[1].rate_p == 1.0
