"""Campaigns over HTTP with real keys: read, launched, paused, resumed, ended; and every no with its code."""

import datetime as dt
import uuid

import pytest
import time_machine

from campaigns import operations
from campaigns.models import Campaign, Touch
from retention.audit.models import AuditEntry
from retention.doors.keys import create_key
from tests.campaigns.conftest import BY

NINE = {"hour": "09:00"}
READ, LAUNCH = "campaigns:read", "campaigns:launch"
ACTS = ("launch", "pause", "resume", "end")
NOBODY = "00000000-0000-7000-8000-000000000001"


@pytest.fixture(autouse=True)
def the_present(now):
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def ask(client, shop, now):
    """Ask the API: `ask("campaigns/")` reads, `ask("campaigns/1/launch/", post=True)` acts → (status, body)."""
    secrets = {}

    def send(path, *, post=False, scopes=(READ, LAUNCH), key=None):
        if scopes not in secrets:
            known = (READ, LAUNCH, "customers:read")
            secrets[scopes] = create_key(name=f"shop {scopes}", scopes=scopes, known=known, now=now, by=BY).secret
        headers = {"authorization": f"Bearer {secrets[scopes]}"}
        if post:
            headers["idempotency-key"] = key or uuid.uuid4().hex
            answer = client.post(f"/api/v1/{path}", "", content_type="application/json", headers=headers)
        else:
            answer = client.get(f"/api/v1/{path}", headers=headers)
        return answer.status_code, answer.json()

    return send


@pytest.fixture
def campaign(planned, now):
    """A campaign in a state of its life: `campaign("approved")`."""
    acts = {
        "draft": [], "approved": ["approve"], "live": ["approve", "launch"], "paused": ["approve", "launch", "pause"],
        "ended": ["approve", "launch", "end"],
    }  # fmt: skip

    def make(state, name="birthday"):
        made = operations.create_campaign(plan=planned("birthday", NINE, name=name), now=now, by=BY)
        for act in acts[state]:
            version = {"version": 1} if act == "approve" else {}
            getattr(operations, act)(campaign_id=made.pk, now=now, by=BY, **version)
        return made

    return make


def test_one_campaign_with_its_plan(ask, campaign, template):
    made = campaign("approved")
    status, body = ask(f"campaigns/{made.public_id}/", scopes=(READ,))
    plan = body.pop("plan")
    assert (status, body) == (
        200,
        {
            "id": str(made.public_id), "name": "birthday", "playbook": "", "state": "approved", "occasion": "birthday",
            "version": 1, "approved_version": 1, "starts_at": None, "ends_at": None, "launched_at": None,
            "review_note": "",
        },
    )  # fmt: skip
    assert plan["occasion_args"] == NINE
    assert [step["messages"] for step in plan["steps"]] == [[str(template.public_id)]]


def test_the_list_is_paged_and_leaves_the_archived_out(ask, campaign, now):
    made = [campaign("draft", name=f"n{number}") for number in range(4)]
    operations.archive(campaign_id=made[1].pk, now=now, by=BY)
    status, first = ask("campaigns/?limit=2")
    assert (status, [row["name"] for row in first["items"]]) == (200, ["n0", "n2"])
    assert "plan" not in first["items"][0]
    _status, rest = ask(f"campaigns/?limit=2&cursor={first['next']}")
    assert ([row["name"] for row in rest["items"]], rest["next"]) == (["n3"], None)
    assert ask("campaigns/?cursor=nonsense")[1]["code"] == "api.bad_cursor"
    assert ask("campaigns/?limit=0")[0] == ask("campaigns/?limit=201")[0] == 422


@pytest.mark.parametrize(
    ("before", "act", "after"),
    [
        ("approved", "launch", "live"),
        ("live", "pause", "paused"),
        ("paused", "resume", "live"),
        ("live", "end", "ended"),
        ("paused", "end", "ended"),
    ],
)
def test_each_button_works_and_says_who_pressed_it(ask, campaign, before, act, after, now):
    made = campaign(before)
    status, body = ask(f"campaigns/{made.public_id}/{act}/", post=True, scopes=(LAUNCH,))
    assert (status, body["state"], body["id"]) == (200, after, str(made.public_id))
    assert Campaign.objects.get().state == after
    entry = AuditEntry.objects.order_by("-pk").first()
    assert (entry.verb, entry.actor) == (f"campaigns.{act}", f"key:shop ('{LAUNCH}',)")
    if act == "launch":
        assert dt.datetime.fromisoformat(body["launched_at"]) == now


