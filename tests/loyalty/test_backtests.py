"""A rule on days gone by: every figure by hand, nothing earned; asked for on its page, done by its job, read later."""

import datetime as dt

import pytest
from django.urls import reverse

from loyalty.backtests import looking
from loyalty.backtests.operations import BeingLookedAt, ask_back_test, do_back_tests
from loyalty.models import BackTest, Earning, Member
from loyalty.rules import ProgrammeRule
from retention.ledger.units import UnitRule
from retention.shop.models import Staff
from tests.loyalty.conftest import BY, ONE_FOR_ONE

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

    found = looking.look_back(
        rule(tiers={"steps": STEPS}), UNIT, first=today - 40 * DAY, last=today - DAY, now=now
    )  # fmt: skip

    # 100 took her to silver, where 80.00 earn 160: 260 in all, and gold. The other kept 50.00.
    assert (found.customers, found.orders, found.spend_minor) == (2, 3, 23_000)
    assert (found.earned, found.by_rule) == (310, {"base": 310})
    assert (found.worth_minor, found.reward_basis_points) == (1_550, 673)
    assert (found.tiers, found.one_in) == ({"": 1, "gold": 1}, 1)
    assert not Earning.objects.exists()
    assert not Member.objects.exists()


def test_birthdays_and_anniversaries_count_from_her_first_day_on(shop, customers, order, now):
    """Seen from 12 May 2026, over 400 days: whose day came before she did anything has to wait for the next."""
    today = now.date()
    for customer, (month, day) in zip(customers, ((5, 1), (4, 20), (2, 29), (6, 1)), strict=False):
        customer.birth_month, customer.birth_day = month, day
        customer.save()
    order(customers[0], at=now - 380 * DAY)  # 27 April 2025: two birthdays, and an anniversary
    order(customers[1], at=now - 300 * DAY)  # 16 July 2025: one birthday
    order(customers[2], at=now - 80 * DAY)  # 21 February 2026: the 28th stands for the 29th
    order(customers[3], at=now - 40 * DAY)  # her birthday is still to come
    order(customers[4], at=now - 40 * DAY)  # nobody knows hers
    yearly = {"kind": "yearly", "key": "cake", "amount": 50, "counts_for_tier": False}
    joining = {"kind": "yearly", "key": "years", "of": "joining", "amount": 7}
    order(customers[1], at=now - 25 * DAY)  # 17 April 2026, in the month of her birthday
    twice = {"kind": "multiplied", "key": "twice", "percent": 200, "of": ["base"], "when": {"in_birth_month": True}}

    found = looking.look_back(
        rule(earning=[ONE_FOR_ONE, yearly, joining, twice]), UNIT, first=today - 390 * DAY, last=today - DAY, now=now
    )  # fmt: skip

    assert found.by_rule == {"base": 60, "cake": 200, "years": 7, "twice": 20}
    assert (found.customers, found.orders, found.activities) == (5, 6, 0)
    assert {month.first.isoformat()[:7]: month.earned for month in found.months} == {
        "2025-04": 10, "2025-05": 50, "2025-07": 10, "2026-02": 70, "2026-04": 97, "2026-05": 50,
    }  # fmt: skip


def test_where_there_are_many_an_even_share_stands_for_all(shop, customers, order, now, monkeypatch):
    monkeypatch.setattr(looking, "MOST", 2)
    for customer in customers[:4]:
        order(customer, at=now - 10 * DAY)

    found = looking.look_back(rule(), UNIT, first=now.date() - 20 * DAY, last=now.date() - DAY, now=now)

    assert found.one_in == 2
    assert (found.customers, found.orders, found.earned) == (4, 4, 40)


@pytest.mark.parametrize(("first", "last"), [(-1, 0), (-1, -2), (-500, -1)])
def test_days_that_cannot_be_looked_at_are_refused(shop, now, first, last):
    with pytest.raises(looking.BadDays):
        looking.look_back(
            rule(), UNIT, first=now.date() + first * DAY, last=now.date() + last * DAY, now=now
        )  # fmt: skip


REVIEWS = {
    "kind": "activity", "key": "review", "activity": "reviewed", "amount": 50, "code_property": "code",
    "caps": [{"most": 1, "of": "times", "per": "month"}],
}  # fmt: skip


def test_activities_earn_between_orders_and_what_expired_is_not_owed(shop, customers, order, activity, now):
    """100 for an order; a review takes her to silver, where the next order earns double; a code counts once for all."""
    day = (now - 100 * DAY).replace(day=3)
    order(customers[0], ("A", 5_000, 1), at=day)
    activity(customers[0], "reviewed", at=day + DAY, code="x")
    activity(customers[0], "reviewed", at=day + 2 * DAY, code="y")
    activity(customers[1], "reviewed", at=day + 3 * DAY, code="x")
    activity(customers[2], "searched", at=day + 3 * DAY)
    order(customers[0], ("A", 1_000, 1), at=day + 40 * DAY)
    unit = UnitRule.model_validate({**UNIT.model_dump(), "expiry": {"kind": "after", "count": 30, "per": "day"}})

    found = looking.look_back(
        rule(earning=[ONE_FOR_ONE, REVIEWS], tiers={"steps": STEPS}), unit, first=day.date() - DAY,
        last=day.date() + 45 * DAY, now=now,
    )  # fmt: skip

    assert (found.customers, found.orders, found.activities) == (2, 2, 3)
    assert (found.earned, found.by_rule) == (120, {"base": 70, "review": 50})
    assert (found.expired, found.worth_minor, found.owed_minor) == (100, 600, 100)
    assert found.tiers == {"": 1, "silver": 1}
    assert [(month.earned, month.spend_minor) for month in found.months] == [(100, 5_000), (20, 1_000)]
    assert not found.is_enough


def test_it_is_asked_for_on_its_page_done_by_its_job_and_read_later(client, programme, customers, order, now):
    boss = Staff.objects.create_superuser("boss", "boss@example.com", "x")
    client.force_login(boss)
    club = programme(unit_rule={"worth": {"EUR": 100}}, tiers={"steps": STEPS})
    order(customers[0], ("A", 12_000, 1), at=now - 10 * DAY)
    page = reverse("admin:loyalty_programme_back_tests", args=[club.pk])
    period = {"first": str(now.date() - 20 * DAY), "last": str(now.date() - DAY)}

    assert "No back-test was made yet." in client.get(page).content.decode()
    assert client.post(page, period).status_code == 302
    with pytest.raises(BeingLookedAt):
        ask_back_test(programme_id=club.pk, first=now.date() - DAY, last=now.date() - DAY, now=now, by=BY)
    results = reverse("admin:loyalty_programme_back_test_results", args=[club.pk])
    assert results in client.get(results).content.decode()
    assert do_back_tests(now=now, progress=lambda done, total: None) == 1
    first = BackTest.objects.get()
    assert (first.state, first.done, first.total, first.asked_by) == ("done", 1, 1, boss)
    shown = client.get(page).content.decode()

    for words in ("120 Club_points", "1.0 % of €120.00", "Not enough data: one customer says nothing", "Silver"):
        assert words in shown
    assert results not in shown
    # Days without anything say so, and the earlier result can still be read.
    ask_back_test(programme_id=club.pk, first=now.date() - 3 * DAY, last=now.date() - DAY, now=now, by=BY)
    do_back_tests(now=now, progress=lambda done, total: None)
    assert "there is no order, and no activity" in client.get(page).content.decode()
    assert "120 Club_points" in client.get(f"{page}?result={first.pk}").content.decode()
    assert not Earning.objects.exists()
