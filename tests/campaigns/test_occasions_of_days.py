"""Occasions that come by the calendar for many at once: timetables, news, lists, events; and those inside already."""

import datetime as dt

import pytest
from django import forms

from campaigns.calendar.models import Calendar, EventDay, LocalEvent, Place
from campaigns.models import Touch
from retention import registries
from retention.customers.models import ActivityKind, Product
from retention.customers.models.lifecycle import CustomerStage, Stage
from retention.incentives import operations as incentives
from retention.incentives.models import Code, Grant
from retention.segments.models import CustomerList, ListEntry, Membership, Segment
from tests.campaigns.conftest import BY
from tests.campaigns.every_occasion import every_occasion

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
TEN = {"hour": "10:00"}


def found(campaign=None):
    rows = Touch.objects.filter(**({"campaign": campaign} if campaign else {}))
    return [
        (touch.customer.reference, touch.occasion, f"{touch.due_at:%m-%d %H:%M}")
        for touch in rows.select_related("customer").order_by("due_at", "customer__reference")
    ]


def test_the_31st_comes_again_on_the_last_of_shorter_months_by_her_own_clock(live, person, reach):
    person(reference="samoa", time_zone="Pacific/Pago_Pago")
    person(reference="line", time_zone="Pacific/Kiritimati")
    person(reference="nowhere", time_zone="Not/AZone")
    start = dt.datetime(2026, 1, 30, tzinfo=dt.UTC)
    args = {"start": "2026-01-31", "every": 1, "unit": "months", **TEN}
    hers = live("recurring", {**args, "clock": "customer"}, at=start, lateness_hours=1000)
    shops = live("recurring", {**args, "clock": "shop"}, at=start, lateness_hours=1000)
    for campaign in (hers, shops):
        for days in (0, 1, 2, 3, 15, 28, 29, 30, 31, 32):
            reach(campaign, start + days * DAY)
    assert found(hers) == [
        ("line", "2026-01", "01-30 20:00"),
        ("nowhere", "2026-01", "01-31 09:00"),
        ("samoa", "2026-01", "01-31 21:00"),
        ("line", "2026-02", "02-27 20:00"),
        ("nowhere", "2026-02", "02-28 09:00"),
        ("samoa", "2026-02", "02-28 21:00"),
    ]
    assert {row[2] for row in found(shops)} == {"01-31 09:00", "02-28 09:00"}
    assert len(found(shops)) == 6


def test_who_travels_on_the_day_has_it_once(live, person, reach):
    anna = person(time_zone="Pacific/Kiritimati")
    start = dt.datetime(2026, 5, 30, tzinfo=dt.UTC)
    campaign = live("recurring", {"start": "2026-05-31", "every": 1, "unit": "weeks", **TEN}, at=start)
    reach(campaign, start + DAY)
    type(anna).objects.filter(pk=anna.pk).update(time_zone="Pacific/Pago_Pago")
    reach(campaign, start + 3 * DAY)
    assert found() == [("p1", "2026-W22", "05-30 20:00")]


def test_products_of_one_day_are_one_piece_of_news(live, person, reach, now):
    person()
    product = {"currency": "EUR", "price_minor": 100, "recorded_at": now, "category": "Shoes/Summer"}
    on = (now + DAY).date()
    first = Product.objects.create(sku="a", name="Sandal", launched_on=on, tags=["beach"], **product)
    Product.objects.create(sku="b", name="Clog", launched_on=on, tags=["beach"], **product)
    Product.objects.create(sku="c", name="Boot", launched_on=on, **product)
    Product.objects.create(sku="d", name="Gone", launched_on=on, tags=["beach"], archived_at=now, **product)
    campaign = live("new_product", {"category": "Shoes", "tag": "beach", **TEN}, at=now)
    elsewhere = live("new_product", {"category": "Shoes/Summer", "tag": "snow", **TEN}, at=now)
    for hours in (12, 30, 54):
        reach(campaign, now + hours * HOUR)
        reach(elsewhere, now + hours * HOUR)
    assert found() == [("p1", f"new:{first.pk}", "05-13 08:00")]
    assert Touch.objects.get().about["products"] == ["Sandal", "Clog"]


