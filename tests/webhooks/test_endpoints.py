"""Webhooks over HTTP: a secret is told at making and replacing, again for a repeated request, and kept nowhere."""

import pytest
import time_machine
from django.db import connection

from retention.actors import Actor
from retention.doors.keys import create_key
from retention.webhooks import operations
from retention.webhooks.models import Endpoint, Notice
from retention.webhooks.signing import secret_of

pytestmark = pytest.mark.django_db
SCOPES = ["webhooks:read", "webhooks:write"]
HOOK = {"name": "Shop", "url": "https://shop.example.com/hooks", "events": ["loyalty.joined"]}


@pytest.fixture
def api(client, now):
    """A function that calls the API with both scopes: (status, answer)."""
    key = create_key(name="shop", scopes=SCOPES, known=SCOPES, now=now, by=Actor.command("test")).secret

    def call(method, path, body=None, *, key_of_request="one"):
        headers = {"authorization": f"Bearer {key}", "idempotency-key": key_of_request}
        options = {} if method == "get" else {"data": body or b"", "content_type": "application/json"}
        response = getattr(client, method)(f"/api/v1/webhooks/{path}", headers=headers, **options)
        return response.status_code, response.json()

    with time_machine.travel(now, tick=False):
        yield call


def everything_stored():
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(to_jsonb(a)::text, ' ') FROM doors_idempotentanswer a")
        answers = cursor.fetchone()[0] or ""
        cursor.execute("SELECT string_agg(to_jsonb(e)::text, ' ') FROM webhooks_endpoint e")
        endpoints = cursor.fetchone()[0]
        cursor.execute("SELECT string_agg(to_jsonb(e)::text, ' ') FROM audit_auditentry e")
        return answers + endpoints + cursor.fetchone()[0]


def test_a_secret_is_answered_when_it_is_made_and_again_for_the_same_request(api):
    status, made = api("post", "endpoints/", HOOK)
    endpoint = Endpoint.objects.get()
    assert (status, made["secret"], made["events"], made["is_on"]) == (201, secret_of(endpoint), HOOK["events"], True)
    assert api("post", "endpoints/", HOOK) == (201, made)
    assert api("post", "endpoints/", {**HOOK, "name": "Other"})[1]["code"] == "api.idempotency_key_reused"
    assert Endpoint.objects.count() == 1

    address = f"endpoints/{made['id']}/"
    rotated = api("post", f"{address}rotate/")[1]
    assert rotated == api("post", f"{address}rotate/")[1]
    assert rotated["secret"] != made["secret"]
    endpoint.refresh_from_db()
    assert (endpoint.generation, rotated["earlier_until"]) == (2, "2026-05-13T10:00:00Z")
    assert api("post", f"{address}rotate/", key_of_request="two")[1]["secret"] != rotated["secret"]

    assert "secret" not in api("get", address)[1]
    assert "secret" not in api("put", address, {**HOOK, "events": []}, key_of_request="three")[1]
    assert "secret" not in str(api("get", "endpoints/"))
    stored = everything_stored()
    for secret in (made["secret"], rotated["secret"]):
        assert secret.removeprefix("whsec_") not in stored


def test_an_endpoint_is_switched_off_and_on_and_archived(api):
    made = api("post", "endpoints/", HOOK)[1]
    address = f"endpoints/{made['id']}/"
    status, off = api("post", f"{address}off/", key_of_request="off")
    assert (status, off["is_on"], off["off_why"]) == (200, False, "hand")
    assert api("post", f"{address}test/", key_of_request="t")[1]["code"] == "webhooks.endpoint_is_off"
    on = api("post", f"{address}on/", {"with_meanwhile": False}, key_of_request="on")[1]
    assert (on["is_on"], on["off_why"]) == (True, "")
    assert api("post", f"{address}on/", {"with_meanwhile": False}, key_of_request="on2")[0] == 409
    assert api("post", f"{address}archive/", key_of_request="a")[0] == 200
    assert api("get", address)[1]["code"] == "webhooks.no_such_endpoint"
    assert api("get", "endpoints/") == (200, {"items": [], "next": None})


def test_the_log_is_read_by_pages_and_sent_again(api, now):
    made = api("post", "endpoints/", HOOK)[1]
    other = api("post", "endpoints/", {**HOOK, "name": "Other"}, key_of_request="other")[1]
    address = f"endpoints/{made['id']}/"
    tests = [api("post", f"{address}test/", key_of_request=f"t{n}")[1] for n in range(3)]
    query = f"notices/?endpoint={made['id']}&type=webhooks.test&limit=2"
    first = api("get", query)[1]
    second = api("get", f"{query}&cursor={first['next']}")[1]
    assert [each["id"] for each in first["items"] + second["items"]] == [each["id"] for each in reversed(tests)]
    assert second["next"] is None
    assert api("get", f"notices/?endpoint={other['id']}")[1]["items"] == []
    assert api("get", "notices/?type=loyalty.flown")[1]["code"] == "webhooks.unknown_kinds"

    assert api("post", f"notices/{tests[0]['id']}/replay/", key_of_request="r")[1]["code"] == "webhooks.notice_waits"
    Notice.objects.update(state="given_up", next_at=None, ended_at=now)
    window = {"since": "2026-05-12T00:00:00Z", "until": "2026-05-13T00:00:00Z"}
    assert api("post", f"{address}replay/", window, key_of_request="w") == (200, {"replayed": 3})
    whole = api("get", f"notices/{tests[0]['id']}/")[1]
    assert (whole["state"], whole["attempts"]) == ("waiting", [])
    assert whole["body"].startswith('{"type":"webhooks.test","timestamp":"2026-05-12T10:00:00+00:00","data":')
    assert operations.count_due(now=now) == 3


def test_the_catalogue_says_what_is_sent(api):
    status, listed = api("get", "events/")
    rewarded = next(each for each in listed if each["type"] == "referrals.rewarded")
    assert (status, rewarded["group"], rewarded["sample"]["type"]) == (200, "Referrals", "referrals.rewarded")
    assert rewarded["sample"]["data"]["customer"] == {
        "id": "01920000-0000-7000-8000-00000000000a", "reference": "C-1001",
    }  # fmt: skip
