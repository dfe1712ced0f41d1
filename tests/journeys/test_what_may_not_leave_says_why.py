"""Of two campaigns for the same people: who withdrew in between, whose hours are quiet, who was written to enough.

Each message that does not leave says why: in the API, on its page, and where somebody asks why she did not get it.
"""

import json
import re
import uuid
from io import StringIO
from types import SimpleNamespace

import pytest
import time_machine
from django.core.management import call_command

from campaigns import operations
from campaigns.models import Campaign
from campaigns.schemas_manage import plan_out
from retention import clock
from retention.actors import Actor
from retention.customers import seeds as activity_kinds
from retention.customers.models import Customer
from retention.doors.keys import create_key
from retention.incentives.models import Code
from retention.messaging.models import Delivery
from retention.shop.models import Shop
from tests.console.conftest import as_role, person

__all__ = ["as_role", "person"]
pytestmark = pytest.mark.django_db
BY = Actor.command("test")
#: Noon in Berlin is 19 o'clock in Seoul.
POLICY = {
    "caps": [{"most": 1, "per": "day"}],
    "over_cap": "drop",
    "quiet_hours": {"starts": "18:00", "ends": "20:00", "channels": ["email"]},
}
PEOPLE = {"anna": "Europe/Berlin", "dora": "Europe/Berlin", "sora": "Asia/Seoul"}


@pytest.fixture
def shop(db, now):
    activity_kinds.seed(now=now)
    return Shop.objects.create(
        name="Vinyl", time_zone="Europe/Berlin", currency="EUR", languages=["en", "ko", "ru"],
        sender_email="shop@example.com", postal_address="1 Main Street",
    )  # fmt: skip


@pytest.fixture
def at(monkeypatch, now):
    """Move the clock of every door: the world stands still at `now`, and the product's clock is ahead of it."""

    def move(text):
        monkeypatch.setenv("CLOCK_OFFSET", text)
        clock._offset.cache_clear()

    with time_machine.travel(now, tick=False):
        yield move
    monkeypatch.undo()
    clock._offset.cache_clear()


@pytest.fixture
def api(client, shop, at, now):
    scopes = tuple(f"{room}:{act}" for room in ("customers", "messages", "campaigns") for act in ("read", "write"))
    scopes += ("consents:write", "campaigns:approve", "campaigns:launch")
    secret = create_key(name="shop", scopes=scopes, known=scopes, now=now, by=BY).secret

    def send(method, path, body=None):
        headers = {"authorization": f"Bearer {secret}", "idempotency-key": uuid.uuid4().hex}
        data = "" if body is None else json.dumps(body)
        answer = client.generic(method, f"/api/v1/{path}", data, content_type="application/json", headers=headers)
        assert answer.status_code < 300, answer.content
        return answer.json()

    return SimpleNamespace(
        get=lambda path: send("GET", path),
        post=lambda path, body=None: send("POST", path, body),
        put=lambda path, body: send("PUT", path, body),
    )


def run(job):
    out = StringIO()
    call_command("run_jobs", "--job", job, "--json", "-v0", stdout=out)
    return json.loads(out.getvalue().splitlines()[0])


@pytest.fixture
def campaigns(api, now):
    """Two live ones for the same birthdays, told apart by their priority: (the one that goes first, the other)."""
    draft = operations.create_from_playbook(key="birthday", now=now, by=BY)
    plan = plan_out(Campaign.objects.select_related("version").get(pk=draft.pk).version.data)
    made = []
    for name, priority in (("First", 9), ("Second", 1)):
        one = api.post("campaigns/", {"plan": {**plan, "name": name, "priority": priority}})
        api.post(f"campaigns/{one['id']}/approve/", {"version": 1})
        api.post(f"campaigns/{one['id']}/launch/")
        made.append(Campaign.objects.get(public_id=one["id"]))
    return made


@pytest.fixture
def people(api):
    """name → public id; all have agreed to mail, and their birthday is tomorrow."""
    found = {}
    for name, zone in PEOPLE.items():
        who = {"reference": name, "email": f"{name}@example.com", "birthday": "1990-05-13", "time_zone": zone}
        found[name] = api.post("customers/", who)["id"]
        api.post(f"customers/{found[name]}/consents/", {"channel": "email", "event": "given", "source": "checkout"})
    return found


def test_each_that_may_not_leave_says_why(api, at, people, campaigns, smtp, as_role):
    api.put("messaging-policy/", {"policy": POLICY, "edited": None})
    first, second = campaigns
    at("1d")
    run("campaigns.reach")
    assert Delivery.objects.filter(state="queued").count() == 6
    # What pauses by itself, and what figures are told by, is the campaign.
    assert set(Delivery.objects.values_list("group_id", flat=True)) == {first.pk, second.pk}
    api.post(f"customers/{people['anna']}/consents/", {"channel": "email", "event": "withdrawn", "source": "shop"})

    ran = run("messaging.send")
    assert ran["skipped"] == {"messaging.no_consent": 2}
    assert (ran["sent"], ran["held"]) == (1, 3)
    # Of two that are due at once the one of the lower priority waits until the other has left; then the day is full.
    at("1d2m")
    assert run("messaging.send")["skipped"] == {"messaging.capped_day": 1}
    # Quiet hours end at 20 o'clock in Seoul, an hour later.
    at("1d59m")
    assert run("messaging.send")["due"] == 0
    at("1d61m")
    assert run("messaging.send")["sent"] == 1
    at("1d63m")
    assert run("messaging.send")["skipped"] == {"messaging.capped_day": 1}
    assert [mail.recipients for mail in smtp.messages] == [("dora@example.com",), ("sora@example.com",)]

    no_consent, capped = "There is no consent for marketing to this address.", "The policy allows her 1 a day"
    expected = {
        ("anna", first.pk): ("suppressed", "messaging.no_consent", no_consent),
        ("anna", second.pk): ("suppressed", "messaging.no_consent", no_consent),
        ("dora", first.pk): ("sent", "", ""),
        ("dora", second.pk): ("suppressed", "messaging.capped_day", f"{capped}; room again 2026-05-14 00:00"),
        ("sora", first.pk): ("sent", "", ""),
        ("sora", second.pk): ("suppressed", "messaging.capped_day", f"{capped}; room again 2026-05-14 00:00"),
    }
    lead = as_role("marketing lead")
    for (name, campaign_id), (state, reason, sentence) in expected.items():
        delivery = Delivery.objects.get(customer__reference=name, group_id=campaign_id)
        told = api.get(f"deliveries/{delivery.public_id}/")
        assert (told["state"], told["reason"]) == (state, reason)
        assert told["detail"].startswith(sentence)
        page = lead.get(f"/admin/messaging/delivery/{delivery.pk}/change/").content.decode()
        assert sentence in page
        campaign = Campaign.objects.get(pk=campaign_id)
        why = api.get(f"campaigns/{campaign.public_id}/why/?customer={people[name]}")
        deciding = next(answer for answer in why["answers"] if answer["is_deciding"])
        assert deciding["code"] == (reason or "messaging.sent")
        assert sentence in deciding["sentence"]
        customer = Customer.objects.get(reference=name)
        shown = lead.get(f"/admin/campaigns/why/{customer.public_id}/{campaign_id}/").content.decode()
        assert re.sub(r"\s+", " ", sentence) in re.sub(r"\s+", " ", shown)
    # What was never brought is nobody's: only the two that left gave their coupon.
    assert sorted(Code.objects.filter(state="given").values_list("grant__customer__reference", flat=True)) == [
        "dora", "sora"
    ]  # fmt: skip
    assert not Code.objects.filter(state="reserved").exists()