def test_a_list_is_touched_whole_at_the_launch(live, person, reach, now):
    anna, _other = person(reference="anna"), person(reference="other")
    chosen = CustomerList.objects.create(name="VIP", uploaded_at=now - 200 * DAY)
    ListEntry.objects.create(list=chosen, customer=anna)
    campaign = live("by_hand", {"list": str(chosen.public_id)}, at=now)
    for hours in (0, 1, 48):
        reach(campaign, now + hours * HOUR)
    assert found() == [("anna", f"list:{chosen.pk}", "05-12 10:00")]


@pytest.mark.parametrize(("also_inside", "expected"), [(True, ["new", "old"]), (False, ["new"])])
def test_those_inside_already_are_meant_only_where_that_is_said(live, person, reach, now, also_inside, expected):
    segment = Segment.objects.create(name="Friends")
    stage = Stage.objects.create(key="loyal", position=1)
    long_ago = now - 400 * DAY
    segments = live("segment_entered", {"segment": str(segment.public_id), "also_inside": also_inside}, at=now)
    stages = live("stage_entered", {"stage": "loyal", "also_inside": also_inside}, at=now)
    for name, at in (("old", long_ago), ("new", now + HOUR)):
        customer = person(reference=name)
        Membership.objects.create(segment=segment, customer=customer, entered_at=at)
        customer.segment_changes.create(segment=segment, has_entered=True, at=at)
        CustomerStage.objects.create(stage=stage, customer=customer, since=at)
    for campaign in (segments, stages):
        for hours in (2, 3):
            reach(campaign, now + hours * HOUR)
        assert sorted(row[0] for row in found(campaign)) == expected
        assert all(touch.due_at >= now for touch in Touch.objects.all())


def test_a_coupon_that_lies_unused_is_remembered_once(live, person, incentive, reach, now):
    ten = incentive()
    incentives.go_live(incentive_id=ten.pk, now=now, by=BY)
    people = [person(reference=name) for name in ("given", "used")]
    granted = incentives.grant(
        incentive_id=ten.pk, sources=["given", "used"], customer_ids=[one.pk for one in people], origin="test",
        origin_ids=[None] * 2, now=now, by=BY,
    )  # fmt: skip
    incentives.give(grant_ids=list(granted.grants.values()), now=now)
    Code.objects.filter(grant_id=granted.grants["used"]).update(state="redeemed")
    coupons = live("coupon_unused", {"days": 7, **TEN}, at=now)
    for days in (6, 7, 8):
        reach(coupons, now + days * DAY)
    assert found(coupons) == [("given", f"grant:{granted.grants['given']}", "05-19 08:00")]


@pytest.fixture
def events(shop, person):
    where = {
        "berlin": ("DE", "Berlin"), "potsdam": ("DE", "Potsdam"), "paris": ("FR", "Paris"), "texas": ("US", "Paris"),
        "nowhere": ("DE", ""),
    }  # fmt: skip
    for name, (country, city) in where.items():
        person(reference=name, country=country, city=city)
    for country, city, latitude, longitude in (
        ("DE", "Berlin", 52.52, 13.40), ("DE", "Potsdam", 52.39, 13.06), ("FR", "Paris", 48.86, 2.35)
    ):  # fmt: skip
        Place.objects.create(country=country, city=city, latitude=latitude, longitude=longitude)
    calendar = Calendar.objects.create(name="Music", countries=["DE", "FR"])

    def event(name, *days, theme="music", **area):
        one = LocalEvent.objects.create(calendar=calendar, uid=name, name=name, theme=theme, **area)
        EventDay.objects.bulk_create([EventDay(event=one, on=dt.date.fromisoformat(day)) for day in days])
        return one

    return event


