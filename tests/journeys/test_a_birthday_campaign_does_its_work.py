"""A birthday campaign from the imported facts to the used code: previewed, run as foretold, mailed, redeemed once."""

import json
import re
import uuid
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command

from campaigns import operations
from campaigns.models import Touch
from retention import clock
from retention.actors import Actor
from retention.customers import seeds as activity_kinds
from retention.doors.keys import create_key
from retention.incentives.models import Code
from retention.messaging.models import Delivery
from retention.shop.models import Shop
from retention.work.ingest import ingest

pytestmark = pytest.mark.django_db
BASKET = {"currency": "EUR", "lines": [{"sku": "LP-1", "quantity": 1, "unit_price_minor": 4_000}]}
BY = Actor.job("test")


@pytest.fixture(autouse=True)
def the_present(now):
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def offset(monkeypatch):
    """Move the clock of this process as CLOCK_OFFSET does."""

    def move(text):
        monkeypatch.setenv("CLOCK_OFFSET", text)
        clock._offset.cache_clear()

    yield move
    monkeypatch.undo()
    clock._offset.cache_clear()


@pytest.fixture
def shop(db, now):
    activity_kinds.seed(now=now)
    return Shop.objects.create(
        name="Vinyl",
        time_zone="Europe/Berlin",
        currency="EUR",
        languages=["en", "ko", "ru"],
        sender_email="shop@example.com",
        postal_address="1 Main Street",
    )


@pytest.fixture
def checkout(client, now):
    scopes = ("incentives:redeem",)
    secret = create_key(name="checkout", scopes=scopes, known=scopes, now=now, by=BY).secret

    def send(path, **body):
        headers = {"authorization": f"Bearer {secret}", "idempotency-key": uuid.uuid4().hex}
        answer = client.post(f"/api/v1/{path}/", json.dumps(body), content_type="application/json", headers=headers)
        return answer.status_code, answer.json()

    return send


def facts(now):
    people = [
        {"reference": "anna", "email": "anna@example.com", "given_name": "Anna", "birthday": "1990-05-13"},
        {"reference": "boris", "email": "boris@example.com", "birthday": "1985-05-14"},
        {"reference": "clara", "email": "clara@example.com", "birthday": "1999-05-13"},
    ]
    agreed = [
        {
            "customer": reference,
            "channel": "email",
            "purpose": "marketing",
            "event": "given",
            "source": "checkout",
            "occurred_at": "2026-01-01T00:00:00Z",
        }
        for reference in ("anna", "boris")
    ]
    for kind, rows in (("customers", people), ("consents", agreed)):
        result = ingest(kind, rows, now=now, by=BY)
        assert not result.refused, result.refused


def report(*args):
    out = StringIO()
    call_command("run_jobs", *args, "--json", "-v0", stdout=out)
    return {row["job"]: row for row in map(json.loads, out.getvalue().splitlines())}


def test_from_the_facts_to_the_used_code(shop, smtp, checkout, offset, now):
    facts(now)
    campaign = operations.create_from_playbook(key="birthday", now=now, by=BY)
    operations.approve(campaign_id=campaign.pk, version=1, now=now, by=BY)
    operations.launch(campaign_id=campaign.pk, now=now, by=BY)

    foretold = report("--dry-run", "--at", "2026-05-13T10:00:00Z")["campaigns.reach"]
    assert not Touch.objects.exists()
    offset("1d")
    done = report()
    figures = ("due", "touched", "granted", "queued", "skipped")
    assert [done["campaigns.reach"][name] for name in figures] == [foretold[name] for name in figures] == [
        2, 1, 1, 1, {"campaigns.no_consent": 1}
    ]  # fmt: skip
    assert {(row["customer"], row["occasion"], row["skipped"]) for row in foretold["touches"]} == set(
        Touch.objects.values_list("customer", "occasion", "reason")
    )

    # The mail is there, in the same run, with her code; the touch is done and the code is given.
    (mail,) = smtp.messages
    code = Code.objects.get()
    assert mail.message["To"] == "Anna <anna@example.com>"
    assert code.code in mail.text("html")
    assert code.state == "given"
    assert sorted(Touch.objects.values_list("customer__reference", "state")) == [("anna", "done"), ("clara", "skipped")]
    assert re.search(r"birthday", mail.message["Subject"], re.IGNORECASE)

    # Again, and an hour later: nothing more.
    offset("1d1m")
    again = report()
    offset("1d1h")
    later = report()
    for ran in (again, later):
        assert [ran["campaigns.reach"][name] for name in ("touched", "granted", "queued")] == [0, 0, 0]
    assert len(smtp.messages) == Code.objects.count() == Delivery.objects.count() == 1

    # At the checkout: once, and never again.
    anna = {"email": "anna@example.com"}
    status, answer = checkout("redemptions", codes=[code.code], basket=BASKET, customer=anna, order_reference="A-1")
    assert (status, answer["effects"]["discount_minor"]) == (201, 600)
    status, answer = checkout("redemptions", codes=[code.code], basket=BASKET, customer=anna, order_reference="A-2")
    assert (status, answer["code"]) == (409, "incentives.code_redeemed")


def test_consent_withdrawn_before_the_mail_leaves_returns_the_code(shop, smtp, now, offset):
    facts(now)
    campaign = operations.create_from_playbook(key="birthday", now=now, by=BY)
    operations.approve(campaign_id=campaign.pk, version=1, now=now, by=BY)
    operations.launch(campaign_id=campaign.pk, now=now, by=BY)
    offset("1d")
    report("--job", "campaigns.reach")
    assert Delivery.objects.get().state == "queued"
    row = {
        "customer": "anna",
        "channel": "email",
        "purpose": "marketing",
        "event": "withdrawn",
        "source": "preferences",
    }
    ingest("consents", [{**row, "occurred_at": "2026-05-12T09:59:00Z"}], now=now, by=BY)
    report()
    assert smtp.messages == []
    assert Code.objects.get().state == "void"
    assert Touch.objects.get(customer__reference="anna").state == "skipped"
