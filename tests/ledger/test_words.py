"""What segments may ask of balances, and what messages may say of them."""

import datetime as dt
import uuid

import pytest
from django import forms

from retention.ledger import operations
from retention.ledger.placeholders import BalanceWords, ExpiringWords
from retention.messaging.outgoing import Outgoing
from retention.registries import conditions
from retention.segments import rules
from retention.segments.querysets import members
from tests.ledger.conftest import BY

DAY = dt.timedelta(days=1)


def at_least(number, unit="credit"):
    return {"operator": "at_least", "number": number, "unit": unit}


@pytest.fixture
def held(unit, points, customers, account, give):
    """c1 has 12.34 and 500 points, c2 has 5.00, c3 an empty account, c4 none, c5 owes 1.00."""
    credit, debt = unit(), unit("debt", may_be_negative=True)
    give(account(credit), 1_234)
    give(account(points), 500)
    give(account(credit, customers[1]), 500)
    account(credit, customers[2])
    return credit, debt


@pytest.mark.parametrize(
    ("args", "meant"),
    [
        (at_least(12.34), "c1"),
        (at_least(12.35), ""),
        (at_least(5), "c1 c2"),
        (at_least(0), "c1 c2 c3 c4 c5"),
        ({**at_least(5), "operator": "at_most"}, "c2 c3 c4 c5"),
        ({**at_least(0), "operator": "at_most"}, "c3 c4 c5"),
        ({**at_least(1), "operator": "between", "number_to": 5}, "c2"),
        ({**at_least(0), "operator": "between", "number_to": 5}, "c2 c3 c4 c5"),
        (at_least(500, "points"), "c1"),
    ],
)
def test_segments_know_balances(held, customers, now, args, meant):
    rule = {"key": "balance", "args": args}
    found = {one.reference for one in members(rule, now)}
    assert found == set(meant.split())
    assert {one.reference for one in members({"not": rule}, now)} == {one.reference for one in customers} - found


def test_who_owes_has_less_than_nothing(held, customers, account, give, now):
    owing = account(held[1], customers[4])
    given = give(owing, 100)
    operations.adjust(account_id=owing.pk, amount=-100, source="spent", reason="x", now=now, by=BY)
    operations.take_back(
        entry_id=given, amount=100, source="owe", reason="x", policy="negative", now=now, by=BY
    )  # fmt: skip
    assert {one.reference for one in members({"key": "balance", "args": at_least(0, "debt")}, now)} == {
        "c1", "c2", "c3", "c4"
    }  # fmt: skip
    below = {**at_least(-0.5, "debt"), "operator": "at_most"}
    assert {one.reference for one in members({"key": "balance", "args": below}, now)} == {"c5"}


def test_balances_are_said_in_a_sentence(held):
    assert rules.sentence({"key": "balance", "args": at_least(5)}) == "Everyone who has at least €5.00 of Credit."
    points = {"key": "balance", "args": at_least(1500, "points")}
    assert rules.sentence(points) == "Everyone who has at least 1,500 Points."
    with pytest.raises(forms.ValidationError) as refused:
        conditions["balance"].clean(at_least(1, "nothing"))
    assert list(refused.value.error_dict) == ["unit"]


def message(number, customer, language="en", about=None):
    return Outgoing(
        id=number, public_id=uuid.uuid4(), origin="test", origin_id=number, step=0, channel="email", template_id=1,
        version_id=1, grant_id=None, context={"occasion": about} if about else {}, is_transactional=False, topic="",
        priority=0, attempts=0, held_at=None, customer_id=customer.pk, customer_public_id=customer.public_id,
        address=customer.email, address_normal=customer.email, first_name="", last_name="", language=language,
        zone="Europe/Berlin",
    )  # fmt: skip


def test_messages_say_what_can_be_spent_and_what_ends_next(
    held, points, customers, account, give, now, django_assert_max_num_queries
):
    # 12 June has ended in Berlin.
    ends = dt.datetime(2026, 6, 12, 22, tzinfo=dt.UTC)
    give(account(held[0]), 200, expires_at=ends)
    give(account(held[0]), 300, expires_at=ends)
    give(account(held[0]), 900, expires_at=ends + DAY)
    give(account(points), 40, expires_at=ends - DAY)
    frozen = account(held[0], customers[1])
    give(frozen, 100, expires_at=ends)
    operations.freeze(account_id=frozen.pk, is_frozen=True, reason="x", now=now, by=BY)
    give(account(held[0], customers[3]), 700, active_at=now + DAY, expires_at=ends)
    credit = {"account": account(held[0]).pk}
    sent = [
        message(1, customers[0]), message(2, customers[0], "ru", credit), message(3, customers[1]),
        message(4, customers[2]), message(5, customers[3], "ko"),
    ]  # fmt: skip
    # A process reads the rule of a unit once.
    BalanceWords.values(sent, now=now)
    with django_assert_max_num_queries(3):
        said = BalanceWords.values(sent, now=now)
    assert said == {1: "€26.34 · 540 Points", 2: "26,34\xa0€ · 540 Points"}
    with django_assert_max_num_queries(3):
        said = ExpiringWords.values(sent, now=now)
    assert said[1] == {
        "amount": "40 Points", "unit": "Points", "expires_on": "June 11, 2026", "expires_date": "2026-06-11",
    }  # fmt: skip
    assert said[2] == {
        "amount": "5,00\xa0€", "unit": "Credit", "expires_on": "12 июня 2026\u202fг.", "expires_date": "2026-06-12",
    }  # fmt: skip
    assert (said[5]["amount"], set(said)) == ("€7.00", {1, 2, 5})
    assert ExpiringWords.values(sent, now=ends + DAY) == {}


def test_samples_have_the_shape_of_what_is_said(held, points, customers, account, give, now):
    give(account(points), 40, expires_at=now + DAY)
    (said,) = ExpiringWords.values([message(1, customers[0])], now=now).values()
    assert set(said) == set(ExpiringWords.sample) == set(ExpiringWords.labels)
