"""Birthdays and anniversaries: once a year, on the shop's day, caught up after a rest of the scheduler."""

import datetime as dt

from loyalty import operations
from loyalty.models import Earning
from retention.customers.models import Customer
from tests.loyalty.conftest import BY

DAY = dt.timedelta(days=1)
BIRTHDAY = {"kind": "yearly", "key": "birthday", "of": "birthday", "amount": 100}
JOINED = {"kind": "yearly", "key": "joined", "of": "joining", "amount": 50}


def born(customer, month, day):
    Customer.objects.filter(pk=customer.pk).update(birth_month=month, birth_day=day)


def test_a_birthday_earns_once_a_year_however_often_it_is_moved(programme, customers, sweep, now):
    club = programme(earning=[BIRTHDAY], joining="request")
    operations.join(programme_id=club.pk, customer_ids=[c.pk for c in customers[:3]], now=now, by=BY)
    for customer, day in zip(customers, (12, 14, 15, 14), strict=False):
        born(customer, 5, day)

    for n in range(5):
        sweep(now + n * DAY)
    born(customers[1], 5, 17)
    sweep(now + 5 * DAY)
    sweep(now + 367 * DAY)

    rows = Earning.objects.order_by("pk").values_list("member__customer_id", "about", "amount")
    # The day of the launch had begun before it; the fourth is no member.
    assert list(rows) == [
        (customers[1].pk, "birthday:2026", 100),
        (customers[2].pk, "birthday:2026", 100),
        (customers[0].pk, "birthday:2027", 100),
    ]
    assert Earning.objects.first().earned_at == dt.datetime(2027, 5, 11, 22, tzinfo=dt.UTC)


def test_days_missed_are_caught_up_and_the_29th_is_kept_on_the_28th(programme, customers, sweep, now):
    at = dt.datetime(2027, 2, 20, 12, tzinfo=dt.UTC)
    club = programme(earning=[BIRTHDAY], joining="request", at=at)
    operations.join(programme_id=club.pk, customer_ids=[c.pk for c in customers], now=at, by=BY)
    born(customers[0], 2, 29)
    born(customers[1], 3, 1)

    sweep(at + 10 * DAY)

    rows = Earning.objects.order_by("earned_at").values_list("member__customer_id", "earned_at")
    midnights = [dt.datetime(2027, 2, day, 23, tzinfo=dt.UTC) for day in (27, 28)]
    assert list(rows) == [(customers[0].pk, midnights[0]), (customers[1].pk, midnights[1])]


def test_the_day_of_joining_comes_back_every_year(programme, customers, sweep, now):
    club = programme(earning=[JOINED], joining="request")
    operations.join(programme_id=club.pk, customer_ids=[customers[0].pk], now=now, by=BY)
    sweep(now + 364 * DAY)
    assert not Earning.objects.exists()

    sweep(now + 365 * DAY)
    sweep(now + 366 * DAY)

    assert list(Earning.objects.values_list("about", flat=True)) == ["joining:2027"]