def test_one_campaign_serves_every_event_where_it_is_kept(events, live, person, reach, incentive):
    gift = incentive()
    fete = events("Fête de la musique", "2026-06-21", "2027-06-21", countries=["FR"], incentive=gift)
    rave = events("Rave", "2026-06-20", "2026-06-21", countries=["DE"], cities=["berlin"])
    lake = events("Lake", "2026-06-22", latitude=52.5, longitude=13.3, radius_km=10)
    wide = events("Wide", "2026-06-22", latitude=52.5, longitude=13.3, radius_km=30)
    events("Fair", "2026-06-22", theme="food", countries=["DE"])
    off = events("Off", "2026-06-22", countries=["DE"])
    LocalEvent.objects.filter(pk=off.pk).update(is_observed=False)
    start = dt.datetime(2026, 6, 18, 12, tzinfo=dt.UTC)
    campaign = live("local_event", {"theme": "music", "days_before": 1, **TEN}, at=start)
    for days in range(6):
        reach(campaign, start + days * DAY)
    assert len(found()) == 5
    assert set(found()) == {
        ("berlin", f"event:{rave.pk}:2026", "06-19 08:00"),
        ("paris", f"event:{fete.pk}:2026", "06-20 08:00"),
        ("berlin", f"event:{lake.pk}:2026", "06-21 08:00"),
        ("berlin", f"event:{wide.pk}:2026", "06-21 08:00"),
        ("potsdam", f"event:{wide.pk}:2026", "06-21 08:00"),
    }
    told = Touch.objects.get(occasion=f"event:{fete.pk}:2026").about
    assert told == {"name": "Fête de la musique", "theme": "music", "date": "2026-06-21", "_incentive": gift.pk}
    # Moved within the year it is the same event; the next year's is another.
    EventDay.objects.filter(event=fete, on="2026-06-21").update(on="2026-06-28")
    reach(campaign, start + 10 * DAY)
    assert len(found()) == 5
    reach(campaign, dt.datetime(2027, 6, 20, 12, tzinfo=dt.UTC))
    assert found()[-1][:2] == ("paris", f"event:{fete.pk}:2027")


def test_an_event_brings_its_own_incentive_while_it_is_live(events, live, reach, incentive, now):
    usual, special, stopped = incentive(), incentive(), incentive()
    for one in (special, stopped):
        incentives.go_live(incentive_id=one.pk, now=now, by=BY)
    incentives.stop(incentive_id=stopped.pk, now=now, by=BY)
    events("Rave", "2026-06-20", countries=["DE"], cities=["Berlin"], incentive=special)
    events("Fête", "2026-06-20", countries=["FR"])
    events("Old", "2026-06-20", countries=["DE"], cities=["Potsdam"], incentive=stopped)
    start = dt.datetime(2026, 6, 19, 12, tzinfo=dt.UTC)
    campaign = live("local_event", TEN, incentive=usual, at=start)
    reach(campaign, start + DAY)
    given = dict(Grant.objects.values_list("customer__reference", "incentive"))
    assert given == {"berlin": special.pk, "paris": usual.pk, "potsdam": usual.pk}


def test_every_occasion_says_itself_in_a_sentence(shop, now):
    said = every_occasion(now)
    assert {key for key, _args, _words in said} == set(registries.occasions.keys())
    for key, args, words in said:
        occasion = registries.occasions[key]
        assert occasion.sentence(occasion.clean(args)) == words


@pytest.mark.parametrize(
    ("key", "args", "field"),
    [
        ("activity", {"kind": "reviewed", "number": 1, "unit": "days"}, "hour"),
        ("activity", {"kind": "reviewed", "number": 1, "unit": "days", "side": "before", **TEN}, "side"),
        ("activity", {"kind": "reviewed", "number": 1, "unit": "hours", "repeats": "yearly"}, "unit"),
        ("activity", {"kind": "reviewed", "number": 0, "unit": "hours", "value": "5"}, "property"),
        ("activity", {"kind": "flew", "number": 0, "unit": "hours"}, "kind"),
        ("activity", {"kind": "reviewed", "number": 0, "unit": "hours", "product": "none"}, "product"),
        ("after_purchase", {"number": 41, "unit": "years", **TEN}, "number"),
        ("after_purchase", {"number": 1, "unit": "days", "category": "Nowhere", **TEN}, "category"),
        ("segment_entered", {"segment": "1"}, "segment"),
        ("rfm_moved", {}, "after"),
        ("nearly_there", {"unit": "store_cash_eur", "amount": 100, "short": 10}, "unit"),
        ("called", {"name": "not a word"}, "name"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(db, key, args, field):
    ActivityKind.objects.create(key="reviewed", label="Reviewed")
    with pytest.raises(forms.ValidationError) as refused:
        registries.occasions[key].clean(args)
    assert list(refused.value.error_dict) == [field]
