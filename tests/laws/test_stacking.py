"""Laws of several offers in one order: the best deal is the best, and nothing that is not allowed goes together."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from retention.incentives.discounts import EXACT, Offer, evaluate
from retention.incentives.rules import Stacking
from tests.laws.offers import baskets, offers_of, policies, rules, worked, worth

several = st.lists(rules, min_size=1, max_size=5)
caps_only = policies.filter(lambda policy: policy.mode == "best_deal")


def allowed(rules):
    return all(one.stacking.allows(other.stacking) for one, other in itertools.combinations(rules, 2))


@given(baskets, several, caps_only)
def test_the_best_deal_is_the_best_of_all_allowed_combinations(basket, rules, policy):
    """Every subset by hand, each worked through by priority, which does not search."""
    by_turn = policy.model_copy(update={"mode": "priority"})
    best = max(
        worth(
            evaluate([offer for offer, is_in in zip(offers_of(rules), chosen, strict=True) if is_in], basket, by_turn)
        )
        for chosen in itertools.product([True, False], repeat=len(rules))
        if allowed([rule for rule, is_in in zip(rules, chosen, strict=True) if is_in])
    )
    assert worth(worked(rules, basket, policy)) == best


@given(baskets, st.lists(rules, min_size=2, max_size=6), st.data(), caps_only)
def test_an_offer_more_never_makes_the_shopper_worse_off(basket, rules, data, policy):
    """While every combination is searched: wherever among the others it is told."""
    without = data.draw(st.integers(0, len(rules) - 1))
    fewer = [rule for at, rule in enumerate(rules) if at != without]
    assert worth(worked(rules, basket, policy)) >= worth(worked(fewer, basket, policy))


@settings(max_examples=30, deadline=None)
@given(baskets, st.lists(rules, min_size=EXACT, max_size=EXACT + 8), caps_only)
def test_beyond_the_search_a_code_more_makes_nobody_worse_off_nor_is_any_offer_better_alone(basket, rules, policy):
    *others, code = rules
    automatic = [Offer(key, rule, is_automatic=True) for key, rule in enumerate(others)]
    together = worth(evaluate([Offer("code", code), *automatic], basket, policy))
    assert together >= worth(evaluate(automatic, basket, policy))
    assert worth(worked(rules, basket, policy)) >= worth(worked(others, basket, policy)), "told last"
    assert together >= max(worth(worked([rule], basket, policy)) for rule in rules)


@given(baskets, several, policies)
def test_only_what_allows_each_other_is_applied_and_an_exclusive_offer_stands_alone(basket, rules, policy):
    applied = [rules[one.key] for one in worked(rules, basket, policy).applied]
    assert allowed(applied)
    assert len(applied) == 1 or all(rule.stacking.kind != "exclusive" for rule in applied)
    assert len(applied) <= (policy.most_offers or len(rules))


@given(baskets, several, policies)
def test_the_ceiling_holds(basket, rules, policy):
    off = worked(rules, basket, policy).discount_minor
    if policy.ceiling_basis_points:
        assert off * 10_000 <= basket.total_minor * policy.ceiling_basis_points
    if policy.ceiling:
        assert off <= policy.ceiling["EUR"]


@given(baskets, several, policies)
def test_the_higher_priority_works_first(basket, rules, policy):
    turns = [rules[one.key].stacking.priority for one in worked(rules, basket, policy).applied]
    assert turns == sorted(turns, reverse=True)


@given(baskets, several)
def test_by_priority_the_first_that_does_something_is_always_applied(basket, rules):
    by_turn = Stacking(mode="priority")
    evaluation = worked(rules, basket, by_turn)
    alone = [worked([rule], basket, by_turn).applied for rule in rules]
    top = max((rule.stacking.priority for rule, one in zip(rules, alone, strict=True) if one), default=None)
    if top is None:
        # What does nothing alone may hold behind another one, but here there is no first one.
        assert evaluation.applied == ()
    else:
        assert evaluation.applied[0].key in [
            key for key, rule in enumerate(rules) if alone[key] and rule.stacking.priority == top
        ]


@given(baskets, rules)
def test_an_offer_told_twice_under_other_keys_is_answered_for_each(basket, rule):
    evaluation = evaluate([Offer("one", rule), Offer("two", rule)], basket)
    keys = [one.key for one in (*evaluation.applied, *evaluation.not_applied)]
    assert sorted(keys) == ["one", "two"]
    assert all(one.reasons for one in evaluation.not_applied)
