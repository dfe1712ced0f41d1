"""Steps: waits, branches, exits, hours of the week, coming again, channels, and what is missed when nobody worked."""

import datetime as dt
import itertools

import pytest

from campaigns.models import Touch
from campaigns.operations.converting import write_conversions
from retention.customers.models import ConsentState, CustomerStats, Order
from retention.experiments.operations import hold_out
from retention.incentives.models import Grant
from retention.messaging import operations as messaging
from retention.messaging.models import Delivery, Template
from retention.segments.models import Segment
from tests.campaigns.conftest import BY
from tests.marks import settle

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
COMMITTING = pytest.mark.django_db(transaction=True)
WORDS = {"en": {"subject": "Hello", "body": "<mj-text>Hello</mj-text>", "text": "Hello"}}
numbers = itertools.count()


def ordered(customer, at, state="paid"):
    return Order.objects.create(
        reference=f"o{next(numbers)}", customer=customer, state=state, currency="EUR", total_minor=2_000,
        base_minor=2_000, placed_at=at, recorded_at=at,
    )  # fmt: skip


def stand(campaign=None):
    """(customer, state, reason, step) of each touch."""
    rows = Touch.objects.filter(campaign=campaign) if campaign else Touch.objects.all()
    return sorted(rows.values_list("customer__reference", "state", "reason", "step"))


def said():
    """(customer, step, channel, ghost) of each message."""
    return sorted(Delivery.objects.values_list("customer__reference", "step", "channel", "is_ghost"))


@pytest.fixture
def joined(person, now):
    """People who signed up an hour ago."""

    def make(*names, **values):
        return [person(reference=name, signed_up_at=now - HOUR, **values) for name in names]

    return make


@pytest.fixture
def segment():
    def make(*cities):
        rule = {"all": [{"key": "city", "args": {"cities": list(cities)}}]}
        return Segment.objects.create(name=f"in {cities}", rule=rule)

    return make


@pytest.fixture
def texting(shop, now):
    """Words for another channel than mail."""
    made = messaging.create_template(name="Text", words=WORDS, now=now, by=BY)
    Template.objects.filter(pk=made.pk).update(channel="sms")
    return made


def test_days_are_counted_on_her_calendar_to_an_hour_of_her_clock(live, joined, template, reach, now):
    joined("seoul", time_zone="Asia/Seoul")
    joined("berlin")
    joined("new york", time_zone="America/New_York")
    steps = [{"messages": [template.pk]}, {"wait": {"days": 1, "hour": "10:00"}, "messages": [template.pk]}]
    campaign = live("signed_up", steps=steps)
    reach(campaign)
    at = dict(Touch.objects.values_list("customer__reference", "next_at"))
    tomorrow = (now + DAY).replace(minute=0)
    assert at == {
        "seoul": tomorrow.replace(hour=1),
        "berlin": tomorrow.replace(hour=8),
        "new york": tomorrow.replace(hour=14),
    }
    reach(campaign, tomorrow.replace(hour=9))
    assert said()[0] == ("berlin", 0, "email", False)
    assert [row[:2] for row in said() if row[1]] == [("berlin", 1), ("seoul", 1)]


def test_the_first_wait_of_days_is_counted_from_the_occasion(live, joined, template, reach, now):
    joined("berlin")
    joined("new york", time_zone="America/New_York")
    campaign = live("signed_up", steps=[{"wait": {"days": 0, "hour": "16:00"}, "messages": [template.pk]}])
    reach(campaign)
    assert said() == []
    reach(campaign, now.replace(hour=14, minute=0))
    assert [row[0] for row in said()] == ["berlin"]
    reach(campaign, now.replace(hour=20, minute=0))
    reach(campaign, now.replace(hour=21, minute=0))
    assert [row[0] for row in said()] == ["berlin", "new york"]


