"""A broadcast by real workers that are killed in the middle, with a broker that forgets everything.

Every eligible customer ends with exactly one coupon and at most one mail; what was in a killed sender's hands is
listed as unknown, at most twenty for each, and never sent again.
"""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import redis
from celery import current_app
from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from campaigns import operations
from campaigns.models import Touch
from campaigns.plans import Plan
from retention import clock
from retention.actors import Actor
from retention.customers.models import ConsentState, Customer
from retention.incentives import operations as incentives
from retention.incentives.models import Code, Grant
from retention.incentives.rules import IncentiveRule
from retention.messaging import operations as messaging
from retention.messaging.models import Delivery
from retention.shop.models import Shop
from retention.work.models import JobRun

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.faults, pytest.mark.timeout(1500), pytest.mark.django_db(transaction=True)]
BY = Actor.job("test")
CUSTOMERS = int(os.environ.get("FAULT_CUSTOMERS", "20000"))
#: Of these, one in ten never agreed.
ELIGIBLE = CUSTOMERS - CUSTOMERS // 10
PROCESSES = 2
UNFINISHED = ("queued", "held", "claimed", "sending")


class Workers:
    """A real Celery worker with children, as production starts it; killed whole, without a word."""

    def __init__(self, smtp):
        url = connection.settings_dict
        address = f"postgres://{url['USER']}:{url['PASSWORD'] or ''}@{url['HOST']}:{url['PORT']}/{url['NAME']}"
        self.environment = {
            **os.environ,
            "DATABASE_URL": address,
            "REDIS_URL": settings.REDIS_URL,
            "EMAIL_URL": f"smtp://{smtp.host}:{smtp.port}",
            "JOB_LEASE_SECONDS": "5",
            "SECRET_KEY": settings.SECRET_KEY,
        }
        self.process = None

    def start(self):
        command = [sys.executable, "-m", "celery", "-A", "retention", "worker", "-l", "ERROR"]
        command += ["-Q", "sweeps,bulk,transactional", "-c", str(PROCESSES), "-n", f"w{time.monotonic_ns()}@%h"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, start_new_session=True)

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        # The leases of the dead run out: their time passes here, in one statement.
        Delivery.objects.filter(state__in=["claimed", "sending"]).update(lease_until=Now() - dt.timedelta(seconds=1))
        JobRun.objects.filter(state__in=JobRun.OPEN).update(lease_until=Now() - dt.timedelta(seconds=1))


@pytest.fixture
def workers(smtp):
    broker = redis.Redis.from_url(settings.REDIS_URL)
    broker.flushdb()
    workers = Workers(smtp)
    yield workers
    if workers.process is not None and workers.process.poll() is None:
        os.killpg(workers.process.pid, signal.SIGKILL)
        workers.process.wait()
    broker.flushdb()


@pytest.fixture
def broadcast(db):
    now = clock.now()
    Shop.objects.create(
        name="Vinyl",
        time_zone="UTC",
        currency="EUR",
        languages=["en"],
        sender_email="shop@example.com",
        postal_address="1 Main Street",
    )
    people = Customer.objects.bulk_create(
        [Customer(reference=f"c{n}", email=f"c{n}@example.com", recorded_at=now) for n in range(CUSTOMERS)],
        batch_size=5000,
    )
    ConsentState.objects.bulk_create(
        [
            ConsentState(
                customer=person,
                channel="email",
                purpose="marketing",
                is_given=True,
                address=person.email,
                occurred_at=now,
            )
            for n, person in enumerate(people)
            if n % 10
        ],
        batch_size=5000,
    )
    rule = {"name": "Five", "effects": [{"kind": "amount", "amounts": {"EUR": 500}}]}
    five = incentives.create_incentive(rule=IncentiveRule.model_validate(rule), now=now, by=BY)
    template = messaging.ensure_ready_template(key="broadcast", now=now, by=BY)
    at = now - dt.timedelta(hours=2)
    plan = Plan(
        name="Everyone",
        occasion="one_date",
        occasion_args={"on": f"{at:%Y-%m-%d}", "hour": f"{at:%H:%M}", "clock": "shop"},
        steps=[{"incentive": five.pk, "template": template.pk}],
    )
    launched = at - dt.timedelta(hours=1)
    campaign = operations.create_campaign(plan=plan, now=launched, by=BY)
    operations.approve(campaign_id=campaign.pk, version=1, now=launched, by=BY)
    return operations.launch(campaign_id=campaign.pk, now=launched, by=BY)


def tick_until(done, seconds):
    """Ring the tick as beat does, only faster, until `done()`."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, dict(Counter(Delivery.objects.values_list("state", flat=True)))
        current_app.send_task("work.tick", queue="sweeps", expires=30, ignore_result=True)
        time.sleep(0.5)


def test_killed_twice_and_flushed(broadcast, workers, smtp):
    broker = redis.Redis.from_url(settings.REDIS_URL)
    kills = 0
    # While customers are being enlisted, and twice while mails leave; the broker forgets everything each time.
    for is_time in (
        lambda: Touch.objects.exists(),
        lambda: len(smtp.messages) >= ELIGIBLE // 10,
        lambda: len(smtp.messages) >= ELIGIBLE // 2,
    ):
        workers.start()
        tick_until(is_time, 240)
        workers.kill()
        broker.flushdb()
        kills += 1
    workers.start()
    tick_until(
        lambda: (
            Touch.objects.count() == CUSTOMERS
            and not Touch.objects.filter(state="due").exists()
            and not Delivery.objects.filter(state__in=UNFINISHED).exists()
        ),
        900,
    )

    assert Counter(Touch.objects.values_list("reason", flat=True)) == {
        "": ELIGIBLE, "campaigns.no_consent": CUSTOMERS // 10
    }  # fmt: skip
    assert Grant.objects.count() == Grant.objects.values("customer").distinct().count() == ELIGIBLE
    assert Code.objects.count() == Code.objects.values("grant").distinct().count() == ELIGIBLE
    assert set(Code.objects.values_list("state", flat=True)) == {"given"}
    states = Counter(Delivery.objects.values_list("state", flat=True))
    mails = Counter(mail.recipients[0] for mail in smtp.messages)
    assert set(mails.values()) == {1}, "nobody has two mails"
    assert set(states) <= {"sent", "unknown"}
    assert states["sent"] + states["unknown"] == ELIGIBLE
    # An unknown one may have arrived or not; those sent have arrived.
    assert states["sent"] <= len(mails) <= ELIGIBLE
    assert states["unknown"] <= 20 * PROCESSES * kills
