"""A shop with two languages, people of every kind of consent, and a template with a coupon."""

import datetime as dt

import pytest

from retention.actors import Actor
from retention.customers.models import ConsentState, Customer
from retention.incentives.operations import create_incentive, go_live, grant
from retention.incentives.rules import IncentiveRule
from retention.messaging.operations import Message, create_template, queue, send_due
from retention.shop.models import Shop

NOW = dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)


@pytest.fixture
def by():
    return Actor.command("test")


@pytest.fixture
def shop(db):
    return Shop.objects.create(
        name="Tea & Co",
        time_zone="Europe/Berlin",
        currency="EUR",
        languages=["en", "ko"],
        sender_name="Tea & Co",
        sender_email="shop@example.com",
        postal_address="1 Leaf Lane\nHamburg",
        website_url="https://tea.example.com",
    )


@pytest.fixture
def customer(shop):
    """Makes customers: `customer("anna", consent=False, language="ko")`; consent is for marketing mail."""

    def make(name: str, *, consent: bool = True, **fields) -> Customer:
        made = Customer.objects.create(
            **{"email": f"{name}@example.com", "given_name": name.title(), "recorded_at": NOW, **fields}
        )
        made.refresh_from_db()
        if consent:
            agree(made)
        return made

    return make


def agree(customer: Customer, *, is_given: bool = True, purpose: str = "marketing") -> None:
    ConsentState.objects.update_or_create(
        customer=customer,
        channel="email",
        purpose=purpose,
        defaults={"is_given": is_given, "address": customer.email_normal or "", "occurred_at": NOW},
    )


WORDS = {
    "en": {"subject": "Hello {{ customer.first_name }}", "body": "<mj-text>Dear {{ customer.first_name }}</mj-text>"},
    "ko": {"subject": "안녕하세요 {{ customer.first_name }}님", "body": "<mj-text>안녕하세요</mj-text>"},
}


@pytest.fixture
def template(shop, now, by):
    """Makes templates: `template(words=…, category="transactional")`."""

    def make(words=None, **fields):
        return create_template(
            **{"name": "Hello", "words": WORDS if words is None else words, "now": now, "by": by, **fields}
        )

    return make


@pytest.fixture
def say(template, now):
    """Queues one message of a template to each customer, with the grants given."""

    def queue_for(*customers, grants=None, template_=None, ghosts=(), **fields):
        made = template_ or template()
        messages = [
            Message(
                origin_id=customer.pk,
                customer_id=customer.pk,
                grant_id=(grants or {}).get(customer.pk),
                is_ghost=customer in ghosts,
            )
            for customer in customers
        ]
        queue(template_id=made.pk, origin="test.row", messages=messages, now=now, **fields)
        return made

    return queue_for


@pytest.fixture
def send(now, smtp):
    def run(at=now, **fields):
        return send_due(now=at, worker="test", **fields)

    return run


@pytest.fixture
def coupons(now, by, db):
    """Grants a ten-per-cent coupon to customers: {customer id: grant id}."""
    rule = IncentiveRule.model_validate(
        {
            "name": "Ten off",
            "effects": [{"kind": "percent", "basis_points": 1000}],
            "validity": {"hours_after_given": 240},
        }
    )
    incentive = create_incentive(rule=rule, now=now, by=by)
    go_live(incentive_id=incentive.pk, now=now, by=by)

    def give_to(*customers):
        sources = [f"test:{customer.pk}" for customer in customers]
        done = grant(
            incentive_id=incentive.pk,
            sources=sources,
            customer_ids=[customer.pk for customer in customers],
            origin="test.row",
            origin_ids=[customer.pk for customer in customers],
            now=now,
            by=by,
        )
        return {customer.pk: done.grants[f"test:{customer.pk}"] for customer in customers}

    give_to.incentive = incentive
    return give_to