def test_steps_branch_forwards_by_segment(live, joined, segment, template, reach, now):
    joined("vip", city="Berlin")
    joined("other", city="Bonn")
    steps = [
        {"key": "hello", "messages": [template.pk]},
        {"key": "vip", "wait": {"hours": 1}, "only_for": segment("Berlin").pk, "otherwise": "rest", "then": "end",
         "messages": [template.pk]},
        {"key": "rest", "wait": {"hours": 2}, "messages": [template.pk]},
    ]  # fmt: skip
    campaign = live("signed_up", steps=steps)
    reach(campaign)
    reach(campaign, now + HOUR)
    assert [row[:2] for row in said()] == [("other", 0), ("vip", 0), ("vip", 1)]
    reach(campaign, now + 2 * HOUR)
    assert len(said()) == 3, "the wait of the step she was led to begins when she is"
    reach(campaign, now + 3 * HOUR)
    assert [row[:2] for row in said()] == [("other", 0), ("other", 2), ("vip", 0), ("vip", 1)]
    assert stand() == [("other", "waiting", "", 3), ("vip", "waiting", "", 2)]


def test_for_whom_the_only_step_is_not_meant_it_ends(live, joined, segment, template, reach):
    joined("vip", city="Berlin")
    joined("other", city="Bonn")
    step = {"only_for": segment("Berlin").pk, "otherwise": "end", "messages": [template.pk]}
    figures = reach(live("signed_up", steps=[step]))
    assert stand() == [("other", "skipped", "campaigns.not_meant", 0), ("vip", "waiting", "", 1)]
    assert figures.as_json() == {
        "due": 2, "touched": 1, "granted": 0, "queued": 1, "skipped": {"campaigns.not_meant": 1}
    }  # fmt: skip


def test_an_order_before_the_step_ends_it_though_the_job_runs_later(live, joined, incentive, template, reach, now):
    anna, boris, clara = joined("anna", "boris", "clara")
    steps = [
        {"messages": [template.pk]},
        {"wait": {"hours": 20}, "messages": [template.pk], "incentive": incentive().pk},
    ]
    campaign = live("signed_up", steps=steps, exits={"on_goal": True}, goal={"kind": "order", "days": 1})
    reach(campaign)
    order = ordered(anna, now + 19 * HOUR)
    ordered(boris, now + 19 * HOUR, state="cancelled")
    ordered(clara, now - 2 * HOUR)  # before she signed up
    reach(campaign, now + 21 * HOUR)
    assert stand() == [
        ("anna", "done", "campaigns.converted", 1),
        ("boris", "waiting", "", 2),
        ("clara", "waiting", "", 2),
    ]
    touch = Touch.objects.get(customer=anna)
    assert (touch.converted_at, touch.converted_order) == (order.placed_at, order)
    assert set(Grant.objects.values_list("customer__reference", flat=True)) == {"boris", "clara"}
    reach(campaign, now + 30 * HOUR)
    assert len(said()) == 5


def test_an_order_after_the_queueing_keeps_the_message_from_leaving(live, joined, template, reach, smtp, now):
    anna, _boris = joined("anna", "boris")
    campaign = live("signed_up", exits={"on_goal": True})
    reach(campaign)
    ordered(anna, now + dt.timedelta(minutes=1))
    messaging.send_due(now=now + HOUR, worker="test")
    assert len(smtp.messages) == 1
    assert stand() == [("anna", "skipped", "campaigns.converted", 1), ("boris", "done", "", 1)]


def test_who_comes_into_the_exit_segment_gets_no_further_step(live, joined, segment, template, reach, now):
    [anna] = joined("anna", city="Bonn")
    steps = [{"messages": [template.pk]}, {"wait": {"hours": 5}, "messages": [template.pk]}]
    campaign = live("signed_up", steps=steps, exits={"segment": segment("Berlin").pk})
    reach(campaign)
    anna.city = "Berlin"
    anna.save()
    reach(campaign, now + 5 * HOUR)
    assert stand() == [("anna", "done", "campaigns.left", 1)]


@COMMITTING
def test_conversions_are_written_by_when_they_happened(live, joined, reach, now):
    anna, boris, _clara = joined("anna", "boris", "clara")
    reach(live("signed_up", goal={"kind": "order", "days": 3}))
    late = ordered(anna, now + 2 * DAY)
    ordered(anna, now + DAY / 2)
    ordered(boris, now + 4 * DAY)
    settle()
    assert write_conversions(now=now + 5 * DAY) == 1
    assert write_conversions(now=now + 5 * DAY) == 0
    touch = Touch.objects.get(converted_at__isnull=False)
    assert (touch.customer, touch.converted_at) == (anna, now + DAY / 2)
    assert touch.converted_order != late


