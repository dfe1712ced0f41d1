"""Several workers on one campaign at once: each customer once, whatever they do; and a naive twin that doubles."""

import datetime as dt
import threading

import pytest
from django.db import connection, transaction
from django.db.models import F

from campaigns import operations
from campaigns.models import Campaign, Quota, Touch
from campaigns.operations import quotas
from campaigns.plans import Plan
from retention import registries
from retention.actors import Actor
from retention.customers.models import ConsentState, Customer
from retention.incentives import operations as incentives
from retention.incentives.models import Code, Grant
from retention.incentives.rules import IncentiveRule
from retention.messaging import operations as messaging
from retention.messaging.models import Delivery
from retention.shop.models import Shop

pytestmark = pytest.mark.django_db(transaction=True)
BY = Actor.job("test")
PEOPLE = 60


@pytest.fixture
def campaign(now):
    Shop.objects.create(name="Vinyl", time_zone="UTC", currency="EUR", languages=["en"], postal_address="1 Main Street")
    people = Customer.objects.bulk_create(
        Customer(reference=f"c{n}", email=f"c{n}@example.com", recorded_at=now) for n in range(PEOPLE)
    )
    ConsentState.objects.bulk_create(
        ConsentState(
            customer=person, channel="email", purpose="marketing", is_given=True, address=person.email, occurred_at=now
        )
        for person in people
    )
    rule = {"name": "Five", "effects": [{"kind": "amount", "amounts": {"EUR": 500}}]}
    five = incentives.create_incentive(rule=IncentiveRule.model_validate(rule), now=now, by=BY)
    template = messaging.ensure_ready_template(key="broadcast", now=now, by=BY)
    plan = Plan(
        name="Everyone",
        occasion="one_date",
        occasion_args={"on": "2026-05-12", "hour": "09:00", "clock": "shop"},
        steps=[{"incentive": five.pk, "messages": [template.pk]}],
    )
    before = now - dt.timedelta(hours=2)
    made = operations.create_campaign(plan=plan, now=before, by=BY)
    operations.approve(campaign_id=made.pk, version=1, now=before, by=BY)
    return operations.launch(campaign_id=made.pk, now=before, by=BY)


def side_by_side(*acts):
    """Start all in threads at the same moment, each with its own connection; what they returned or raised."""
    barrier, results = threading.Barrier(len(acts)), []

    def work(act):
        try:
            barrier.wait(10)
            results.append(act())
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_workers_at_once_reach_everyone_once(campaign, now):
    def reach():
        return operations.reach(campaign_id=campaign.pk, now=now, by=BY, most=7)

    found = side_by_side(*[reach] * 4)
    assert not [error for error in found if isinstance(error, Exception)]
    # Whoever found it in other hands left; a last run leaves nothing over.
    reach()
    assert sum(figures.touched for figures in found) <= PEOPLE
    assert Touch.objects.count() == Grant.objects.count() == Code.objects.count() == Delivery.objects.count() == PEOPLE
    assert Touch.objects.values("customer").distinct().count() == PEOPLE


