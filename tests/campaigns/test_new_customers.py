"""Who had her welcome is no new customer from that very moment on, while her journey goes on."""

import datetime as dt

import pytest

from campaigns import operations
from campaigns.models import Touch
from campaigns.operations import create_from_playbook
from campaigns.plans import plan_of
from campaigns.plans.steps import Wait
from retention.actors import Actor
from retention.customers import seeds as activity_kinds
from retention.customers.models import Customer
from retention.messaging.models import Delivery
from retention.messaging.operations.sending import send_due
from retention.segments import seeds
from retention.segments.models import Membership, MembershipChange, Segment
from retention.segments.operations import refresh_segment
from tests.campaigns.conftest import agree

pytestmark = pytest.mark.django_db
BY = Actor.job("test")


@pytest.fixture
def new_customers(shop, now):
    activity_kinds.seed(now=now)
    seeds.seed(now=now)
    return Segment.objects.get(key="new-customers")


@pytest.fixture
def welcome(shop, now):
    """The playbook's own campaign, with a second message ten days later."""
    draft = create_from_playbook(key="welcome", now=now, by=BY)
    plan = plan_of(draft)
    again = plan.steps[0].model_copy(update={"key": "again", "wait": Wait(hours=240)})
    plan = plan.model_copy(update={"steps": (*plan.steps, again)})
    operations.save_campaign(campaign_id=draft.pk, plan=plan, edited=1, now=now, by=BY)
    operations.approve(campaign_id=draft.pk, version=2, now=now, by=BY)
    return operations.launch(campaign_id=draft.pk, now=now - dt.timedelta(hours=1), by=BY)


@pytest.fixture
def anna(shop, now):
    customer = Customer.objects.create(
        reference="anna", email="anna@example.com", signed_up_at=now - dt.timedelta(minutes=5), recorded_at=now
    )
    agree(customer, now)
    return customer


def inside(segment):
    return set(Membership.objects.filter(segment=segment).values_list("customer__reference", flat=True))


def test_she_leaves_as_her_welcome_is_accepted(new_customers, welcome, anna, reach, smtp, now):
    refresh_segment(segment_id=new_customers.pk, now=now)
    reach(welcome)
    assert inside(new_customers) == {"anna"}, "what waits in the outbox has not reached her"

    send_due(now=now, worker="test")

    assert [mail.message["To"] for mail in smtp.messages] == ["anna@example.com"]
    assert inside(new_customers) == set()
    change = MembershipChange.objects.get(segment=new_customers)
    assert (change.customer, change.has_entered) == (anna, False)
    new_customers.refresh_from_db()
    assert new_customers.size == 0
    touch = Touch.objects.get()
    assert (touch.state, touch.step) == ("due", 1), "her journey goes on"
    assert refresh_segment(segment_id=new_customers.pk, now=now).left == 0


def test_others_stay(new_customers, welcome, anna, reach, smtp, now):
    agree(Customer.objects.create(reference="boris", signed_up_at=now, recorded_at=now, email="b@example.com"), now)
    refresh_segment(segment_id=new_customers.pk, now=now)
    reach(welcome, most=1)
    send_due(now=now, worker="test")
    assert inside(new_customers) == {"boris"}


def test_a_segment_that_cannot_be_asked_loses_no_mail(new_customers, welcome, anna, reach, smtp, now):
    refresh_segment(segment_id=new_customers.pk, now=now)
    rule = {"all": [new_customers.rule, {"key": "gone", "args": {}}]}
    Segment.objects.filter(pk=new_customers.pk).update(rule=rule)
    reach(welcome)
    send_due(now=now, worker="test")
    assert Delivery.objects.get().state == "sent"
    assert inside(new_customers) == {"anna"}


def test_another_campaigns_message_changes_nothing(new_customers, live, anna, reach, smtp, now):
    refresh_segment(segment_id=new_customers.pk, now=now)
    campaign = live("signed_up", at=now - dt.timedelta(hours=1))
    reach(campaign)
    send_due(now=now, worker="test")
    assert Delivery.objects.get().state == "sent"
    assert inside(new_customers) == {"anna"}
