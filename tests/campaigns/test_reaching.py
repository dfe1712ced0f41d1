"""Reaching who is due: once each, caught up once, skipped with a reason, resumed where it was, and as previewed."""

import datetime as dt

import pytest
from django.db import transaction

from campaigns import operations
from campaigns.models import Campaign, Reach, Touch
from campaigns.operations import reaching
from retention.customers.models import ConsentState, Customer
from retention.incentives import operations as incentives
from retention.incentives.models import Code, Grant
from retention.marks import CurrentTransaction
from retention.messaging.models import Delivery
from retention.segments.models import Segment
from tests.campaigns.conftest import BY, agree
from tests.marks import settle

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
NINE = {"hour": "09:00"}
#: Facts are read by the marks of committed transactions, so these tests commit.
COMMITTING = pytest.mark.django_db(transaction=True)


def touches(campaign):
    return sorted(
        Touch.objects.filter(campaign=campaign).values_list("customer__reference", "occasion", "state", "reason")
    )


def test_a_birthday_brings_one_touch_one_code_one_message(live, person, incentive, reach, now):
    anna = person(birth_month=5, birth_day=12)
    person(birth_month=5, birth_day=14)
    campaign = live("birthday", NINE, incentive=incentive())
    figures = reach(campaign)
    assert figures.as_json() == {"due": 1, "touched": 1, "granted": 1, "queued": 1, "skipped": {}}
    touch = Touch.objects.get()
    assert (touch.customer, touch.occasion, touch.state) == (anna, "birthday:2026", "waiting")
    assert touch.due_at == now.replace(hour=7), "nine in Berlin"
    grant = Grant.objects.get()
    assert (grant.customer, grant.origin, grant.origin_id) == (anna, "campaigns.touch", touch.pk)
    assert Code.objects.get().state == "reserved"
    delivery = Delivery.objects.get()
    assert (delivery.customer, delivery.grant, delivery.origin_id) == (anna, grant, touch.pk)


def test_running_it_again_does_nothing_more(live, person, incentive, reach, now):
    person(birth_month=5, birth_day=12)
    campaign = live("birthday", NINE, incentive=incentive())
    reach(campaign)
    again = reach(campaign)
    later = reach(campaign, now + 3 * HOUR)
    assert again.as_json() == later.as_json() == {"due": 0, "touched": 0, "granted": 0, "queued": 0, "skipped": {}}
    assert Touch.objects.count() == Grant.objects.count() == Delivery.objects.count() == 1


def test_not_before_the_hour_in_her_own_zone(live, person, reach, now):
    for zone in ("Asia/Seoul", "America/New_York", "", "Not/AZone"):
        person(reference=zone or "shop", birth_month=5, birth_day=12, time_zone=zone)
    campaign = live("birthday", NINE, at=now - DAY)
    midnight = now.replace(hour=0, minute=1)
    reach(campaign, midnight)
    assert [row[0] for row in touches(campaign)] == ["Asia/Seoul"], "nine in Seoul is midnight in UTC"
    reach(campaign, midnight + 7 * HOUR)
    assert [row[0] for row in touches(campaign)] == ["Asia/Seoul", "Not/AZone", "shop"]
    reach(campaign, midnight + 12 * HOUR)
    assert len(touches(campaign)) == 3
    reach(campaign, midnight + 13 * HOUR)
    assert [row[0] for row in touches(campaign)] == ["America/New_York", "Asia/Seoul", "Not/AZone", "shop"]


@pytest.mark.parametrize(("rule", "day"), [("02-28", 28), ("03-01", 1)])
def test_29_february_is_kept_by_the_marketers_rule(live, person, reach, rule, day):
    person(birth_month=2, birth_day=29, birth_year=1992)
    noon = dt.datetime(2026, 2, 26, 12, tzinfo=dt.UTC)
    campaign = live("birthday", {**NINE, "leap_day": rule}, at=noon)
    for n in range(1, 6):
        reach(campaign, noon + n * DAY)
    assert Touch.objects.get().due_at.day == day


def test_thirty_hours_off_are_caught_up_once(live, person, reach, now):
    for n in range(4):
        person(reference=f"b{n}", birth_month=5, birth_day=10 + n)
    campaign = live("birthday", NINE, at=now - 4 * DAY)
    reach(campaign, now - 30 * HOUR)
    before = touches(campaign)
    reach(campaign, now)
    assert [row[0] for row in before] == ["b0"]
    assert touches(campaign) == [
        ("b0", "birthday:2026", "waiting", ""),
        ("b1", "birthday:2026", "waiting", ""),
        ("b2", "birthday:2026", "waiting", ""),
    ]


