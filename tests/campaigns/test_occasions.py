"""Each occasion's truth: who is due, under which key, when; and what never doubles it."""

import datetime as dt

import pytest
from django import forms

from campaigns import operations
from campaigns.holidays import computed
from campaigns.models import Holiday, Touch
from campaigns.operations.calendars import HolidayThere, NoSuchCountry, wanted_holidays
from retention import registries
from retention.customers.models import CustomerStats, Order
from retention.incentives import operations as incentives
from retention.incentives.models import Code
from retention.ledger import operations as ledger
from tests.campaigns.conftest import BY

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
NINE = {"hour": "09:00"}


def found(campaign):
    rows = Touch.objects.filter(campaign=campaign).order_by("customer__reference", "occasion")
    return list(rows.values_list("customer__reference", "occasion", "about"))


def ordered(customer, at, *, reference=None, state="paid"):
    order = Order.objects.create(
        reference=reference or f"{customer.reference}-{at:%Y%m%d%H}",
        customer=customer,
        state=state,
        currency="EUR",
        total_minor=1000,
        base_minor=1000,
        placed_at=at,
        recorded_at=at,
    )
    CustomerStats.objects.update_or_create(customer=customer, defaults={"last_order_at": at, "orders": 1})
    return order


def test_anniversaries_count_the_years_by_her_own_calendar(live, person, reach, now):
    person(reference="one", signed_up_at=dt.datetime(2025, 5, 12, 6, tzinfo=dt.UTC))
    person(reference="three", signed_up_at=dt.datetime(2023, 5, 12, 6, tzinfo=dt.UTC))
    # 23:30 in UTC is the next day in Berlin, and was in Seoul; in New York it was the same day.
    late = dt.datetime(2024, 5, 11, 23, 30, tzinfo=dt.UTC)
    person(reference="berlin", signed_up_at=late)
    person(reference="seoul", signed_up_at=late, time_zone="Asia/Seoul")
    person(reference="york", signed_up_at=late, time_zone="America/New_York")
    campaign = live("anniversary", NINE, at=now - 2 * HOUR - DAY)
    reach(campaign, now.replace(hour=7, minute=1))
    assert found(campaign) == [
        ("berlin", "anniversary:2", {"years": 2}),
        ("one", "anniversary:1", {"years": 1}),
        ("seoul", "anniversary:2", {"years": 2}),
        ("three", "anniversary:3", {"years": 3}),
        ("york", "anniversary:2", {"years": 2}),  # on the 11th, at nine in New York
    ]
    assert Touch.objects.get(customer__reference="york").due_at == dt.datetime(2026, 5, 11, 13, tzinfo=dt.UTC)


def test_only_the_year_asked_for(live, person, reach):
    person(reference="one", signed_up_at=dt.datetime(2025, 5, 12, 6, tzinfo=dt.UTC))
    person(reference="three", signed_up_at=dt.datetime(2023, 5, 12, 6, tzinfo=dt.UTC))
    campaign = live("anniversary", {**NINE, "years": 3})
    reach(campaign)
    assert [row[0] for row in found(campaign)] == ["three"]


@pytest.mark.parametrize(("rule", "days"), [("02-28", [28]), ("03-01", [1])])
def test_signed_up_on_29_february(live, person, reach, rule, days):
    person(signed_up_at=dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC))
    start = dt.datetime(2026, 2, 26, 12, tzinfo=dt.UTC)
    campaign = live("anniversary", {**NINE, "leap_day": rule}, at=start)
    for n in range(1, 6):
        reach(campaign, start + n * DAY)
    assert [touch.due_at.day for touch in Touch.objects.all()] == days


@pytest.fixture
def calendars(shop, person, now):
    for country, zone in (("KR", "Asia/Seoul"), ("DE", "Europe/Berlin"), ("RU", "Europe/Moscow"), ("", "")):
        person(reference=country or "nowhere", country=country, time_zone=zone)
    operations.refresh_holidays(now=now)


def test_a_holiday_reaches_its_country_only_and_is_named_in_her_language(calendars, person, live, reach):
    for language in ("ko", "ko-KR", "fr"):
        person(reference=f"KR {language}", country="KR", time_zone="Asia/Seoul", language=language)
    liberation = dt.datetime(2026, 8, 14, 12, tzinfo=dt.UTC)
    campaign = live("holiday", NINE, at=liberation)
    reach(campaign, liberation + DAY)
    assert found(campaign) == [
        ("KR", "KR:liberation-day:2026", {"name": "Liberation Day"}),
        ("KR fr", "KR:liberation-day:2026", {"name": "Liberation Day"}),
        ("KR ko", "KR:liberation-day:2026", {"name": "광복절"}),
        ("KR ko-KR", "KR:liberation-day:2026", {"name": "광복절"}),
    ]


