"""A rule on orders gone by: every figure by hand, and nothing written."""

import datetime as dt

import pytest

from loyalty import backtests
from loyalty.models import Earning, Member
from loyalty.rules import ProgrammeRule
from retention.ledger.units import UnitRule
from tests.loyalty.conftest import ONE_FOR_ONE

DAY = dt.timedelta(days=1)
UNIT = UnitRule(name="Points", kind="points", worth_points=100, worth={"EUR": 500})
STEPS = [
    {"key": "silver", "names": {"en": "Silver"}, "threshold": 100, "percent": 200},
    {"key": "gold", "names": {"en": "Gold"}, "threshold": 250},
]


def rule(**changes):
    return ProgrammeRule.model_validate({"names": {"en": "Club"}, "earning": [ONE_FOR_ONE], **changes})


def test_a_year_gone_by_in_figures(shop, customers, order, give_back, now):
    today = now.date()
    for days, price in ((30, 10_000), (20, 8_000)):
        order(customers[0], ("A", price, 1), at=now - days * DAY)
    back = order(customers[1], ("B", 5_000, 2), at=now - 10 * DAY)
    give_back(back, B=1)
    order(customers[2], at=now - 10 * DAY, state="cancelled")
    order(customers[3], at=now - 100 * DAY)
    order(None, at=now - 10 * DAY)

    found = backtests.look_back(
        rule(tiers={"steps": STEPS}), UNIT, first=today - 40 * DAY, last=today - DAY, now=now
    )  # fmt: skip

    # 100 took her to silver, where 80.00 earn 160: 260 in all, and gold. The other kept 50.00.
    assert (found.customers, found.orders, found.spend_minor) == (2, 3, 23_000)
    assert (found.earned, found.by_rule) == (310, {"base": 310})
    assert (found.worth_minor, found.reward_basis_points) == (1_550, 673)
    assert (found.tiers, found.one_in) == ({"": 1, "gold": 1}, 1)
    assert not Earning.objects.exists()
    assert not Member.objects.exists()


def test_where_there_are_many_an_even_share_stands_for_all(shop, customers, order, now, monkeypatch):
    monkeypatch.setattr(backtests, "MOST", 2)
    for customer in customers[:4]:
        order(customer, at=now - 10 * DAY)

    found = backtests.look_back(rule(), UNIT, first=now.date() - 20 * DAY, last=now.date() - DAY, now=now)

    assert found.one_in == 2
    assert (found.customers, found.orders, found.earned) == (4, 4, 40)


@pytest.mark.parametrize(("first", "last"), [(-1, 0), (-1, -2), (-500, -1)])
def test_days_that_cannot_be_looked_at_are_refused(shop, now, first, last):
    with pytest.raises(backtests.BadDays):
        backtests.look_back(
            rule(), UNIT, first=now.date() + first * DAY, last=now.date() + last * DAY, now=now
        )  # fmt: skip
