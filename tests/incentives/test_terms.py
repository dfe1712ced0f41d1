"""What each grant's own terms say: how much of any unit, from when on, after what, and until when."""

import datetime as dt

import pytest
from pydantic import ValidationError

from retention.incentives.models import Grant
from retention.incentives.rules import IncentiveRule, Terms
from retention.ledger import operations as ledger
from retention.ledger.models import Lot
from retention.ledger.querysets import balances_of
from retention.ledger.units import UnitRule
from tests.incentives.conftest import BY

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def value(shop, offer, now):
    """A function that makes an offer of whatever each grant says, in a unit of its own that expires after a month."""

    def make(key="stars", **unit):
        rule = {"name": key, "kind": "points", "expiry": {"kind": "after", "count": 1, "per": "month"}, **unit}
        ledger.create_unit(key=key, rule=UnitRule.model_validate(rule), now=now, by=BY)
        return offer(effects=[{"kind": "points", "unit": key, "is_from_grant": True}])

    return make


@pytest.mark.parametrize("unit", [{}, {"kind": "money", "currency": "EUR", "digits": 2}])
def test_each_grant_says_how_many_of_any_unit(value, grant, customers, now, unit):
    granted = grant(value(**unit), customers[:2], terms=[{"points": 120}, {"points": 7}])

    assert (len(granted.grants), granted.refused) == (2, {})
    assert [balances_of(each.pk, now=now)[0].available for each in customers[:2]] == [120, 7]
    assert list(Grant.objects.order_by("customer_id").values_list("terms", flat=True)) == [
        {"points": 120}, {"points": 7},
    ]  # fmt: skip


def test_value_waits_until_an_instant_and_lives_from_then_on(value, grant, customers, now):
    begins = now + 14 * DAY
    grant(value(), customers[:1], terms=[{"points": 5, "active_at": begins.isoformat()}])

    lot = Lot.objects.get()
    assert (lot.active_at, lot.pending_event) == (begins, "")
    # A month from 26 May by the shop's calendar, to the end of that day in Berlin.
    assert lot.expires_at == dt.datetime(2026, 6, 26, 22, tzinfo=dt.UTC)
    (before,), (after,) = (balances_of(customers[0].pk, now=at) for at in (begins - DAY, begins))
    assert [(each.amount, each.available) for each in (before, after)] == [(5, 0), (5, 5)]


def test_value_waits_for_an_event_and_its_life_begins_with_it(value, grant, customers, now):
    grant(value(), customers[:1], terms=[{"points": 5, "pending_event": "visit:1"}])
    waiting = Lot.objects.get()
    assert (waiting.active_at, waiting.pending_event, waiting.expires_at) == (None, "visit:1", None)

    assert ledger.activate(event="visit:1", now=now + 3 * DAY) == 1

    lot = Lot.objects.get()
    assert (lot.active_at, lot.expires_at) == (now + 3 * DAY, dt.datetime(2026, 6, 15, 22, tzinfo=dt.UTC))


def test_events_may_begin_at_instants_of_their_own(value, grant, customers, now):
    terms = [{"points": 5, "pending_event": f"order:{n}"} for n in (1, 2, 3)]
    grant(value(), customers[:3], terms=terms)

    assert ledger.activate_each(at={"order:1": now + DAY, "order:2": now + 2 * DAY, "order:9": now}) == 2
    assert ledger.activate_each(at={"order:1": now}) == 0

    assert list(Lot.objects.order_by("pk").values_list("active_at", flat=True)) == [now + DAY, now + 2 * DAY, None]


def test_an_end_of_its_own_stands_for_the_unit_s(value, grant, customers, now):
    grant(value(), customers[:1], terms=[{"points": 5, "expires_at": (now + 2 * DAY).isoformat()}])

    assert Lot.objects.get().expires_at == now + 2 * DAY


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({}, "incentives.terms_missing"),
        ({"amount_minor": 5, "currency": "EUR"}, "incentives.terms_missing"),
        ({"points": 0}, "incentives.bad_terms"),
        ({"points": 5, "active_at": "2026-05-12T10:00"}, "incentives.bad_terms"),
        ({"points": 5, "active_at": "2026-05-12T10:00Z", "pending_event": "visit:1"}, "incentives.bad_terms"),
    ],
)
def test_terms_that_say_too_little_or_nonsense_give_nothing(value, grant, customers, terms, code):
    granted = grant(value(), customers[:1], terms=[terms])

    assert [refusal.code for refusal in granted.refused.values()] == [code]
    assert not Grant.objects.exists()
    assert not Lot.objects.exists()


def test_points_say_how_many_or_that_each_grant_does():
    with pytest.raises(ValidationError, match="say how many"):
        IncentiveRule.model_validate({"name": "x", "effects": [{"kind": "points"}]})
    fixed = IncentiveRule.model_validate({"name": "x", "effects": [{"kind": "points", "points": 5}]})
    assert not fixed.is_from_grant
    assert Terms(points=5).waits == {}