def test_chosen_holidays_ahead_of_the_day(calendars, live, reach):
    start = dt.datetime(2026, 12, 15, 12, tzinfo=dt.UTC)
    campaign = live("holiday", {**NINE, "holidays": ["christmas-day"], "days_before": 7}, at=start)
    reach(campaign, start + 2 * DAY)
    assert not found(campaign)
    reach(campaign, start + 3 * DAY)
    assert [row[:2] for row in found(campaign)] == [("DE", "DE:christmas-day:2026"), ("KR", "KR:christmas-day:2026")]
    reach(campaign, start + 5 * DAY)
    assert len(found(campaign)) == 2
    reach(campaign, start + 20 * DAY)
    assert found(campaign)[-1][:2] == ("RU", "RU:christmas-day:2027"), "Russia keeps it on 7 January"


def test_a_holiday_of_many_days_is_kept_on_its_first(calendars, live, reach):
    start = dt.datetime(2026, 12, 31, 12, tzinfo=dt.UTC)
    campaign = live("holiday", {**NINE, "holidays": ["new-year-holidays"]}, at=start)
    for n in range(1, 9):
        reach(campaign, start + n * DAY)
    assert [row[:2] for row in found(campaign)] == [("RU", "RU:new-year-holidays:2027")]


def test_edited_holidays_stay_and_computing_again_changes_nothing(calendars, now, live, reach):
    assert operations.refresh_holidays(now=now) == 0
    assert operations.missing_holidays(now=now) == 0
    christmas = Holiday.objects.get(country="DE", key="christmas-day", on__year=2026)
    operations.save_holiday(
        holiday_id=christmas.pk,
        country="DE",
        on=dt.date(2026, 12, 27),
        key="christmas-day",
        name="Weihnachten",
        is_observed=True,
        now=now,
        by=BY,
    )
    assert operations.refresh_holidays(now=now) == 0
    assert [row.on.day for row in Holiday.objects.filter(country="DE", key="christmas-day", on__year=2026)] == [27]
    off = Holiday.objects.get(country="KR", key="liberation-day", on__year=2026)
    Holiday.objects.filter(pk=off.pk).update(is_observed=False)
    start = dt.datetime(2026, 8, 14, 12, tzinfo=dt.UTC)
    campaign = live("holiday", NINE, at=start)
    assert reach(campaign, start + 2 * DAY).due == 0


def test_holidays_are_computed_years_ahead_for_the_countries_that_matter(calendars, now):
    assert {row[0] for row in wanted_holidays(now)} == {"KR", "DE", "RU"}
    assert {row[1].year for row in wanted_holidays(now)} >= {2026, 2027, 2028}


def test_silence_since_the_last_order(live, person, reach, now):
    silent = person(reference="silent")
    ordered(silent, now - 180 * DAY)
    ordered(person(reference="longer"), now - 200 * DAY)
    ordered(person(reference="recent"), now - 20 * DAY)
    person(reference="never")
    campaign = live("days_since_last_order", {**NINE, "days": 180})
    reach(campaign)
    first = Order.objects.get(customer=silent)
    assert [row[:2] for row in found(campaign)] == [("silent", f"order:{first.pk}")]
    # A new order and a new silence are a new occasion; an edit of the old order is none.
    Order.objects.filter(pk=first.pk).update(placed_at=now - 179 * DAY)
    CustomerStats.objects.filter(customer=silent).update(last_order_at=now - 179 * DAY)
    reach(campaign, now + 2 * DAY)
    assert len(found(campaign)) == 1
    second = ordered(silent, now + DAY)
    reach(campaign, now + 182 * DAY)
    # "recent" fell silent meanwhile too, so long ago that it is too late.
    assert [row[:2] for row in found(campaign) if row[0] == "silent"] == [
        ("silent", f"order:{first.pk}"),
        ("silent", f"order:{second.pk}"),
    ]