def test_what_is_too_late_is_skipped_with_the_reason(live, person, reach, now, incentive):
    for n in range(4):
        person(reference=f"b{n}", birth_month=5, birth_day=9 + n)
    campaign = live("birthday", NINE, incentive=incentive(), at=now - 5 * DAY, lateness_hours=30)
    figures = reach(campaign, now)
    assert figures.as_json() == {
        "due": 4, "touched": 2, "granted": 2, "queued": 2, "skipped": {"campaigns.too_late": 2}
    }  # fmt: skip
    assert [row[2] for row in touches(campaign)] == ["skipped", "skipped", "waiting", "waiting"]
    assert Code.objects.count() == 2


def test_nothing_that_fell_before_the_launch(live, person, reach, now):
    person(birth_month=5, birth_day=12)
    campaign = live("birthday", NINE, at=now - 2 * HOUR)
    assert reach(campaign).due == 0


def test_whom_we_may_not_write_to_is_skipped_and_takes_no_code(live, person, incentive, reach, now):
    person(reference="no consent", birth_month=5, birth_day=12, consent=False)
    person(reference="no address", birth_month=5, birth_day=12, email=None, consent=False)
    moved = person(reference="other address", birth_month=5, birth_day=12)
    Customer.objects.filter(pk=moved.pk).update(email="new@example.com")
    person(reference="withdrawn", birth_month=5, birth_day=12)
    ConsentState.objects.filter(customer=Customer.objects.get(reference="withdrawn")).update(is_given=False)
    campaign = live("birthday", NINE, incentive=incentive())
    figures = reach(campaign)
    assert figures.skipped == {"campaigns.no_consent": 3, "campaigns.no_address": 1}
    assert not Code.objects.exists()
    assert not Delivery.objects.exists()


@COMMITTING
def test_consent_that_follows_within_the_lateness_brings_it_after_all(live, person, incentive, reach, now):
    anna = person(consent=False, signed_up_at=now - HOUR)
    campaign = live("signed_up", incentive=incentive())
    reach(campaign)
    assert touches(campaign) == [("p1", "signed_up", "skipped", "campaigns.no_consent")]
    agree(anna, now)
    settle()
    figures = reach(campaign, now + HOUR)
    assert (figures.granted, figures.queued) == (1, 1)
    assert touches(campaign) == [("p1", "signed_up", "waiting", "")]


@COMMITTING
def test_consent_that_follows_too_late_brings_nothing(live, person, reach, now):
    anna = person(consent=False, signed_up_at=now - HOUR)
    campaign = live("signed_up", lateness_hours=24)
    reach(campaign)
    agree(anna, now)
    settle()
    reach(campaign, now + 2 * DAY)
    assert touches(campaign) == [("p1", "signed_up", "skipped", "campaigns.no_consent")]


@COMMITTING
def test_a_customer_we_learn_of_late_is_reached_once(live, person, reach, now):
    campaign = live("signed_up", at=now - 5 * DAY)
    reach(campaign)
    person(reference="yesterday", signed_up_at=now - DAY)
    person(reference="long ago", signed_up_at=now - 4 * DAY)
    settle()
    reach(campaign, now + HOUR)
    reach(campaign, now + 2 * HOUR)
    assert touches(campaign) == [("yesterday", "signed_up", "waiting", "")]


@COMMITTING
def test_an_edited_birthday_brings_no_second_one(live, person, reach, now):
    anna = person(birth_month=5, birth_day=12)
    campaign = live("birthday", NINE)
    reach(campaign)
    for day in (13, 14):
        Customer.objects.filter(pk=anna.pk).update(birth_day=day)
        reach(campaign, now + (day - 12) * DAY)
    # Across the new year the key differs, and the distance tells.
    eve = dt.datetime(2026, 12, 31, 12, tzinfo=dt.UTC)
    Touch.objects.update(due_at=eve)
    Customer.objects.filter(pk=anna.pk).update(birth_month=1, birth_day=1)
    reach(campaign, eve + 2 * DAY)
    assert Touch.objects.count() == 1


@COMMITTING
def test_an_edited_birthday_of_today_is_still_kept(live, person, reach, now):
    anna = person(birth_month=8, birth_day=1)
    campaign = live("birthday", NINE)
    reach(campaign)
    Customer.objects.filter(pk=anna.pk).update(birth_month=5, birth_day=12, xid=CurrentTransaction())
    settle()
    reach(campaign, now + HOUR)
    assert touches(campaign) == [("p1", "birthday:2026", "waiting", "")]