@pytest.mark.parametrize(
    ("before", "act", "code"),
    [
        ("draft", "launch", "campaigns.not_approved"),
        ("live", "launch", "campaigns.already_launched"),
        ("ended", "launch", "campaigns.campaign_ended"),
        ("draft", "pause", "campaigns.not_live"),
        ("paused", "pause", "campaigns.not_live"),
        ("live", "resume", "campaigns.not_paused"),
        ("ended", "resume", "campaigns.not_paused"),
        ("draft", "end", "campaigns.never_launched"),
        ("ended", "end", "campaigns.campaign_ended"),
    ],
)
def test_what_cannot_be_now_is_refused_with_its_reason(ask, campaign, before, act, code):
    made = campaign(before)
    status, body = ask(f"campaigns/{made.public_id}/{act}/", post=True)
    assert (status, body["code"]) == (409, code)
    assert "%(" not in body["detail"]
    assert Campaign.objects.get().state == before


@pytest.mark.parametrize("act", ACTS)
def test_what_is_not_there_or_archived_cannot_be_acted_on(ask, campaign, act, now):
    status, body = ask(f"campaigns/{NOBODY}/{act}/", post=True)
    assert (status, body["code"]) == (404, "campaigns.no_such_campaign")
    made = campaign("draft")
    operations.archive(campaign_id=made.pk, now=now, by=BY)
    status, body = ask(f"campaigns/{made.public_id}/{act}/", post=True)
    assert (status, body["code"]) == (409, "campaigns.archived")
    assert ask(f"campaigns/{made.pk}/{act}/", post=True)[0] == 404, "our own number is nobody's business"


def test_reading_what_is_not_there(ask):
    status, body = ask(f"campaigns/{NOBODY}/")
    assert (status, body["code"]) == (404, "campaigns.no_such_campaign")
    status, body = ask(f"customers/{NOBODY}/touches/")
    assert (status, body["code"]) == (404, "customers.no_such_customer")


@pytest.mark.parametrize("act", ACTS)
def test_a_reader_may_not_press_buttons_nor_a_launcher_read(ask, campaign, act):
    made = campaign("approved")
    status, body = ask(f"campaigns/{made.public_id}/{act}/", post=True, scopes=(READ,))
    assert (status, body["code"]) == (403, "api.scope_missing")
    assert Campaign.objects.get().state == "approved"
    for path in ("campaigns/", f"campaigns/{made.public_id}/", f"customers/{NOBODY}/touches/"):
        assert ask(path, scopes=(LAUNCH,))[0] == ask(path, scopes=("customers:read",))[0] == 403


@pytest.mark.parametrize(
    ("before", "act"), [("approved", "launch"), ("live", "pause"), ("paused", "resume"), ("live", "end")]
)
def test_the_same_request_again_gets_the_same_answer_and_does_nothing(ask, campaign, before, act):
    path = f"campaigns/{campaign(before).public_id}/{act}/"
    first = ask(path, post=True, key="press-1")
    count = AuditEntry.objects.filter(verb=f"campaigns.{act}").count()
    assert ask(path, post=True, key="press-1") == first
    assert first[0] == 200
    assert AuditEntry.objects.filter(verb=f"campaigns.{act}").count() == count
    # Another request for the same thing is another matter.
    assert ask(path, post=True, key="press-2")[0] == 409


def test_what_reached_a_customer_and_what_did_not_newest_first(ask, live, person, reach, now):
    anna = person(birth_month=5, birth_day=12, signed_up_at=now - dt.timedelta(hours=3))
    boris = person(birth_month=5, birth_day=12, consent=False)
    birthday, welcome = live("birthday", NINE), live("signed_up")
    for campaign in (birthday, welcome):
        reach(campaign)
    status, body = ask(f"customers/{anna.public_id}/touches/")
    assert status == 200
    assert [(row["campaign"], row["campaign_name"], row["occasion"], row["state"]) for row in body["items"]] == [
        (str(welcome.public_id), "signed_up", "signed_up", "waiting"),
        (str(birthday.public_id), "birthday", "birthday:2026", "waiting"),
    ]
    (row,) = ask(f"customers/{boris.public_id}/touches/")[1]["items"]
    assert (row["state"], row["reason"], row["reason_text"]) == (
        "skipped", "campaigns.no_consent", "no consent for this address"
    )  # fmt: skip
    assert dt.datetime.fromisoformat(row["due_at"]) == now.replace(hour=7)
    first = ask(f"customers/{anna.public_id}/touches/?limit=1")[1]
    rest = ask(f"customers/{anna.public_id}/touches/?limit=1&cursor={first['next']}")[1]
    assert first["items"] + rest["items"] == body["items"]
    assert Touch.objects.count() == 3
