"""She signs up at the shop, and her welcome is there before anybody's minute has passed."""

import json
import uuid

import pytest
import redis
from django.conf import settings as django_settings

from campaigns import operations
from campaigns.models import Touch
from retention import clock, registries
from retention.actors import Actor
from retention.doors.keys import create_key
from retention.messaging import operations as messaging
from retention.shop.models import Shop
from retention.work import operations as work
from retention.work.bell import bell
from retention.work.models import JobRun
from tests.processes import Workers, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
BY = Actor.job("test")


@pytest.fixture
def broker():
    server = redis.Redis.from_url(django_settings.REDIS_URL)
    server.flushdb()
    yield server
    server.flushdb()


@pytest.fixture
def worker(broker, smtp):
    """A real worker, and nobody who ticks: what it does, it does because somebody rang."""
    workers = Workers(EMAIL_URL=f"smtp://{smtp.host}:{smtp.port}")
    workers.start()
    yield workers
    workers.kill()


@pytest.fixture
def welcome(db):
    now = clock.now()
    Shop.objects.create(
        name="Vinyl", time_zone="Europe/Berlin", currency="EUR", languages=["en"], sender_email="shop@example.com",
        postal_address="1 Main Street",
    )  # fmt: skip
    work.register_jobs()
    campaign = operations.create_from_playbook(key="welcome", now=now, by=BY)
    operations.approve(campaign_id=campaign.pk, version=1, now=now, by=BY)
    return operations.launch(campaign_id=campaign.pk, now=now, by=BY)


@pytest.fixture
def sign_up(client, welcome):
    """Sign up at the shop's HTTP API and agree to mail: `sign_up("anna")`."""
    scopes = ("customers:write", "consents:write")
    secret = create_key(name="shop", scopes=scopes, known=scopes, now=clock.now(), by=BY).secret

    def post(path, body):
        headers = {"authorization": f"Bearer {secret}", "idempotency-key": uuid.uuid4().hex}
        return client.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json", headers=headers)

    def join(name):
        person = {"reference": name, "email": f"{name}@example.com", "signed_up_at": clock.now().isoformat()}
        made = post("customers/", person)
        assert made.status_code == 201, made.content
        said = {"channel": "email", "event": "given", "source": "sign-up"}
        agreed = post(f"customers/{made.json()['id']}/consents/", said)
        assert agreed.status_code == 200, agreed.content

    return join


def test_a_sign_up_brings_the_welcome_without_any_tick(sign_up, worker, smtp):
    sign_up("anna")
    wait_until(lambda: smtp.to("anna@example.com"), what="the welcome")
    assert len(smtp.messages) == 1
    wait_until(lambda: Touch.objects.get().state == Touch.State.DONE, what="the touch's end")


def test_many_sign_ups_at_once_are_one_sweep(broker, sign_up, smtp):
    """Eighty facts ring; the worker that comes then finds one nudge for each job that they wake."""
    for number in range(40):
        sign_up(f"c{number}")
    bell.wait()
    woken = [job for job in registries.jobs if job.queue == "sweeps" and job.woken_by & {"customers", "consents"}]
    assert broker.llen("sweeps") == len(woken)
    workers = Workers(EMAIL_URL=f"smtp://{smtp.host}:{smtp.port}")
    workers.start()
    try:
        wait_until(lambda: len(smtp.messages) == 40, what="forty welcomes")
    finally:
        workers.kill()
    assert JobRun.objects.filter(job__key="campaigns.reach").count() == 1
    assert len({mail.recipients for mail in smtp.messages}) == 40


def test_without_a_broker_the_tick_brings_it(sign_up, smtp, settings, free_port):
    """Nothing that was rung arrives; whoever signs up notices nothing, and the next tick finds her."""
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": nowhere}}
    sign_up("anna")
    bell.wait()
    assert smtp.messages == []
    now = clock.now()
    for run_id in work.tick(now=now):
        work.run(run_id=run_id, now=now)
    messaging.send_due(now=clock.now(), worker="test")
    assert [mail.recipients for mail in smtp.messages] == [("anna@example.com",)]