def test_only_the_audience_in_the_countries_without_the_excluded(live, person, reach, now):
    for name, country, source in (
        ("in", "DE", "shop"), ("abroad", "FR", "shop"), ("other", "DE", "ad"), ("out", "DE", "shop")
    ):  # fmt: skip
        person(reference=name, birth_month=5, birth_day=12, country=country, source=source, city=name)

    def rule(key, name, value):
        return {"all": [{"key": key, "args": {name: [value]}}]}

    audience = Segment.objects.create(name="a", rule=rule("source", "sources", "shop"))
    excluded = Segment.objects.create(name="x", rule=rule("city", "cities", "out"))
    campaign = live("birthday", NINE, audience=audience.pk, excluded=excluded.pk, countries=["DE"])
    reach(campaign)
    assert [row[0] for row in touches(campaign)] == ["in"]


def test_an_empty_segment_is_nobody(live, person, reach, now):
    person(birth_month=5, birth_day=12)
    empty = Segment.objects.create(name="empty", rule={})
    assert reach(live("birthday", NINE, audience=empty.pk)).due == 0


def test_an_issue_limit_grants_the_first_and_tells_the_others(live, person, incentive, reach):
    for n in range(5):
        person(reference=f"p{n}", birth_month=5, birth_day=12)
    campaign = live("birthday", NINE, incentive=incentive(issued=3))
    figures = reach(campaign)
    assert figures.as_json() == {
        "due": 5, "touched": 3, "granted": 3, "queued": 3, "skipped": {"incentives.all_issued": 2}
    }  # fmt: skip
    assert [row[2:] for row in touches(campaign)] == [("waiting", "")] * 3 + [("skipped", "incentives.all_issued")] * 2
    assert Delivery.objects.count() == 3


def test_a_stopped_incentive_makes_refused_touches(live, person, incentive, reach, now):
    person(birth_month=5, birth_day=12)
    ten = incentive()
    campaign = live("birthday", NINE, incentive=ten)
    incentives.stop(incentive_id=ten.pk, now=now, by=BY)
    reach(campaign)
    assert touches(campaign) == [("p1", "birthday:2026", "skipped", "incentives.stopped")]
    assert not Delivery.objects.exists()


def test_small_chunks_come_to_the_same(live, person, incentive, reach):
    for n in range(23):
        person(reference=f"p{n:02}", birth_month=5, birth_day=12)
        person(reference=f"q{n:02}", birth_month=6, birth_day=12)
    campaign = live("birthday", NINE, incentive=incentive())
    figures = reach(campaign, most=4)
    assert figures.touched == figures.granted == figures.queued == 23
    assert Touch.objects.count() == Code.objects.count() == 23


def test_a_run_that_was_killed_goes_on_where_it_was(live, person, incentive, reach, now, monkeypatch):
    for n in range(12):
        person(reference=f"p{n:02}", birth_month=5, birth_day=12)
    campaign = live("birthday", NINE, incentive=incentive())
    calls = []

    def die(done, total):
        calls.append(done)
        if len(calls) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reach(campaign, most=4, progress=die)
    before = Touch.objects.count()
    assert 4 <= before == Code.objects.count() == Delivery.objects.count() < 12
    assert Reach.objects.get().phase == "fresh"
    assert reach(campaign, now + HOUR, most=4).touched == 12 - before
    assert Touch.objects.count() == Code.objects.count() == Delivery.objects.count() == 12


def test_a_pause_takes_effect_at_the_next_chunk(live, person, reach, now):
    for n in range(12):
        person(reference=f"p{n:02}", birth_month=5, birth_day=12)
    campaign = live("birthday", NINE)

    def pause(done, total):
        if Campaign.objects.get().state == "live":
            operations.pause(campaign_id=campaign.pk, now=now, by=BY)

    assert reach(campaign, most=4, progress=pause).touched == 4
    assert reach(campaign).touched == 0
    operations.resume(campaign_id=campaign.pk, now=now, by=BY)
    assert reach(campaign, now + HOUR).touched == 8


def test_later_steps_wait_and_go_once(live, person, incentive, template, reach, now):
    person(birth_month=5, birth_day=12)
    ten = incentive()
    steps = [{"messages": [template.pk]}, {"wait": {"hours": 48}, "messages": [template.pk], "incentive": ten.pk}]
    campaign = live("birthday", NINE, steps=steps)
    first = reach(campaign)
    assert (first.granted, first.queued) == (0, 1)
    touch = Touch.objects.get()
    assert (touch.state, touch.step, touch.next_at) == ("due", 1, now + 2 * DAY)
    assert reach(campaign, now + 47 * HOUR).queued == 0
    second = reach(campaign, now + 48 * HOUR)
    assert (second.granted, second.queued) == (1, 1)
    assert reach(campaign, now + 72 * HOUR).queued == 0
    assert sorted(Delivery.objects.values_list("step", flat=True)) == [0, 1]
    assert Touch.objects.get().state == "waiting"


