"""Units: when what they count expires, what it is worth, and how they are saved."""

import datetime as dt

import pytest
from django.utils import translation
from pydantic import ValidationError

from retention.audit.models import Version
from retention.audit.operations import EditedMeanwhile
from retention.ledger import operations, seeds
from retention.ledger.models import Account, Unit
from retention.ledger.operations.units import SomebodyOwes, UnitIsFixed, UnitTaken
from retention.ledger.units import After, EachYear, UnitRule, months_later
from retention.ledger.versions import rule_of
from tests.ledger.conftest import BY

POINTS = {"name": "Points", "kind": "points"}


@pytest.mark.parametrize(
    ("rule", "day", "last"),
    [
        (After(count=10, per="day"), "2026-01-25", "2026-02-04"),
        (After(count=1, per="month"), "2026-01-31", "2026-02-28"),
        (After(count=1, per="year"), "2028-02-29", "2029-02-28"),
        (After(count=1, per="month", rounded_to="month"), "2026-01-15", "2026-02-28"),
        (After(count=1, per="month", rounded_to="quarter"), "2026-01-15", "2026-03-31"),
        (After(count=6, per="month", rounded_to="half_year"), "2026-01-15", "2026-12-31"),
        (After(count=1, per="year", rounded_to="year"), "2026-05-12", "2027-12-31"),
        (EachYear(month=12, day=31), "2026-05-12", "2026-12-31"),
        (EachYear(month=12, day=31), "2026-12-31", "2026-12-31"),
        (EachYear(month=12, day=31, least_days=90), "2026-11-01", "2027-12-31"),
        (EachYear(month=2, day=29), "2026-01-01", "2026-02-28"),
        (EachYear(month=2, day=29), "2026-03-01", "2027-02-28"),
        (EachYear(month=2, day=29), "2027-03-01", "2028-02-29"),
    ],
)
def test_the_last_day(rule, day, last):
    assert rule.last_day(dt.date.fromisoformat(day)) == dt.date.fromisoformat(last)


def test_it_ends_at_the_shops_midnight_after_its_last_day():
    rule = UnitRule(**POINTS, expiry={"kind": "after", "count": 1, "per": "day"})
    # 00:30 in Berlin on the 28th of March; the 29th, its last day, has 23 hours.
    at = dt.datetime(2026, 3, 27, 23, 30, tzinfo=dt.UTC)
    assert rule.expires_at(at, "Europe/Berlin") == dt.datetime(2026, 3, 29, 22, tzinfo=dt.UTC)
    assert rule.expires_at(at, "UTC") == dt.datetime(2026, 3, 29, tzinfo=dt.UTC)
    assert UnitRule(**POINTS).expires_at(at, "UTC") is None


def test_months_go_to_the_last_day_where_there_is_none():
    assert [months_later(dt.date(2027, 10, 31), n) for n in (1, 4, 16)] == [
        dt.date(2027, 11, 30), dt.date(2028, 2, 29), dt.date(2029, 2, 28),
    ]  # fmt: skip


def test_points_pay_what_they_are_worth_and_never_more():
    rule = UnitRule(**POINTS, worth_points=3, worth={"EUR": 2})
    assert [rule.in_minor(n, "EUR") for n in range(7)] == [0, 0, 1, 2, 2, 3, 4]
    assert [rule.for_minor(n, "EUR") for n in range(5)] == [0, 2, 3, 5, 6]
    for minor in range(200):
        assert rule.in_minor(rule.for_minor(minor, "EUR"), "EUR") >= minor
        assert minor == 0 or rule.in_minor(rule.for_minor(minor, "EUR") - 1, "EUR") < minor
    assert rule.is_payable_in("EUR")
    assert not rule.is_payable_in("USD")


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "money"},
        {"kind": "money", "currency": "EUR", "digits": 0},
        {"kind": "money", "currency": "EUR", "digits": 2, "worth": {"EUR": 1}},
        {"kind": "points", "currency": "EUR"},
        {"kind": "points", "worth": {"XXY": 1}},
        {"kind": "points", "may_be_negative": True, "expiry": {"kind": "after", "count": 1}},
        {"kind": "points", "expiry": {"kind": "each_year", "month": 2, "day": 30}},
        {"kind": "points", "most_basis_points": 0},
    ],
)
def test_what_cannot_be(wrong):
    with pytest.raises(ValidationError):
        UnitRule(name="Wrong", **wrong)


