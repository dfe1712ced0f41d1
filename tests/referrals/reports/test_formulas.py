"""The formulas against arithmetic done by hand."""

import pytest

from referrals.reports.formulas import Inputs, average_by_place, cost_per_customer, estimate, k_factor, roi


def test_k_is_invitations_per_user_times_conversion():
    # 200 advocates sent 500 invitations: 2.5 each. 40 friends came: 8 %. 2.5 × 0.08 = 0.2.
    assert k_factor(users=200, invitations=500, converted=40) == pytest.approx(0.2)
    assert k_factor(users=200, invitations=0, converted=0) == 0.0
    assert k_factor(users=0, invitations=0, converted=0) is None


def test_a_customer_costs_both_rewards_and_her_part_of_the_running_cost():
    # 40 friends: €10 to each of both is €800; the programme ran for €200: €1,000 / 40 = €25.
    assert cost_per_customer(reward_minor=80_000, running_minor=20_000, converted=40) == 2_500
    assert cost_per_customer(reward_minor=100, running_minor=0, converted=3) == 33
    assert cost_per_customer(reward_minor=0, running_minor=20_000, converted=0) is None


def test_the_return_by_the_stated_formula():
    # A friend is worth €90, k is 0.2: €108. She cost €25: (108 − 25) / 25 = 3.32.
    assert roi(ltv_minor=9_000, k=0.2, reward_minor=2_500) == pytest.approx(3.32)
    # Worth less than she cost: (18 − 20) / 20 = −0.1.
    assert roi(ltv_minor=1_500, k=0.2, reward_minor=2_000) == pytest.approx(-0.1)
    assert roi(ltv_minor=9_000, k=0.2, reward_minor=0) is None


def test_an_average_over_places_is_weighed_by_how_many_have_them():
    # A Poisson number of friends, 1 each: P(N ≥ 1) = 0.63212, P(N ≥ 2) = 0.26424; all P(N ≥ n) sum to the mean.
    assert average_by_place(1.0, lambda n: 10.0 if n == 1 else 0.0) == pytest.approx(6.3212, abs=1e-4)
    assert average_by_place(1.0, lambda n: 10.0 if n == 2 else 0.0) == pytest.approx(2.6424, abs=1e-4)
    for mean in (0.001, 0.24, 7.5, 2_000.0):
        assert average_by_place(mean, lambda n: 3.0) == pytest.approx(3.0, abs=1e-3)
    assert average_by_place(0.0, lambda n: 5.0 if n == 1 else 9.0) == 5.0


def test_an_estimate_before_launch():
    # 10,000 customers, 5 % share: 500. 3 invitations each: 1,500. 8 % come: 120.
    # Rewards 120 × (€10 + €10) = €2,400; a year at €50 is €600: €3,000 in all, €25 each.
    # k = 3 × 0.08 = 0.24. A friend is worth €80, of which 50 % is margin: €40 × 1.24 = €49.60.
    # ROI = (49.60 − 25) / 25 = 0.984.
    told = Inputs(
        customers=10_000, joins=0.05, invitations=3, conversion=0.08, ltv_minor=8_000, friend_minor=1_000,
        advocate_minor=1_000, running_minor=5_000, months=12, margin=0.5,
    )  # fmt: skip
    found = estimate(told)
    assert (found.advocates, found.invitations, found.friends) == (500, 1_500, 120)
    assert (found.reward_minor, found.running_minor, found.cost_minor) == (240_000, 60_000, 300_000)
    assert (found.cost_per_customer_minor, found.revenue_minor) == (2_500, 960_000)
    assert found.k == pytest.approx(0.24)
    assert found.roi == pytest.approx(0.984)


def test_an_estimate_of_nobody_says_nothing():
    found = estimate(Inputs(0, 0.05, 3, 0.08, 8_000, 1_000, 1_000, running_minor=100))
    assert (found.friends, found.cost_per_customer_minor, found.roi, found.k) == (0, None, None, None)