def test_a_first_step_that_waits(live, person, template, reach, now):
    person(signed_up_at=now - HOUR)
    campaign = live("signed_up", steps=[{"wait": {"hours": 24}, "messages": [template.pk]}])
    assert reach(campaign).queued == 0
    assert Touch.objects.get().next_at == now + 23 * HOUR
    assert reach(campaign, now + 23 * HOUR).queued == 1


def test_giving_without_words_gives_at_once(live, person, incentive, reach):
    person(birth_month=5, birth_day=12, consent=False)
    ten = incentive()
    campaign = live("birthday", NINE, steps=[{"incentive": ten.pk}])
    reach(campaign)
    assert touches(campaign) == [("p1", "birthday:2026", "done", "")]
    assert Code.objects.get().state == "given"


def test_merged_and_erased_customers_are_nobody(live, person, reach, now):
    anna = person(birth_month=5, birth_day=12)
    twin = person(birth_month=5, birth_day=12)
    gone = person(birth_month=5, birth_day=12)
    Customer.objects.filter(pk=twin.pk).update(merged_into=anna)
    Customer.objects.filter(pk=gone.pk).update(erased_at=now)
    campaign = live("birthday", NINE)
    reach(campaign)
    assert [row[0] for row in touches(campaign)] == ["p1"]


@pytest.mark.parametrize("args", [{"clock": "shop"}, {"clock": "customer"}])
def test_one_date_reaches_everyone_once_and_then_ends(live, person, reach, now, args):
    for n, zone in enumerate(("Asia/Seoul", "America/New_York", "")):
        person(reference=f"p{n}", time_zone=zone)
    campaign = live("one_date", {"on": "2026-05-12", "hour": "09:00", **args})
    reach(campaign)
    assert len(touches(campaign)) == (3 if args["clock"] == "shop" else 2), "New York sleeps"
    reach(campaign, now + 5 * HOUR)
    assert {row[1] for row in touches(campaign)} == {"once"}
    assert len(touches(campaign)) == 3
    assert not operations.finish(campaign_id=campaign.pk, now=now + 5 * HOUR, by=BY)
    much_later = now + 4 * DAY
    reach(campaign, much_later)
    assert operations.finish(campaign_id=campaign.pk, now=much_later, by=BY)
    assert Campaign.objects.get().state == "ended"
    assert Campaign.objects.get().stopped_at is None


@COMMITTING
def test_what_was_previewed_is_what_runs(live, person, incentive, reach, now):
    for n in range(30):
        person(reference=f"p{n:02}", birth_month=5, birth_day=1 + n, consent=n % 3 != 1, signed_up_at=now - n * HOUR)
    birthdays = live("birthday", NINE, incentive=incentive(issued=2))
    welcome = live("signed_up", incentive=incentive())
    tomorrow = now + DAY
    settle()
    for campaign in (birthdays, welcome):
        reach(campaign, now - 2 * HOUR)
        before = set(touches(campaign))
        foreseen, rows = operations.preview(campaign_id=campaign.pk, now=tomorrow)
        assert set(touches(campaign)) == before, "a preview changes nothing"
        figures = reach(campaign, tomorrow)
        assert figures.as_json() == foreseen.as_json()
        names = dict(Customer.objects.values_list("pk", "reference"))
        new = set(touches(campaign)) - before
        assert {(names[row.customer_id], row.occasion) for row in rows} == {row[:2] for row in new}
        assert figures.touched > 0


def test_the_preview_of_a_look_under_way(live, person, reach, now):
    for n in range(12):
        person(reference=f"p{n:02}", birth_month=5, birth_day=12)
    campaign = live("birthday", NINE)

    def die(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reach(campaign, most=5, progress=die)
    _figures, rows = operations.preview(campaign_id=campaign.pk, now=now + HOUR)
    assert len(rows) == 7
    assert reach(campaign, now + HOUR).touched == 7


def test_a_look_needs_few_statements(live, person, incentive, reach, django_assert_max_num_queries):
    for n in range(40):
        person(reference=f"p{n:02}", birth_month=5, birth_day=12)
    campaign = live("birthday", NINE, incentive=incentive())
    with django_assert_max_num_queries(75), transaction.atomic():
        reach(campaign)
    assert reaching.MOST == 5_000
