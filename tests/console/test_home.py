"""The home page: what a role sees, that figures are today's, and that reading it costs the same in any shop."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from model_bakery import baker

from campaigns.models import Campaign
from referrals.models import PayoutBatch
from retention import clock, registries
from retention.audit.models import Version
from retention.console import home
from retention.customers.models import Order
from retention.incentives.models import Grant, Redemption
from retention.messaging.models import Delivery
from retention.shop.models import Shop, Staff
from retention.work import querysets
from retention.work.models import Alert, Import, Job, JobRun
from tests.console.test_lists import is_bounded

pytestmark = pytest.mark.django_db


def figures(page):
    return {figure.label: figure.value for figure in page.context["home"].figures}


def test_figures_are_those_of_the_shops_own_day(as_role, shop):
    now = clock.now()
    zone = clock.zone(shop.time_zone)
    midnight = dt.datetime.combine(now.astimezone(zone).date(), dt.time(), tzinfo=zone)
    second = dt.timedelta(seconds=1)
    baker.make(Grant, granted_at=midnight, _quantity=3)
    baker.make(Grant, granted_at=midnight - second, _quantity=2)
    for redeemed_at, undone in [(midnight, None), (midnight, now), (midnight - second, None)]:
        baker.make(
            Redemption,
            state="rolled_back" if undone else "redeemed",
            discount_minor=100,
            base_minor=100,
            redeemed_at=redeemed_at,
            ended_at=undone,
        )
    for state, ended_at in [("sent", midnight), ("sent", midnight - second), ("failed", midnight), ("unknown", now)]:
        baker.make(Delivery, state=state, ended_at=ended_at, channel="email")
    page = as_role("marketer").get("/admin/")
    assert figures(page) == {
        "Coupons issued today": "3",
        "Redeemed today": "1",
        "Messages sent today": "1",
        "Held back": "0",
        "Failed today": "1",
        "Unknown outcome": "1",
    }


def test_counting_stops_at_the_cap(shop, monkeypatch):
    monkeypatch.setattr(home, "CAP", 2)
    baker.make(Grant, granted_at=clock.now(), _quantity=3)
    assert home.count_to_cap(Grant.objects.all()) == "2+"
    assert home.count_to_cap(Grant.objects.none()) == "0"


def test_alerts_and_imports_are_there_and_go(as_role, shop):
    client = as_role("marketer")
    alert = baker.make(Alert, text="Codes run low", resolved_at=None, raised_at=clock.now())
    baker.make(Import, state="running", file_name="yesterday.csv", created_at=clock.now())
    baker.make(Import, state="done", file_name="older.csv", created_at=clock.now())
    page = client.get("/admin/").content.decode()
    assert "Codes run low" in page
    assert "yesterday.csv" in page
    assert "older.csv" not in page
    Alert.objects.filter(pk=alert.pk).update(resolved_at=clock.now())
    assert "Codes run low" not in client.get("/admin/").content.decode()


def test_what_waits_for_a_person_is_shown_to_whoever_may_decide_it(as_role, shop):
    lead = as_role("marketing lead")
    assert lead.get("/admin/").context["home"].waiting == []
    other = baker.make(Staff)
    baker.make(Campaign, state="review", _quantity=2)
    baker.make(PayoutBatch, currency="EUR", state="draft", drawn_up_at=clock.now(), drawn_up_by=other)
    baker.make(PayoutBatch, currency="USD", state="draft", drawn_up_at=clock.now(),
               drawn_up_by=Staff.objects.get(pk=lead.session["_auth_user_id"]))  # fmt: skip
    page = lead.get("/admin/")
    waiting = {figure.label: figure for figure in page.context["home"].waiting}
    assert {label: figure.value for label, figure in waiting.items()} == {
        "Campaigns to approve": "2", "Payouts to approve": "1",
    }  # fmt: skip
    assert all(lead.get(figure.link).status_code == 200 for figure in waiting.values())
    assert as_role("marketer").get("/admin/").context["home"].waiting == []


def test_jobs_that_need_a_look_stand_before_the_others(as_role, shop):
    keys = sorted(registries.jobs.keys())
    failed, off, done = (Job.objects.update_or_create(key=key)[0] for key in keys[:3])
    Job.objects.filter(pk=off.pk).update(is_enabled=False)
    now = clock.now()
    for job, state in ((failed, "failed"), (done, "done")):
        baker.make(JobRun, job=job, due_at=now, started_at=now, ended_at=now, state=state)
    shown = as_role("analyst").get("/admin/").context["home"]
    label = {job["label"] for job in shown.jobs_to_look_at}
    assert label == {str(registries.jobs[key].label) for key in keys[:2]}
    assert {str(registries.jobs[key].label) for key in keys[2:]} >= {job["label"] for job in shown.other_jobs}
    assert str(registries.jobs[keys[2]].label) in {job["label"] for job in shown.other_jobs}


def test_who_has_no_role_is_told_so(as_role, shop):
    page = as_role("").get("/admin/")
    assert "you have no role yet" in page.content.decode()
    assert page.context["home"].figures == []


def test_an_agent_begins_at_the_sorry_desk(as_role, shop):
    assert as_role("support agent").get("/admin/")["Location"] == "/admin/sorry/"


def test_an_analyst_reads_it(as_role, shop):
    page = as_role("analyst").get("/admin/")
    assert page.status_code == 200
    assert page.context["home"].imports is None


def test_it_reads_little_and_always_the_same(as_role, shop):
    client = as_role("administrator")

    def read():
        with CaptureQueriesContext(connection) as captured:
            client.get("/admin/")
        return [query["sql"] for query in captured]

    few = read()
    baker.make(Grant, granted_at=clock.now(), _quantity=20)
    baker.make(Delivery, state="sent", ended_at=clock.now(), channel="email", _quantity=20)
    many = read()
    assert [sql for sql in many if not is_bounded(sql)] == []
    assert len(many) == len(few)
    assert len(many) <= 40


def test_every_live_campaign_is_shown_or_counted(as_role, shop):
    client = as_role("marketer")
    live = {"state": "live", "approved_version": baker.make(Version), "launched_at": clock.now()}
    baker.make(Campaign, name=baker.seq("Live "), _quantity=10, **live)
    page = client.get("/admin/").content.decode()
    assert all(f"Live {number}<" in page for number in range(1, 11))
    assert "more</a>" not in page
    baker.make(Campaign, _quantity=2, **live)
    page = client.get("/admin/").content.decode()
    assert "and 2 more</a>" in page


def test_what_was_never_heard_is_starting_until_it_is_overdue(as_role, shop, monkeypatch):
    client = as_role("marketer")
    monkeypatch.setattr(querysets, "_STARTED", clock.ticks())
    page = client.get("/admin/").content.decode()
    assert "Scheduler: starting" in page
    assert "never seen" not in page
    monkeypatch.setattr(querysets, "_STARTED", clock.ticks() - querysets.QUIET.total_seconds() - 1)
    page = client.get("/admin/").content.decode()
    assert "Scheduler: never seen" in page
    assert "starting" not in page


def test_the_console_shows_the_shops_clock_on_one_line(as_role, shop):
    Shop.objects.update(time_zone="Asia/Seoul")
    order = baker.make(
        Order, placed_at=dt.datetime(2026, 11, 20, 22, 14, tzinfo=dt.UTC), currency="EUR", total_minor=1, base_minor=1
    )
    page = as_role("marketer").get(f"/admin/customers/order/?q={order.reference}").content.decode()
    assert "21 Nov 2026 07:14" in page
    assert timezone.get_current_timezone_name() == "UTC", "only while the page is made"


def test_jobs_and_processes_go_by_names_people_know(as_role, shop):
    client = as_role("administrator")
    page = client.get("/admin/work/job/").content.decode()
    assert "Workers: sweeps:" in page
    assert "queue:sweeps" not in page
    baker.make(JobRun, job=Job.objects.get(key="work.tidy"), state="done", due_at=clock.now())
    baker.make(JobRun, job=baker.make(Job, key="of_another_version"), state="done", due_at=clock.now())
    page = client.get("/admin/work/jobrun/").content.decode()
    assert "Forget old runs of jobs" in page
    assert "of_another_version" in page
