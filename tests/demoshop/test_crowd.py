"""The invented people: plausible shares, valid facts, the same for the same seed."""

import calendar
import datetime as dt
from zoneinfo import ZoneInfo

import phonenumbers
import pytest

from retention import clock
from retention.demoshop.catalogue import catalogue
from retention.demoshop.crowd import buyer, consent_rows, subscribers
from retention.demoshop.happenings import activity_rows
from retention.demoshop.histories import histories
from retention.demoshop.places import CITIES, COUNTRIES

ZONE = ZoneInfo("America/New_York")
NOW = dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)
TODAY = dt.date(2026, 5, 12)


def crowd(seed=1, buyers=3_000):
    goods = catalogue(seed=seed, today=TODAY)
    found = histories(today=TODAY, buyers=buyers)
    return [buyer(number, history, goods.genres, ZONE, seed) for number, history in found.items()]


@pytest.fixture(scope="module")
def people():
    return crowd()


def test_the_same_seed_gives_the_same_people_and_another_seed_others(people):
    assert crowd() == people
    assert crowd(seed=2) != people


def test_a_smaller_shop_holds_the_same_persons(people):
    by_number = {person.number: person for person in people}

    assert all(person == by_number[person.number] for person in crowd(buyers=300) if person.number in by_number)


def test_twelve_countries_with_zones_that_exist(people):
    assert len(COUNTRIES) == 12
    assert {city.country for city in CITIES} == set(COUNTRIES)
    assert {city.zone for city in CITIES} <= clock.zone_names()
    assert {person.city.country for person in people} >= set(COUNTRIES) - {"KI"}
    assert {person.language for person in people} >= {"en", "ko", "ru", "de", "fr", "ja"}


def test_mails_are_under_example_com_and_nobody_shares_one(people):
    assert all(person.email.endswith("@example.com") and person.email.isascii() for person in people)
    assert len({person.email for person in people}) == len(people)


def test_phones_can_exist_but_belong_to_nobody(people):
    with_phone = [person for person in people if person.phone]

    assert with_phone
    for person in with_phone:
        assert phonenumbers.is_possible_number(phonenumbers.parse(person.phone))
    assert {person.city.country for person in with_phone} == {"US", "CA", "GB", "DE", "FR"}


def test_birthdays_are_days_and_some_are_missing_some_without_year_some_on_29_february():
    birthdays = [person.birthday for person in crowd(buyers=23_570)]
    known = [birthday for birthday in birthdays if birthday]

    assert 0.39 < 1 - len(known) / len(birthdays) < 0.43
    assert any(year is None for year, _, _ in known)
    assert sum((month, day) == (2, 29) for _, month, day in known) > 5
    for year, month, day in known:
        assert 1 <= day <= calendar.monthrange(year or 2000, month)[1]


def test_consent_is_given_refused_withdrawn_and_missing(people):
    seen = {
        tuple(row["event"] for row in consent_rows(person, is_buyer=True, now=NOW, seed=1) if row["channel"] == "email")
        for person in people
    }

    assert {("given",), ("given", "withdrawn"), ("withdrawn",), ()} <= seen
    for person in people[:300]:
        rows = list(consent_rows(person, is_buyer=True, now=NOW, seed=1))
        assert all(person.signed_up_at < row["occurred_at"] <= NOW for row in rows)
        assert len({row["reference"] for row in rows}) == len(rows)


def test_someone_signed_up_within_the_last_day():
    signed_up = [person.signed_up_at for person in subscribers(100, ("Jazz", "Rock"), NOW, 1)]

    assert sum(NOW - at < dt.timedelta(days=1) for at in signed_up) == 5
    assert all(at < NOW for at in signed_up)


def test_nothing_happens_before_the_sign_up_nor_after_now():
    goods = catalogue(seed=1, today=TODAY)
    for person in subscribers(100, goods.genres, NOW, 1):
        rows = list(activity_rows(person, (), goods, now=NOW, seed=1))
        assert rows[0]["kind"] == "signed_up"
        assert all(person.signed_up_at <= row["occurred_at"] <= NOW for row in rows)
