"""A shop with people, an incentive, a template, and campaigns made the way the console makes them."""

import datetime as dt

import pytest

from campaigns import operations
from campaigns.plans import Plan
from retention.actors import Actor
from retention.customers.models import ConsentState, Customer
from retention.incentives import operations as incentives
from retention.incentives.rules import IncentiveRule
from retention.messaging import operations as messaging
from retention.shop.models import Shop

BY = Actor.job("test")


@pytest.fixture
def shop(db):
    return Shop.objects.create(
        name="Vinyl",
        time_zone="Europe/Berlin",
        currency="EUR",
        languages=["en", "ko", "ru"],
        country="DE",
        sender_email="shop@example.com",
        postal_address="1 Main Street",
    )


@pytest.fixture
def person(now):
    """Make a customer who agreed to marketing mail, unless `consent` says otherwise."""
    count = [0]

    def make(*, consent=True, **values):
        count[0] += 1
        values.setdefault("email", f"p{count[0]}@example.com")
        values.setdefault("reference", f"p{count[0]}")
        customer = Customer.objects.create(recorded_at=now - dt.timedelta(days=500), **values)
        if consent:
            agree(customer, now)
        return customer

    return make


def agree(customer, now):
    return ConsentState.objects.create(
        customer=customer,
        channel="email",
        purpose="marketing",
        is_given=True,
        address=customer.email.strip().lower(),
        occurred_at=now,
    )


@pytest.fixture
def incentive(shop, now):
    """Ten percent, for thirty days after it was given; `limits` as the rule has them."""

    def make(**limits):
        rule = IncentiveRule.model_validate(
            {
                "name": "Ten percent",
                "effects": [{"kind": "percent", "basis_points": 1000}],
                "limits": limits,
                "validity": {"hours_after_given": 720},
            }
        )
        return incentives.create_incentive(rule=rule, now=now, by=BY)

    return make


@pytest.fixture
def template(shop, now):
    return messaging.ensure_ready_template(key="broadcast", now=now, by=BY)


@pytest.fixture
def planned(shop, template):
    """A plan of one occasion: `planned("birthday", {"hour": "09:00"}, incentive=…)`."""

    def make(occasion, args=None, *, incentive=None, steps=None, **values):
        one = {"messages": [template.pk], "incentive": incentive and incentive.pk}
        return Plan.model_validate(
            {
                "name": occasion,
                "occasion": occasion,
                "occasion_args": args or {},
                "steps": steps or [one],
                **values,
            }
        )

    return make


@pytest.fixture
def live(planned, now):
    """Launch a campaign as of `at` (a day ago, unless said)."""

    def make(*args, at=None, **kwargs):
        plan = planned(*args, **kwargs)
        at = at or now - dt.timedelta(days=1)
        campaign = operations.create_campaign(plan=plan, now=at, by=BY)
        operations.approve(campaign_id=campaign.pk, version=1, now=at, by=BY)
        return operations.launch(campaign_id=campaign.pk, now=at, by=BY)

    return make


@pytest.fixture
def reach(now):
    def run(campaign, at=None, **kwargs):
        return operations.reach(campaign_id=campaign.pk, now=at or now, by=BY, **kwargs)

    return run
