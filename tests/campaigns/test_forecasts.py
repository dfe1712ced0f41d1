"""A forecast keeps to what the plan asks of each: the segment that ends it, branches, limits, ramp, shares."""

import datetime as dt
from collections import Counter

import pytest

from campaigns import forecasts, operations
from campaigns.models import Touch
from campaigns.operations.previewing import preview
from retention.customers.models import CustomerStats
from retention.incentives import operations as incentives
from retention.incentives.models import Grant
from retention.messaging.models import Delivery
from retention.segments.models import Segment
from tests.campaigns.conftest import BY

DAY = dt.timedelta(days=1)
NINE = {"hour": "09:00"}


@pytest.fixture
def town(person, now):
    """Twelve who have their birthdays on the days ahead, from tomorrow on, two a day; four of them live in Rome."""
    return [
        person(birth_month=5, birth_day=13 + n // 2, city="Rome" if n % 3 == 0 else "Oslo", country="IT")
        for n in range(12)
    ]


def lives_in(city):
    return Segment.objects.create(name=city, rule={"all": [{"key": "city", "args": {"cities": [city]}}]}).pk


def draft(plan, now):
    return operations.create_campaign(plan=plan, now=now, by=BY)


def test_branches_are_counted_as_they_are_today(planned, town, template, incentive, now):
    rome, ten, five = lives_in("Rome"), incentive(), incentive()
    steps = [
        {"key": "hello", "messages": [template.pk]},
        {"key": "rome", "only_for": rome, "otherwise": "rest", "then": "end", "wait": {"hours": 24},
         "incentive": ten.pk},
        {"key": "rest", "wait": {"hours": 24}, "incentive": five.pk, "messages": [template.pk]},
        {"key": "bye", "only_for": rome, "messages": [template.pk]},
    ]  # fmt: skip
    plan = planned("birthday", NINE, steps=steps, exits={"on_goal": True})
    found = operations.forecast(campaign=draft(plan, now), plan=plan, now=now)
    assert (found.heads, found.steps, found.skipped, found.later) == (12, [12, 4, 8, 0], Counter(), 0)
    assert forecasts.steps(found)[1] == "Step 2: at most 4 customers"
    assert forecasts.unforeseen(plan) == (
        "Not foreseen: who does what it is for before a step comes, and leaves; "
        "who is in a step's segment when the step comes: they are counted as they are today."
    )


def test_full_price_buyers_begin_low_and_a_first_step_may_be_for_none(planned, town, template, now):
    for one in town[:5]:
        CustomerStats.objects.create(customer=one, discount_share=0.5)
    rome = lives_in("Rome")
    steps = [
        {"key": "low", "only_for": rome, "otherwise": "end", "messages": [template.pk]},
        {"key": "high", "messages": [template.pk]},
    ]
    plan = planned("birthday", NINE, steps=steps, starts_low={"others_at": "high", "below_percent": 10})
    found = operations.forecast(campaign=draft(plan, now), plan=plan, now=now)
    # Of the seven who pay in full two live in Rome (the seventh and the tenth); the others are meant by no step.
    assert (found.heads, found.steps, found.skipped) == (7, [2, 7], {"campaigns.not_meant": 5})


def test_limits_ramps_and_days(planned, town, now):
    def said(**more):
        plan = planned("birthday", NINE, **more)
        found = operations.forecast(campaign=draft(plan, now), plan=plan, now=now)
        return found.heads, dict(found.skipped), found.later, forecasts.sentence(found, plan)

    assert said(limits={"touches": 5})[:3] == (5, {"campaigns.limit_reached": 7}, 0)
    assert said(ramp={"first": 4}, limits={"touches": 5})[:3] == (4, {"campaigns.held": 8}, 0)
    assert said(exits={"segment": lives_in("Rome")})[:2] == (8, {"campaigns.left": 4})
    heads, skipped, later, _words = said(ramp={"percent": 50})
    assert heads + skipped["campaigns.held"] == 12
    assert 0 < heads < 12
    heads, skipped, _later, _words = said(holdout_percent=50)
    assert heads + skipped["campaigns.held_out"] == 12
    assert 0 < heads < 12
    assert later == 0
    # Two fall due on each of six days, and the days that follow have room for the others.
    assert said(limits={"touches_a_day": 1})[:3] == (12, {}, 0)
    # All at once, with two days more in the month that is looked at.
    plan = planned("one_date", {"on": "2026-06-09", "hour": "09:00", "clock": "shop"}, limits={"touches_a_day": 2})
    found = operations.forecast(campaign=draft(plan, now), plan=plan, now=now)
    assert (found.heads, found.later) == (12, 6)
    assert forecasts.sentence(found, plan) == (
        "It would reach 12 customers in the next 30 days. 6 of them only later: it touches at most 2 a day."
    )


def test_who_had_something_lately_cools_down(planned, town, incentive, now):
    ten = incentive()
    incentives.go_live(incentive_id=ten.pk, now=now, by=BY)
    incentives.grant(
        incentive_id=ten.pk, customer_ids=[town[0].pk, town[11].pk], sources=["a", "b"], origin="campaigns.touch",
        origin_ids=[1, 2], now=now, by=BY,
    )  # fmt: skip
    plan = planned("birthday", NINE, cool_down_days=3)
    found = operations.forecast(campaign=draft(plan, now), plan=plan, now=now)
    # The first has her birthday tomorrow; the last on the sixth day, when it is long ago.
    assert (found.heads, dict(found.skipped)) == (11, {"campaigns.cooling_down": 1})
    assert "what other campaigns give them until then" in forecasts.unforeseen(plan)


@pytest.mark.parametrize(
    "bounds",
    [
        {"limits": {"touches": 5}},
        {"ramp": {"first": 4}},
        {"ramp": {"percent": 50}, "holdout_percent": 30},
        {"holdout_percent": 30},
        {"limits": {"touches": 5}, "holdout_percent": 50},
        {"limits": {"per_customer": 1}, "re_entry": {"days": 3}},
        {"exits": {"segment": "Rome"}},
        {"only_for": "Rome"},
    ],
)
def test_a_preview_of_a_run_says_what_the_run_does(live, town, template, incentive, reach, now, bounds):
    ten, rome = incentive(), lives_in("Rome")
    only_for = {"only_for": rome, "otherwise": "end"} if bounds.pop("only_for", None) else {}
    if "exits" in bounds:
        bounds = {"exits": {"segment": rome}}
    steps = [
        {"incentive": ten.pk, "messages": [template.pk], **only_for},
        {"wait": {"hours": 48}, "messages": [template.pk]},
    ]
    campaign = live("birthday", NINE, steps=steps, **bounds)
    at = now + 4 * DAY
    foretold, _rows = preview(campaign_id=campaign.pk, now=at)
    done = reach(campaign, at)
    assert foretold.as_json() == done.as_json()
    assert (done.granted, done.queued) == (Grant.objects.count(), Delivery.objects.count())
    assert Touch.objects.count() == 8
