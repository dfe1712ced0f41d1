"""The scheduler stands still for thirty hours while clocks change: each occasion and each job is caught up once."""

import datetime as dt
from collections import Counter

import pytest
import redis
from django.conf import settings

from campaigns import operations
from campaigns.models import Touch
from campaigns.plans import Plan
from retention import clock
from retention.actors import Actor
from retention.customers.models import ConsentState, Customer
from retention.messaging import operations as messaging
from retention.messaging.models import Delivery
from retention.shop.models import Shop
from retention.work.models import JobRun
from tests.processes import Beat, Workers, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900), pytest.mark.django_db(transaction=True)]
BY = Actor.job("test")
HOUR = dt.timedelta(hours=1)
ZONES = ["", "Europe/London", "Asia/Seoul", "America/New_York"]


@pytest.fixture
def processes(smtp, db):
    """Beat and a worker that live at another time: `processes(at)` starts them, `processes(None)` stops them."""
    broker = redis.Redis.from_url(settings.REDIS_URL)
    broker.flushdb()
    running = []

    def live_at(at):
        while running:
            running.pop().stop()
        # What was rung before is no more after so long.
        broker.flushdb()
        if at is not None:
            more = {"CLOCK_OFFSET": f"{int((at - dt.datetime.now(dt.UTC)).total_seconds())}s"}
            running.extend([Workers(EMAIL_URL=f"smtp://{smtp.host}:{smtp.port}", **more), Beat(**more)])
            for process in running:
                process.start()

    yield live_at
    live_at(None)


@pytest.fixture
def birthdays(db):
    """Launch a birthday campaign at an hour, and give every zone a customer for each of some days."""

    def make(at, hour, days):
        Shop.objects.create(
            name="Vinyl", time_zone="Europe/Berlin", currency="EUR", languages=["en"], country="DE",
            sender_email="shop@example.com", postal_address="1 Main Street",
        )  # fmt: skip
        for day in days:
            for zone in ZONES:
                name = f"{day:%m-%d} {zone}"
                email = f"{name.replace(' ', '-').replace('/', '-').lower()}x@example.com"
                person = Customer.objects.create(
                    reference=name, email=email, birth_month=day.month, birth_day=day.day, time_zone=zone, country="DE",
                    recorded_at=at,
                )  # fmt: skip
                ConsentState.objects.create(
                    customer=person, channel="email", purpose="marketing", is_given=True, address=email, occurred_at=at
                )
        template = messaging.ensure_ready_template(key="broadcast", now=at, by=BY)
        plan = Plan(
            name="Birthday", occasion="birthday", occasion_args={"hour": hour}, steps=[{"messages": [template.pk]}]
        )
        campaign = operations.create_campaign(plan=plan, now=at, by=BY)
        operations.approve(campaign_id=campaign.pk, version=1, now=at, by=BY)
        operations.launch(campaign_id=campaign.pk, now=at, by=BY)

    return make


def expected(days, hour, since, until):
    """Who has her hour within [since, until), by the calendar alone."""
    at = dt.time.fromisoformat(hour)
    return {
        f"{day:%m-%d} {zone}"
        for day in days
        for zone in ZONES
        if since <= clock.local_instant(day, at, zone or "Europe/Berlin") < until
    }


def touched():
    return set(Touch.objects.values_list("customer__reference", flat=True))


def ticks():
    """Runs of the campaigns' job that are over."""
    return JobRun.objects.filter(job__key="campaigns.reach", state="done", lane=0).count()


@pytest.mark.parametrize(
    ("change", "hour"),
    [
        # The night of 23 hours: half past two is skipped in Berlin.
        (dt.date(2027, 3, 28), "02:30"),
        # The night of 25 hours: half past two comes twice.
        (dt.date(2026, 10, 25), "02:30"),
    ],
)
def test_each_occasion_and_each_job_is_caught_up_once(processes, birthdays, smtp, change, hour):
    days = [change + dt.timedelta(days=n) for n in (-2, -1, 0, 1, 2)]
    stopped = clock.local_instant(change - dt.timedelta(days=1), dt.time(10), "Europe/Berlin")
    back = stopped + 30 * HOUR
    launched = stopped - 20 * HOUR
    birthdays(launched, hour, days)

    before = expected(days, hour, launched, stopped)
    processes(stopped)
    wait_until(lambda: touched() == before and ticks() >= 1, seconds=150, what=f"{before}, not {touched()}")
    wait_until(lambda: Delivery.objects.filter(state="sent").count() == len(before), what="their mails")
    processes(None)
    jobs_before = Counter(JobRun.objects.exclude(job__at=None).values_list("job__key", flat=True))

    processes(back)
    after = expected(days, hour, launched, back)
    assert len(after - before) > len(ZONES) / 2, "something was missed"
    wait_until(lambda: touched() >= after, seconds=150, what=f"{after}, not {touched()}")
    # Two ticks more change nothing.
    seen = ticks()
    wait_until(lambda: ticks() >= seen + 2, seconds=240, what="two ticks more")
    processes(None)
    # The minutes that passed while we looked may have brought an hour of somebody's, and nothing else.
    assert after <= touched() <= expected(days, hour, launched, back + HOUR / 4)
    assert Touch.objects.count() == len(touched()), "nobody twice"
    assert set(Touch.objects.values_list("state", "reason")) == {("done", "")}
    mails = Counter(mail.recipients[0] for mail in smtp.messages)
    assert set(mails.values()) == {1}
    assert len(mails) == len(touched())
    # Jobs with an hour of their own: one run for the day they missed, none for what is no more.
    caught_up = Counter(JobRun.objects.exclude(job__at=None).values_list("job__key", flat=True))
    caught_up.subtract(jobs_before)
    assert set(caught_up.values()) == {1}, caught_up
    assert not JobRun.objects.filter(state="failed").exists()
    due = JobRun.objects.get(job__key="campaigns.holidays", due_at__gt=stopped).due_at
    assert due == clock.local_instant(change, dt.time(3), "Europe/Berlin")
