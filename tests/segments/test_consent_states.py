"""Consent in every state it can be in: each customer is in exactly one of them."""

import datetime as dt

import pytest

from retention.actors import Actor
from retention.customers.models import Customer
from retention.customers.operations import ask_consent, end_consents, give_consent, withdraw_consent
from retention.segments.querysets import members
from retention.shop.models import Shop

pytestmark = pytest.mark.django_db
STATES = ("given", "withdrawn", "expired", "asked", "not_asked")


@pytest.fixture
def people(now):
    Shop.objects.create(name="Shop", time_zone="UTC", currency="EUR")
    said = {"channel": "email", "purpose": "marketing", "source": "x", "now": now, "by": Actor.command("test")}
    made = {}
    for name in STATES:
        made[name] = Customer.objects.create(reference=name, email=f"{name}@example.com", recorded_at=now)
    give_consent(customer_id=made["given"].pk, **said)
    withdraw_consent(customer_id=made["withdrawn"].pk, **said)
    give_consent(customer_id=made["expired"].pk, **said, expires_at=now + dt.timedelta(days=1))
    ask_consent(customer_id=made["asked"].pk, **said)
    ask_consent(customer_id=made["withdrawn"].pk, **said)


def found(state, now):
    rule = {"all": [{"key": "consent", "args": {"channel": "email", "purpose": "marketing", "state": state}}]}
    return sorted(members(rule, now).values_list("reference", flat=True))


@pytest.mark.parametrize("is_written", [False, True], ids=["before the job", "after the job"])
def test_each_is_in_one(people, now, is_written):
    assert found("given", now) == ["expired", "given"]
    assert found("expired", now) == []
    later = now + dt.timedelta(days=1)
    if is_written:
        assert end_consents(now=later, progress=lambda _done, _total: None) == 1
    assert {state: found(state, later) for state in STATES} == {state: [state] for state in STATES}