def test_those_silent_already_are_touched_at_the_launch_if_wanted(live, person, reach, now):
    for days in (170, 190, 364, 366):
        ordered(person(reference=f"{days} days"), now - days * DAY)
    campaign = live("days_since_last_order", {**NINE, "days": 180, "already_days": 365}, at=now - HOUR)
    figures = reach(campaign)
    assert [row[0] for row in found(campaign)] == ["190 days", "364 days"]
    assert set(Touch.objects.values_list("due_at", flat=True)) == {now - HOUR}
    assert figures.skipped == {}


def test_a_cancelled_order_is_no_order(live, person, reach, now):
    anna = person()
    ordered(anna, now - 180 * DAY)
    ordered(anna, now - 180 * DAY, reference="cancelled", state="cancelled")
    campaign = live("days_since_last_order", {**NINE, "days": 180})
    reach(campaign)
    assert found(campaign)[0][1] == f"order:{Order.objects.get(state='paid').pk}"


def test_a_coupon_about_to_expire_is_remembered_once_unless_it_was_used(live, person, incentive, reach, now):
    ten = incentive()
    incentives.go_live(incentive_id=ten.pk, now=now, by=BY)
    people = [person(reference=name) for name in ("given", "used", "unsent")]
    granted = incentives.grant(
        incentive_id=ten.pk,
        sources=[customer.reference for customer in people],
        customer_ids=[customer.pk for customer in people],
        origin="test",
        origin_ids=[None] * 3,
        now=now,
        by=BY,
    )
    incentives.give(grant_ids=[granted.grants["given"], granted.grants["used"]], now=now)
    Code.objects.filter(grant_id=granted.grants["used"]).update(state="redeemed")
    campaign = live("coupon_expiring", {**NINE, "days": 3}, at=now)
    reach(campaign, now + 26 * DAY)
    assert not found(campaign)
    reach(campaign, now + 27 * DAY)
    reach(campaign, now + 28 * DAY)
    touch = Touch.objects.get()
    assert (touch.customer.reference, touch.occasion) == ("given", f"grant:{granted.grants['given']}")
    assert touch.grant_id == granted.grants["given"], "the message can show that very code"


def test_what_is_about_to_expire_is_remembered_once_unless_it_was_spent(live, person, reach, now):
    unit = ledger.money_unit(purpose="store_cash", currency="EUR", now=now, by=BY)
    issued, ends = ledger.shop_account(unit, "issued"), now + 30 * DAY
    accounts = {}
    for name in ("unused", "spent", "none"):
        customer = person(reference=name)
        accounts[name] = ledger.open_customer_accounts(unit=unit, customer_ids=[customer.pk], now=now)[customer.pk]
    gifts = [
        ledger.Transfer(
            source=f"{name}{n}", from_id=issued, to_id=accounts[name], amount=100, verb="issue", expires_at=ends
        )
        for name in ("unused", "spent")
        for n in range(2)
    ]
    ledger.transfer(transfers=gifts, now=now, by=BY)
    used = ledger.shop_account(unit, "redeemed")
    spent = ledger.Transfer(source="x", from_id=accounts["spent"], to_id=used, amount=200, verb="spend")
    ledger.transfer_one(wish=spent, now=now, by=BY)
    campaign = live("value_expiring", {**NINE, "days": 3, "unit": "store_cash_eur"}, at=now)
    other = live("value_expiring", {**NINE, "days": 3, "unit": "points"}, at=now)
    for days in (26, 27, 28):
        reach(campaign, now + days * DAY)
        reach(other, now + days * DAY)
    touch = Touch.objects.get()
    assert touch.customer.reference == "unused"
    assert touch.occasion == f"ends:{accounts['unused']}:{int(ends.timestamp())}"


@pytest.mark.parametrize(
    ("key", "args", "field"),
    [
        ("birthday", {"hour": "25:00"}, "hour"),
        ("birthday", {}, "hour"),
        ("birthday", {"hour": "09:00", "leap_day": "02-30"}, "leap_day"),
        ("birthday", {"hour": "09:00", "days": 3}, "days"),
        ("anniversary", {"hour": "09:00", "years": 0}, "years"),
        ("one_date", {"hour": "09:00", "clock": "shop"}, "on"),
        ("one_date", {"hour": "09:00", "on": "2026-02-30", "clock": "shop"}, "on"),
        ("days_since_last_order", {"hour": "09:00", "days": 180, "already_days": 90}, "already_days"),
        ("coupon_expiring", {"hour": "09:00", "days": "many"}, "days"),
        ("holiday", {"hour": "09:00", "holidays": ["no-such-day"]}, "holidays"),
        ("holiday", {"hour": "09:00", "holidays": "christmas-day"}, "holidays"),
    ],
)
def test_bad_arguments_are_refused_by_name(db, key, args, field):
    with pytest.raises(forms.ValidationError) as refused:
        registries.occasions[key].clean(args)
    assert list(refused.value.error_dict) == [field]


