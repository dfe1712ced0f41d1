"""The shop asks for her yes, she gives it by the link in a mail, and only then does the welcome come, with its code."""

import json
import re
import uuid

import pytest
from django.core.management import call_command
from django.test import Client

from campaigns import operations
from campaigns.models import Touch
from retention import clock
from retention.actors import Actor
from retention.customers.models import Consent, ConsentState
from retention.doors.keys import create_key
from retention.incentives.models import Code
from retention.shop.models import Shop
from retention.work import operations as work
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
BY = Actor.command("test")
ANNA = "anna@example.com"


@pytest.fixture
def shop(db):
    shop = Shop.objects.create(
        name="Vinyl", time_zone="Europe/Berlin", currency="EUR", languages=["en"], sender_email="shop@example.com",
        postal_address="1 Main Street",
    )  # fmt: skip
    work.register_jobs()
    now = clock.now()
    campaign = operations.create_from_playbook(key="welcome", now=now, by=BY)
    operations.approve(campaign_id=campaign.pk, version=1, now=now, by=BY)
    operations.launch(campaign_id=campaign.pk, now=now, by=BY)
    return shop


@pytest.fixture
def post(client, shop):
    """Tell the HTTP API: `post("customers/", {…})`."""
    scopes = ("customers:write", "consents:write")
    secret = create_key(name="shop", scopes=scopes, known=scopes, now=clock.now(), by=BY).secret

    def send(path, body):
        headers = {"authorization": f"Bearer {secret}", "idempotency-key": uuid.uuid4().hex}
        answer = client.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json", headers=headers)
        assert answer.status_code in (200, 201), answer.content
        return answer.json()

    return send


def run_jobs():
    """One run does what is due; what it made due is the next one's."""
    for _again in range(2):
        call_command("run_jobs", "--json")


@pytest.mark.parametrize("has_double_opt_in", [False, True], ids=["she is asked", "the shop asks everyone"])
def test_she_confirms_and_is_welcomed(post, smtp, shop, has_double_opt_in):
    Shop.objects.update(has_double_opt_in=has_double_opt_in)
    person = {"reference": "anna", "email": ANNA, "signed_up_at": clock.now().isoformat()}
    address = f"customers/{post('customers/', person)['id']}/consents/"
    event = "given" if has_double_opt_in else "asked"
    (asked,) = post(address, {"channel": "email", "event": event, "source": "sign-up", "wording": "2026-05"})
    assert (asked["is_given"], asked["asked_at"] is not None) == (False, True)

    run_jobs()
    (question,) = smtp.to(ANNA)
    assert question.message["Subject"] == "Please confirm: mail from Vinyl"
    assert Touch.objects.get().state == Touch.State.SKIPPED, "nobody said yes yet"
    run_jobs()
    assert len(smtp.messages) == 1

    link = re.search(r"/c/\S+", question.text()).group()
    browser = Client(enforce_csrf_checks=True)
    for look in (browser.get, browser.head):  # what scanners do
        assert look(link).status_code == 200
    run_jobs()
    assert len(smtp.messages) == 1
    assert not ConsentState.objects.exists()

    assert "Thank you, it is confirmed" in browser.post(link).content.decode()
    assert "Thank you, it is confirmed" in browser.post(link).content.decode()
    # Facts are read once every older transaction of the server has ended, those of other databases too.
    wait_until(lambda: run_jobs() or len(smtp.messages) > 1, what="the welcome")
    _question, welcome = smtp.to(ANNA)
    assert welcome.message["Subject"] == "Welcome to Vinyl"
    assert Code.objects.get().code in welcome.text()
    assert list(Consent.objects.order_by("pk").values_list("event", "wording")) == [
        ("asked", "2026-05"), ("given", "2026-05"),
    ]  # fmt: skip
    run_jobs()
    assert len(smtp.messages) == 2
