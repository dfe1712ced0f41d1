"""The room's HTTP API with a real key: what it answers, and what it says to everything wrong."""

import datetime as dt
import json
import uuid
from types import SimpleNamespace

import pytest

from retention.actors import Actor
from retention.doors.keys import create_key
from retention.segments import operations
from retention.segments.models import Segment
from tests.segments.facts import NOW

pytestmark = pytest.mark.django_db
SCOPES = ("segments:read", "segments:write")
GERMANS = {"all": [{"key": "country", "args": {"countries": ["DE"]}}]}


@pytest.fixture
def api(client, shop, monkeypatch):
    monkeypatch.setattr("retention.clock.now", lambda: NOW)

    def send(method, path, data=None, *, scopes=SCOPES):
        name = f"shop {uuid.uuid4().hex}"
        secret = create_key(name=name, scopes=scopes, known=SCOPES, now=NOW, by=Actor.command("test")).secret
        headers = {"authorization": f"Bearer {secret}", "idempotency-key": uuid.uuid4().hex}
        body = data if isinstance(data, str) else json.dumps(data)
        sent = {} if method == "GET" else {"data": body, "content_type": "application/json"}
        response = client.generic(method, f"/api/v1/{path}", headers=headers, **sent)
        return response.status_code, response.json()

    return SimpleNamespace(
        get=lambda path, **options: send("GET", path, **options),
        post=lambda path, data, **options: send("POST", path, data, **options),
        patch=lambda path, data, **options: send("PATCH", path, data, **options),
    )


def errors(body):
    return {error["pointer"]: error["message"] for error in body["errors"]}


def test_create_read_change_archive(api, shop):
    status, made = api.post("segments/", {"name": "Berlin", "rule": GERMANS, "about": "Near us"})
    assert status == 201
    segment = Segment.objects.get(public_id=made["id"])
    assert made == {
        "id": str(segment.public_id), "key": None, "name": "Berlin", "about": "Near us", "rule": GERMANS,
        "sentence": "Everyone who lives in Germany.", "version": 1, "size": None, "computed_at": None, "error": "",
        "archived_at": None,
    }  # fmt: skip
    assert api.get(f"segments/{made['id']}/") == (200, made)
    status, changed = api.patch(f"segments/{made['id']}/", {"edited": 1, "rule": {}, "why": "not yet"})
    assert (status, changed["version"], changed["rule"], changed["name"]) == (200, 2, {}, "Berlin")
    assert changed["sentence"] == "Nobody: there is no condition yet."
    status, refused = api.patch(f"segments/{made['id']}/", {"edited": 1, "name": "Late"})
    assert (status, refused["code"]) == (409, "audit.edited_meanwhile")
    status, archived = api.post(f"segments/{made['id']}/archive/", {})
    assert (status, archived["archived_at"]) == (200, NOW.isoformat().replace("+00:00", "Z"))
    assert "Berlin" not in [item["name"] for item in api.get("segments/")[1]["items"]]


def test_everything_wrong_with_a_rule_is_told_at_its_place(api, shop):
    rule = {"any": [{"key": "country", "args": {"countries": ["XX"]}}, {"key": "moon"}, {"all": []}]}
    said = {
        "/rule/any/0/args/countries": "“XX” is not one of the choices.",
        "/rule/any/1/key": "There is no condition “moon”.",
        "/rule/any/2/all": "This group is empty: add a condition or remove it.",
    }
    for path, body in (("segments/", {"name": "Bad", "rule": rule}), ("segments/preview/", {"rule": rule})):
        status, refused = api.post(path, body)
        assert (status, errors(refused)) == (422, said)
    assert not Segment.objects.filter(name="Bad").exists()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"rule": GERMANS}, "/name"),
        ({"name": "", "rule": GERMANS}, "/name"),
        ({"name": "x" * 121, "rule": GERMANS}, "/name"),
        ({"name": "A", "rule": [GERMANS]}, "/rule"),
        ({"name": "A", "rule": GERMANS, "colour": "red"}, "/colour"),
    ],
)
def test_a_malformed_body_is_refused(api, shop, body, pointer):
    before = Segment.objects.count()
    status, refused = api.post("segments/", body)
    assert (status, list(errors(refused))) == (422, [pointer])
    assert Segment.objects.count() == before


def test_hostile_json_ends_early(api, shop):
    deep = '{"not":' * 5000 + "{}" + "}" * 5000
    status, refused = api.post("segments/preview/", '{"rule":' + deep + "}")
    assert status in (400, 422)
    status, refused = api.post("segments/preview/", {"rule": {"any": [GERMANS] * 500}})
    assert (status, errors(refused)) == (422, {"/rule/any": "At most 200 conditions."})


def test_a_preview_counts_names_and_says(api, shop):
    status, told = api.post("segments/preview/", {"rule": {"not": GERMANS}})
    assert (status, told["size"], told["sentence"]) == (200, 3, "Everyone who is not someone who lives in Germany.")
    names = {str(customer.public_id) for name, customer in shop.people.items() if name in ("boris", "chloe", "gala")}
    assert set(told["sample"]) == names


def test_members_by_cursor_are_those_stored(api, shop):
    both = {"key": "country", "args": {"countries": ["DE", "AT", "KR"]}}
    made = operations.create_segment(name="Three", rule=both, now=NOW, by=Actor.command("test"))
    made.refresh_from_db()
    assert api.get(f"segments/{made.public_id}/members/") == (200, {"items": [], "next": None})
    operations.refresh_segment(segment_id=made.pk, now=NOW + dt.timedelta(hours=1))
    seen, cursor = [], ""
    for _page in range(3):
        status, found = api.get(f"segments/{made.public_id}/members/?limit=1{cursor}")
        assert (status, len(found["items"])) == (200, 1)
        seen.append(found["items"][0]["reference"])
        cursor = f"&cursor={found['next']}"
    assert found["next"] is None
    assert sorted(seen) == ["anna", "boris", "chloe"]


@pytest.mark.parametrize("by", ["reference", "email", "public_id"])
def test_why_is_she_in(api, shop, by):
    segment = f"segments/{shop.germans.public_id}/explain/"
    status, told = api.post(segment, {"customer": str(getattr(shop.people["anna"], by))})
    assert (status, told["is_met"], [part["kind"] for part in told["parts"]]) == (200, True, ["live", "condition"])
    status, told = api.post(segment, {"customer": str(getattr(shop.people["boris"], by))})
    assert (status, told["is_met"], [part["is_met"] for part in told["parts"]]) == (200, False, [True, False])


def test_who_or_what_is_not_there(api, shop):
    nobody = "01900000-0000-7000-8000-000000000000"
    assert api.get(f"segments/{nobody}/")[1]["code"] == "segments.no_such_segment"
    status, refused = api.post(f"segments/{shop.germans.public_id}/explain/", {"customer": "nobody@example.com"})
    assert (status, refused["code"]) == (404, "customers.no_such_customer")


def test_a_reader_may_not_write(api, shop):
    status, refused = api.post("segments/", {"name": "A", "rule": GERMANS}, scopes=("segments:read",))
    assert (status, refused["code"]) == (403, "api.scope_missing")


def test_the_conditions_describe_themselves(api, shop):
    status, groups = api.get("segment-conditions/")
    assert status == 200
    country = next(one for group in groups for one in group["conditions"] if one["key"] == "country")
    assert country["fields"] == [
        {"name": "countries", "label": "countries", "help": "", "initial": None, "required": True, "kind": "words",
         "set": "countries"},
    ]  # fmt: skip