def test_hours_of_the_week_hold_steps_back(live, joined, template, reach, now):
    joined("seoul", time_zone="Asia/Seoul")
    joined("berlin")
    campaign = live("signed_up", windows=[{"weekdays": [0, 1, 2, 3, 4], "from": "09:00", "until": "18:00"}])
    reach(campaign)
    assert [row[0] for row in said()] == ["berlin"], "it is evening in Seoul"
    assert Touch.objects.get(customer__reference="seoul").next_at == (now + DAY).replace(hour=0, minute=0)
    reach(campaign, (now + DAY).replace(hour=0, minute=0))
    assert [row[0] for row in said()] == ["berlin", "seoul"]


def test_steps_missed_while_nobody_worked_are_taken_once_unless_too_late(live, joined, template, reach, now):
    joined("anna")
    steps = [{"messages": [template.pk]}, {"wait": {"hours": 1}, "messages": [template.pk]}]
    in_time = live("signed_up", steps=steps, lateness_hours=30)
    too_late = live("signed_up", steps=steps, lateness_hours=20)
    for campaign in (in_time, too_late):
        reach(campaign)
        for _ in range(2):
            reach(campaign, now + 30 * HOUR)
    assert stand(in_time) == [("anna", "waiting", "", 2)]
    assert stand(too_late) == [("anna", "done", "campaigns.too_late", 1)]
    assert [row[1] for row in said()] == [0, 0, 1]


def test_one_message_a_channel_by_the_one_she_prefers_or_by_all(live, joined, template, texting, reach, now):
    people = joined("by mail") + joined("by text", phone="+491701234567", preferred_channel="sms")
    people += joined("both", phone="+491701234568") + joined(
        "mail only", phone="+491701234569", preferred_channel="sms"
    )
    joined("nobody", consent=False)
    for customer in people[1:3]:
        ConsentState.objects.create(customer=customer, channel="sms", purpose="marketing", is_given=True,
                                    address=customer.phone, occurred_at=now)  # fmt: skip
    both = {"messages": [template.pk, texting.pk]}
    reach(live("signed_up", steps=[both]))
    assert [row[0::2] for row in said()] == [
        ("both", "email"), ("by mail", "email"), ("by text", "sms"), ("mail only", "email"),
    ]  # fmt: skip
    assert ("nobody", "skipped", "campaigns.no_consent", 0) in stand()
    Delivery.objects.all().delete()
    reach(live("signed_up", steps=[{**both, "reach": "all"}]))
    assert [row[0::2] for row in said()] == [
        ("both", "email"), ("both", "sms"), ("by mail", "email"), ("by text", "email"), ("by text", "sms"),
        ("mail only", "email"),
    ]  # fmt: skip


def test_one_channel_that_fails_does_not_end_what_another_said(live, joined, template, texting, reach, smtp, now):
    [anna] = joined("anna", phone="+491701234567")
    ConsentState.objects.create(customer=anna, channel="sms", purpose="marketing", is_given=True,
                                address=anna.phone, occurred_at=now)  # fmt: skip
    steps = [{"messages": [template.pk, texting.pk], "reach": "all"}, {"wait": {"hours": 9}, "messages": [template.pk]}]
    campaign = live("signed_up", steps=steps)
    reach(campaign)
    ConsentState.objects.filter(channel="email").delete()
    messaging.send_due(now=now, worker="test")
    assert dict(Delivery.objects.values_list("channel", "state"))["email"] == "suppressed"
    assert stand() == [("anna", "due", "", 1)]


def test_coming_again_takes_its_days_and_its_times(live, joined, reach, now, person):
    person(reference="anna", birth_month=5, birth_day=12)
    campaign = live("birthday", {"hour": "09:00"}, re_entry={"days": 400}, limits={"per_customer": 2})
    years = [now.replace(year=year) for year in (2026, 2027, 2028, 2029)]
    for at in years:
        reach(campaign, at)
        Touch.objects.filter(state="waiting").update(state="done", ended_at=at)
    assert list(Touch.objects.order_by("occasion").values_list("occasion", "state", "reason")) == [
        ("birthday:2026", "done", ""),
        ("birthday:2027", "skipped", "campaigns.too_soon"),
        ("birthday:2028", "done", ""),
        ("birthday:2029", "skipped", "campaigns.customers_limit"),
    ]