def test_holidays_are_said_by_name_and_many_are_counted(db):
    kept = [("DE", "christmas-day", "Erster Weihnachtstag"), ("GB", "christmas-day", "Christmas Day")]
    kept += [("GB", "new-years-day", "New Year's Day"), ("KR", "chuseok", "추석"), ("GB", "good-friday", "Good Friday")]
    for number, (country, key, name) in enumerate(kept, 1):
        Holiday.objects.create(country=country, on=dt.date(2026, 1, number), key=key, name=name)
    occasion = registries.occasions["holiday"]

    def said(*keys):
        return str(occasion.sentence(occasion.clean({**NINE, "holidays": list(keys)})))

    assert said("chuseok", "new-years-day") == "on Chuseok, New Year's Day at 09:00 her time"
    assert said("chuseok", "christmas-day", "good-friday", "new-years-day") == (
        "on Christmas Day, Chuseok and 2 more at 09:00 her time"
    )


def test_a_holiday_that_comes_twice_in_a_year_is_kept_twice(live, person, reach, now):
    person(country="HU")
    operations.refresh_holidays(now=now)
    start = dt.datetime(2027, 3, 10, 12, tzinfo=dt.UTC)
    campaign = live("holiday", {**NINE, "holidays": ["national-day"]}, at=start)
    for n in (*range(8), *range(222, 230)):
        reach(campaign, start + n * DAY)
    assert [(row[1], row[2]) for row in found(campaign)] == [
        ("HU:national-day:2027", {"name": "National Day"}),
        ("HU:national-day:2027:2", {"name": "National Day"}),
    ]
    assert [f"{touch.due_at:%m-%d}" for touch in Touch.objects.order_by("due_at")] == ["03-15", "10-23"]


@pytest.mark.parametrize(("country", "year"), [("CN", 2026), ("RU", 2026), ("RU", 2027), ("HU", 2026), ("AR", 2027)])
def test_days_that_are_merely_off_are_no_holidays(country, year):
    rows = computed(country, [year])
    assert len(rows) > 8
    assert not [key for _day, key, _name, _names in rows if "day-off" in key or "bridge" in key or "substituted" in key]


def test_the_moons_feasts_keep_their_key_and_name_when_their_day_becomes_certain():
    rows = computed("KW", [2027])
    assert {"isra-and-miraj", "islamic-new-year", "prophets-birthday"} & {key for _day, key, _name, _names in rows}
    assert not [row for row in rows if "estimated" in row[1] or "تقديري" in row[2]]


def test_a_day_to_come_that_is_computed_elsewhere_now_is_dropped(calendars, now):
    stay = {"country": "DE", "name": "Old"}
    Holiday.objects.create(on=dt.date(2026, 12, 24), key="christmas-day", **stay)
    edited = Holiday.objects.create(on=dt.date(2026, 12, 23), key="shop-day", is_edited=True, **stay)
    gone_by = Holiday.objects.create(on=dt.date(2026, 1, 2), key="old-day", **stay)
    elsewhere = Holiday.objects.create(on=dt.date(2026, 12, 24), key="old-day", country="FR", name="Old")
    before = Holiday.objects.count()
    assert operations.missing_holidays(now=now) == 1
    assert operations.refresh_holidays(now=now) == 1
    assert Holiday.objects.count() == before - 1
    assert Holiday.objects.filter(pk__in=[edited.pk, gone_by.pk, elsewhere.pk]).count() == 3
    assert operations.missing_holidays(now=now) == 0


def test_a_holiday_of_no_country_or_there_already_is_refused(now, shop):
    own = {"holiday_id": None, "on": dt.date(2026, 12, 24), "key": "eve", "name": "Eve"}
    own |= {"is_observed": True, "now": now, "by": BY}
    operations.save_holiday(country="DE", **own)
    with pytest.raises(HolidayThere):
        operations.save_holiday(country="DE", **own)
    for country in ("ZZ", "", "de", "Narnia"):
        with pytest.raises(NoSuchCountry):
            operations.save_holiday(country=country, **own)
    assert Holiday.objects.filter(key="eve").count() == 1
