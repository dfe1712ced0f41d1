"""A broadcast to furnish faults with, and what must be true of it after any of them."""

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable

from celery import current_app
from django.db.models.functions import Now

from campaigns import operations
from campaigns.models import Campaign, Touch
from campaigns.plans import Plan
from retention import clock
from retention.actors import Actor
from retention.customers.models import ConsentState, Customer
from retention.incentives import operations as incentives
from retention.incentives.models import Code, Grant
from retention.incentives.operations.reconcile import differences
from retention.incentives.rules import IncentiveRule
from retention.messaging import operations as messaging
from retention.messaging.models import Delivery
from retention.shop.models import Shop
from retention.work.models import Alert, JobRun

BY = Actor.job("test")
UNFINISHED = ("queued", "held", "claimed", "sending")


def launch(customers: int) -> Campaign:
    """A live broadcast with a coupon to so many customers, of whom one in ten never agreed."""
    now = clock.now()
    Shop.objects.create(
        name="Vinyl", time_zone="UTC", currency="EUR", languages=["en"], sender_email="shop@example.com",
        postal_address="1 Main Street",
    )  # fmt: skip
    people = Customer.objects.bulk_create(
        [Customer(reference=f"c{n}", email=f"c{n}@example.com", recorded_at=now) for n in range(customers)],
        batch_size=5000,
    )
    ConsentState.objects.bulk_create(
        [
            ConsentState(
                customer=person, channel="email", purpose="marketing", is_given=True, address=person.email,
                occurred_at=now,
            )
            for n, person in enumerate(people)
            if n % 10
        ],
        batch_size=5000,
    )  # fmt: skip
    rule = {"name": "Five", "effects": [{"kind": "amount", "amounts": {"EUR": 500}}]}
    five = incentives.create_incentive(rule=IncentiveRule.model_validate(rule), now=now, by=BY)
    template = messaging.ensure_ready_template(key="broadcast", now=now, by=BY)
    at = now - dt.timedelta(hours=2)
    plan = Plan(
        name="Everyone",
        occasion="one_date",
        occasion_args={"on": f"{at:%Y-%m-%d}", "hour": f"{at:%H:%M}", "clock": "shop"},
        steps=[{"incentive": five.pk, "messages": [template.pk]}],
    )
    launched = at - dt.timedelta(hours=1)
    campaign = operations.create_campaign(plan=plan, now=launched, by=BY)
    operations.approve(campaign_id=campaign.pk, version=1, now=launched, by=BY)
    return operations.launch(campaign_id=campaign.pk, now=launched, by=BY)


def tick_until(is_so: Callable[[], object], seconds: float) -> None:
    """Ring the tick as beat does, only faster, and look all the time, until it is so."""
    deadline, ring_at = time.monotonic() + seconds, 0.0
    while not is_so():
        assert time.monotonic() < deadline, dict(Counter(Delivery.objects.values_list("state", flat=True)))
        if time.monotonic() >= ring_at:
            ring_at = time.monotonic() + 0.5
            current_app.send_task("work.tick", queue="sweeps", expires=30, ignore_result=True)
        time.sleep(0.005)


def let_leases_end() -> int:
    """The time of the dead passes: here in one statement instead of minutes. Returns what they had in hand.

    A sender that dies leaves at most twenty mails of which nobody knows.
    """
    time.sleep(0.5)  # PostgreSQL may still be at the last statement of one that died
    in_hand = Counter(Delivery.objects.filter(state="sending").values_list("claimed_by", flat=True))
    assert all(count <= 20 for count in in_hand.values()), in_hand
    ago = Now() - dt.timedelta(seconds=1)
    Delivery.objects.filter(state__in=["claimed", "sending"]).update(lease_until=ago)
    JobRun.objects.filter(state__in=JobRun.OPEN).update(lease_until=ago)
    return in_hand.total()


def is_over(customers: int) -> bool:
    """Whether everyone was looked at and nothing is on its way any more."""
    return (
        Touch.objects.count() == customers
        and not Touch.objects.filter(state="due").exists()
        and not Delivery.objects.filter(state__in=UNFINISHED).exists()
    )


def check_truth(customers: int, messages: list, *, unknown_at_most: int) -> None:
    """Every eligible customer has one coupon, nobody two mails, and what nobody knows is little and listed."""
    eligible = customers - customers // 10
    reasons = Counter(Touch.objects.values_list("reason", flat=True))
    assert reasons == {"": eligible, "campaigns.no_consent": customers // 10}
    assert Grant.objects.count() == Grant.objects.values("customer").distinct().count() == eligible
    assert Code.objects.count() == Code.objects.values("grant").distinct().count() == eligible
    assert set(Code.objects.values_list("state", flat=True)) == {"given"}
    assert differences() == [], "the counters say what the rows say"
    states = Counter(Delivery.objects.values_list("state", flat=True))
    mails = Counter(mail.recipients[0] for mail in messages)
    assert set(mails.values()) == {1}, "nobody has two mails"
    assert set(states) <= {"sent", "unknown"}
    assert states["sent"] + states["unknown"] == Delivery.objects.count() == eligible
    sent = set(Delivery.objects.filter(state="sent").values_list("customer__email", flat=True))
    unknown = Delivery.objects.filter(state="unknown")
    assert sent <= set(mails), "what is called sent has arrived"
    assert set(mails) - sent <= set(unknown.values_list("customer__email", flat=True))
    assert states["unknown"] <= unknown_at_most, "what dead senders had in hand, and nothing else"
    assert set(unknown.values_list("reason", flat=True)) <= {"messaging.sender_lost"}
    told = Alert.objects.filter(kind="messaging.unknown", resolved_at=None).values_list("text", flat=True)
    assert [text.split()[0] for text in told] == ([str(states["unknown"])] if states["unknown"] else [])