def test_nobody_to_whom_a_campaign_gave_something_lately(live, joined, incentive, reach, now):
    joined("anna", "boris")
    reach(live("signed_up", incentive=incentive(issued=1)))
    assert Grant.objects.get().customer.reference == "anna"
    second = live("signed_up", incentive=incentive(), cool_down_days=30)
    reach(second)
    assert [row[:3] for row in stand(second)] == [
        ("anna", "skipped", "campaigns.cooling_down"),
        ("boris", "waiting", ""),
    ]
    Grant.objects.update(granted_at=now - 30 * DAY)
    third = live("signed_up", incentive=incentive(), cool_down_days=30)
    reach(third)
    assert [row[1] for row in stand(third)] == ["waiting", "waiting"]


def test_full_price_buyers_begin_at_the_first_rung(live, joined, incentive, template, reach, now):
    people = joined("full price", "discounts", "new")
    for customer, share in zip(people, (0.02, 0.4), strict=False):
        CustomerStats.objects.create(customer=customer, discount_share=share)
    steps = [
        {"key": "words", "messages": [template.pk]},
        {"key": "ten", "wait": {"hours": 72}, "messages": [template.pk], "incentive": incentive().pk},
    ]
    campaign = live("signed_up", steps=steps, starts_low={"others_at": "ten", "below_percent": 10})
    reach(campaign)
    assert [row[:2] for row in said()] == [("discounts", 1), ("full price", 0), ("new", 0)]
    assert Grant.objects.get().customer.reference == "discounts"


@pytest.mark.parametrize("percent", [0, 40])
def test_the_held_out_live_as_ghosts_and_are_given_nothing(
    live, joined, incentive, template, reach, smtp, now, percent
):
    joined(*(f"p{n:02}" for n in range(30)))
    if not percent:
        hold_out(percent=20, now=now, by=BY)
    steps = [
        {"messages": [template.pk], "incentive": incentive().pk},
        {"wait": {"hours": 5}, "messages": [template.pk]},
    ]
    campaign = live("signed_up", steps=steps, holdout_percent=percent)
    reach(campaign)
    reach(campaign, now + 5 * HOUR)
    messaging.send_due(now=now + 5 * HOUR, worker="test")
    ghosts = set(Touch.objects.filter(is_ghost=True).values_list("customer_id", flat=True))
    assert 0 < len(ghosts) < 30
    assert set(Delivery.objects.filter(is_ghost=True).values_list("customer_id", flat=True)) == ghosts
    assert set(Delivery.objects.values_list("is_ghost", "state")) == {(True, "withheld"), (False, "sent")}
    assert not Grant.objects.filter(customer__in=ghosts).exists()
    assert Grant.objects.count() == 30 - len(ghosts)
    assert len(smtp.messages) == 2 * (30 - len(ghosts))
    assert set(Touch.objects.values_list("state", flat=True)) == {"done"}


def test_a_plan_may_ignore_the_shops_holdout(live, joined, reach, now):
    joined(*(f"p{n:02}" for n in range(30)))
    hold_out(percent=20, now=now, by=BY)
    reach(live("signed_up", ignores_global_holdout=True))
    assert not Touch.objects.filter(is_ghost=True).exists()


def test_variants_change_words_gifts_and_waits(live, joined, incentive, template, texting, reach, now):
    joined(*(f"p{n:02}" for n in range(40)))
    ten = incentive()
    steps = [{"key": "one", "messages": [template.pk]}, {"key": "two", "wait": {"hours": 5}, "messages": [template.pk]}]
    variants = [
        {"key": "a", "label": "As it is"},
        {"key": "b", "label": "With ten, sooner", "weight": 3,
         "steps": {"one": {"incentive": ten.pk}, "two": {"wait": {"hours": 1}}}},
    ]  # fmt: skip
    campaign = live("signed_up", steps=steps, variants=variants)
    reach(campaign)
    arms = dict(Touch.objects.values_list("customer_id", "variant"))
    assert set(arms.values()) == {"a", "b"}
    assert list(arms.values()).count("b") > list(arms.values()).count("a")
    b = {customer for customer, arm in arms.items() if arm == "b"}
    assert set(Grant.objects.values_list("customer_id", flat=True)) == b
    reach(campaign, now + HOUR)
    assert set(Delivery.objects.filter(step=1).values_list("customer_id", flat=True)) == b