@pytest.mark.django_db
class TestSaving:
    def test_a_unit_has_the_shops_accounts_and_versions(self, unit, now):
        made = unit(expiry={"kind": "after", "count": 2, "per": "year"})
        assert set(Account.objects.filter(unit=made).values_list("purpose", flat=True)) == set(Account.Purpose.values)
        rule = rule_of(made).model_copy(update={"name": "Credit at Shop", "most_basis_points": 5_000})
        saved = operations.save_unit(unit_id=made.pk, rule=rule, edited=1, now=now, by=BY, why="half at most")
        assert (saved.name, rule_of(saved).most_basis_points) == ("Credit at Shop", 5_000)
        assert list(Version.objects.filter(subject="ledger.unit").values_list("number", "why")) == [
            (2, "half at most"), (1, ""),
        ]  # fmt: skip
        with pytest.raises(EditedMeanwhile):
            operations.save_unit(unit_id=made.pk, rule=rule, edited=1, now=now, by=BY)

    def test_what_it_counts_stays(self, unit, now):
        made = unit()
        with pytest.raises(UnitTaken):
            unit()
        for other in ({"currency": "USD"}, {"kind": "points", "currency": "", "digits": 0}):
            rule = UnitRule.model_validate({**rule_of(made).model_dump(), **other})
            with pytest.raises(UnitIsFixed):
                operations.save_unit(unit_id=made.pk, rule=rule, edited=1, now=now, by=BY)

    def test_owing_cannot_be_forbidden_while_somebody_owes(self, unit, account, give, now):
        made = unit(may_be_negative=True)
        hers = account(made)
        entry = give(hers, 100)
        operations.take_back(entry_id=entry, amount=60, source="a", reason="", now=now, by=BY)
        strict = rule_of(made).model_copy(update={"may_be_negative": False})
        Account.objects.filter(pk=hers.pk).update(balance=-1)
        with pytest.raises(SomebodyOwes):
            operations.save_unit(unit_id=made.pk, rule=strict, edited=1, now=now, by=BY)
        Account.objects.filter(pk=hers.pk).update(balance=40)
        operations.save_unit(unit_id=made.pk, rule=strict, edited=1, now=now, by=BY)
        assert not Account.objects.get(pk=hers.pk).may_be_negative

    def test_seeds_may_run_again(self, shop, now):
        assert seeds.seed(now=now, by=BY) == "5 units"
        assert seeds.seed(now=now, by=BY) == "0 units"
        assert set(Unit.objects.values_list("key", flat=True)) == {
            "points", "store_credit_eur", "store_cash_eur", "gift_card_eur", "cash_eur",
        }  # fmt: skip


def test_beside_a_number_a_unit_is_called_as_the_language_asks():
    rule = UnitRule(**POINTS, counted=seeds.POINTS)
    assert [rule.show(n, "en") for n in (0, 1, 2, 1_000)] == ["0 points", "1 point", "2 points", "1,000 points"]
    assert [rule.show(n, "ru") for n in (1, 2, 5, 11, 21, 104, 1_000)] == [
        "1 балл", "2 балла", "5 баллов", "11 баллов", "21 балл", "104 балла", "1\xa0000 баллов",
    ]  # fmt: skip
    assert [rule.show(n, "ko-KR") for n in (1, 2)] == ["1 포인트", "2 포인트"]
    assert rule.show(1, "de") == "1 Points"
    halves = UnitRule(**POINTS, digits=1, counted=seeds.POINTS)
    assert [halves.show(n, "ru") for n in (15, 10)] == ["1,5 балла", "1,0 балла"]
    assert [halves.show(n, "en") for n in (15, 10)] == ["1.5 points", "1.0 points"]
    # What is said for some forms alone stands in for none of the others.
    assert [UnitRule(**POINTS, counted={"ru": {"one": "балл"}}).show(n, "ru") for n in (1, 2)] == ["1 балл", "2 Points"]
    for counted in ({"en": {"few": "points"}}, {"ko": {"one": "포인트"}}):
        with pytest.raises(ValidationError, match="has no plural form"):
            UnitRule(**POINTS, counted=counted)
    with pytest.raises(ValidationError, match="called by its currency"):
        UnitRule(name="Credit", kind="money", currency="EUR", digits=2, counted=seeds.POINTS)


def test_amounts_are_said_to_whoever_reads_the_page():
    rule = UnitRule(**POINTS, counted=seeds.POINTS)
    with translation.override("ru"):
        assert rule.show(21) == "21 балл"
    assert rule.show(21) == "21 points"