def test_the_naive_twin_touches_twice_what_two_looked_at(campaign, now):
    """Control: looking first and writing then, without the lock on the reach and the unique touch."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE campaigns_touch DROP CONSTRAINT touched_once")
    looked = threading.Barrier(2)
    try:

        def naive():
            touched = set(Touch.objects.filter(campaign=campaign).values_list("customer_id", flat=True))
            due = [pk for pk in Customer.objects.values_list("pk", flat=True) if pk not in touched]
            looked.wait(10)
            Touch.objects.bulk_create(
                Touch(
                    campaign=campaign,
                    customer_id=pk,
                    occasion="once",
                    version_id=campaign.version_id,
                    due_at=now,
                    enlisted_at=now,
                )
                for pk in due
            )

        side_by_side(naive, naive)
        assert Touch.objects.count() == 2 * PEOPLE
    finally:
        Touch.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE campaigns_touch ADD CONSTRAINT touched_once UNIQUE (campaign_id, customer_id, occasion)"
            )


def test_a_pause_in_the_middle_is_the_last_word(campaign, now):
    """Whoever pauses waits for the chunk under way; after she was answered nobody is touched."""
    counted = []

    def pause():
        operations.pause(campaign_id=campaign.pk, now=now, by=BY)
        counted.append(Touch.objects.count())

    def reach():
        return operations.reach(campaign_id=campaign.pk, now=now, by=BY, most=3)

    found = side_by_side(reach, pause, reach)
    assert not [error for error in found if isinstance(error, Exception)]
    assert Campaign.objects.get().state == "paused"
    assert Touch.objects.count() == counted[0] == Delivery.objects.count()


def test_two_leads_launch_it_once(campaign, now):
    copy = operations.clone(campaign_id=campaign.pk, now=now, by=BY)
    plan = operations.save_campaign(
        campaign_id=copy.pk,
        plan=Plan.model_validate(
            {**copy.version.data, "occasion": "signed_up", "occasion_args": {}, "name": "Welcome"}
        ),
        edited=1,
        now=now,
        by=BY,
    )
    operations.approve(campaign_id=plan.pk, version=2, now=now, by=BY)
    found = side_by_side(*[lambda: operations.launch(campaign_id=plan.pk, now=now, by=BY)] * 3)
    assert sorted(type(result).__name__ for result in found) == ["AlreadyLaunched", "AlreadyLaunched", "Campaign"]


def test_lanes_of_the_job_share_the_campaigns(campaign, now):
    job = registries.jobs["campaigns.reach"]
    found = side_by_side(*[lambda: job.run(now=now, progress=lambda done, total: None)] * job.lanes)
    assert not [error for error in found if isinstance(error, Exception)]
    assert Touch.objects.count() == Delivery.objects.count() == PEOPLE


# -- limits


@pytest.fixture
def limited(campaign, now):
    """The same broadcast for at most so many customers."""

    def make(**bounds):
        data = {**campaign.version.data, "name": "Limited", **bounds}
        before = now - dt.timedelta(hours=2)
        made = operations.create_campaign(plan=Plan.model_validate(data), now=before, by=BY)
        operations.approve(campaign_id=made.pk, version=1, now=before, by=BY)
        return operations.launch(campaign_id=made.pk, now=before, by=BY)

    return make


def test_workers_at_once_keep_to_the_limit(limited, now):
    campaign = limited(limits={"touches": 25}, ramp={"first": 40})

    def reach():
        return operations.reach(campaign_id=campaign.pk, now=now, by=BY, most=7)

    found = side_by_side(*[reach] * 4)
    assert not [error for error in found if isinstance(error, Exception)]
    reach()
    assert Touch.objects.filter(campaign=campaign, begun_at__isnull=False).count() == 25
    assert Grant.objects.count() == Delivery.objects.count() == 25
    assert Touch.objects.filter(campaign=campaign, state="held").count() == PEOPLE - 40


def test_a_quota_is_taken_by_one_statement_whatever_lock_there_is(campaign):
    """Without the campaign's row being locked: eight at once take no more than there is."""
    take = {"campaign_id": campaign.pk, "period": "", "wanted": 10, "limit": 35}
    taken = side_by_side(*[lambda: quotas.take(**take)] * 8)
    assert sorted(taken, reverse=True) == [10, 10, 10, 5, 0, 0, 0, 0]
    assert Quota.objects.get().taken == 35


def test_the_naive_twin_takes_more_than_there_is(campaign):
    """Control: reading what is left, and writing it then."""
    Quota.objects.create(campaign=campaign, period="")
    looked = threading.Barrier(4)

    def naive():
        taken = Quota.objects.get(campaign=campaign).taken
        looked.wait(10)
        room = min(10, 35 - taken)
        Quota.objects.filter(campaign=campaign).update(taken=F("taken") + room)
        return room

    assert sum(side_by_side(*[naive] * 4)) == 40


def test_two_campaigns_with_a_cool_down_give_to_nobody_twice(limited, campaign, now):
    operations.end(campaign_id=campaign.pk, now=now, by=BY)
    both = [limited(cool_down_days=30), limited(cool_down_days=30)]

    def reach(one):
        return operations.reach(campaign_id=one.pk, now=now, by=BY, most=20)

    found = side_by_side(*[lambda one=one: reach(one) for one in both])
    assert not [error for error in found if isinstance(error, Exception)]
    assert Grant.objects.values("customer").distinct().count() == Grant.objects.count() == PEOPLE
    assert Touch.objects.filter(reason="campaigns.cooling_down").count() == PEOPLE


def test_the_naive_twin_gives_twice_what_two_found_cold(limited, campaign, now):
    """Control: asking who is cooling down without the lock under which others grant."""
    looked = threading.Barrier(2)
    rule = {"name": "Ten", "effects": [{"kind": "amount", "amounts": {"EUR": 1000}}]}
    ten = incentives.create_incentive(rule=IncentiveRule.model_validate(rule), now=now, by=BY)
    incentives.go_live(incentive_id=ten.pk, now=now, by=BY)

    def naive(name):
        with transaction.atomic():
            cold = [pk for pk in Customer.objects.values_list("pk", flat=True) if not Grant.objects.filter(customer=pk)]
            looked.wait(10)
            incentives.grant(
                incentive_id=ten.pk, sources=[f"{name}:{pk}" for pk in cold], customer_ids=cold,
                origin="campaigns.touch", origin_ids=cold, now=now, by=BY, is_given=True,
            )  # fmt: skip

    found = side_by_side(lambda: naive("one"), lambda: naive("two"))
    assert not [error for error in found if isinstance(error, Exception)]
    assert Grant.objects.count() == 2 * PEOPLE
