"""Templates and deliveries over the API, through the real door."""

import json
import uuid
from types import SimpleNamespace

import pytest

from retention.actors import Actor
from retention.audit.models import AuditEntry
from retention.doors.keys import create_key
from retention.messaging.models import Delivery, Pause, Template
from retention.messaging.operations import Message, queue, send_due
from tests.messaging.conftest import WORDS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
SCOPES = ("messages:read", "messages:write")


@pytest.fixture
def api(client, now):
    secret = create_key(name="shop", scopes=SCOPES, known=SCOPES, now=now, by=Actor.command("test")).secret

    def send(method, path, data=None):
        headers = {"authorization": f"Bearer {secret}", "idempotency-key": uuid.uuid4().hex}
        body = "" if data is None else json.dumps(data)
        answer = client.generic(method, f"/api/v1/{path}", body, content_type="application/json", headers=headers)
        return answer.status_code, answer.json()

    return SimpleNamespace(
        get=lambda path: send("GET", path),
        post=lambda path, data: send("POST", path, data),
        put=lambda path, data: send("PUT", path, data),
        patch=lambda path, data: send("PATCH", path, data),
    )


def test_a_template_is_made_read_changed_and_listed(api):
    status, made = api.post("templates/", {"name": "Spring", "words": WORDS})
    assert (status, made["version"], made["languages"]) == (201, 1, ["en", "ko"])
    assert made["words"]["ko"]["body"] == WORDS["ko"]["body"]
    assert Template.objects.get().version.by is None
    status, changed = api.patch(f"templates/{made['id']}/", {"edited": 1, "name": "Summer", "why": "Warmer"})
    assert (status, changed["name"], changed["version"], changed["languages"]) == (200, "Summer", 2, ["en", "ko"])
    assert api.get(f"templates/{made['id']}/") == (200, changed)
    status, listed = api.get("templates/")
    assert (status, [item["name"] for item in listed["items"]], listed["next"]) == (200, ["Summer"], None)
    assert api.get("templates/?archived=true")[1]["items"] == []


def test_every_mistake_is_named_with_its_place(api):
    words = {"en": {"subject": "{{ customer.nick }}", "body": "<mj-text>\n<b>x</mj-text>"}}
    status, problem = api.post("templates/", {"name": "Spring", "words": words})
    assert (status, problem["code"]) == (422, "messaging.template_faulty")
    faults = [(fault["part"], fault["code"], fault["line"], fault["column"]) for fault in problem["params"]["faults"]]
    assert faults == [("subject", "unknown_placeholder", 1, 4), ("body", "closed_by", 2, 1)]
    assert not Template.objects.exists()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "x"}, "api.invalid"),
        ({"name": "", "words": WORDS}, "api.invalid"),
        ({"name": "x", "words": {"ko": WORDS["ko"]}}, "messaging.words_missing"),
        ({"name": "x", "words": {"english please": {}}}, "api.invalid"),
        ({"name": "x", "words": WORDS, "category": "spam"}, "api.invalid"),
        ({"name": "x", "words": {"en": {"subject": "a\u0000", "text": "b"}}}, "api.control_characters"),
    ],
)
def test_bad_shapes_are_refused_and_nothing_is_written(api, body, code):
    status, problem = api.post("templates/", body)
    assert status in (400, 422)
    assert problem["code"] == code
    assert not Template.objects.exists()


def test_a_change_over_someone_elses_is_refused(api, template):
    made = template()
    assert api.patch(f"templates/{made.public_id}/", {"edited": 1, "name": "First"})[0] == 200
    status, problem = api.patch(f"templates/{made.public_id}/", {"edited": 1, "name": "Second"})
    assert (status, problem["code"]) == (409, "audit.edited_meanwhile")
    assert Template.objects.get().name == "First"


def test_a_preview_speaks_to_the_customer_or_with_samples(api, template, customer):
    made, anna = template(), customer("anna", language="ko", given_name="안나")
    status, shown = api.post(f"templates/{made.public_id}/preview/", {"customer": str(anna.public_id)})
    assert (status, shown["subject"], shown["language"], shown["is_sample"]) == (200, "안녕하세요 안나님", "ko", False)
    shown = api.post(f"templates/{made.public_id}/preview/", {"language": "en"})[1]
    assert (shown["subject"], shown["is_sample"]) == ("Hello Anna", True)
    assert api.post(f"templates/{made.public_id}/preview/", {"customer": str(uuid.uuid4())})[0] == 404


def test_deliveries_say_why(api, template, customer, now, smtp):
    anna, ben = customer("anna"), customer("ben", consent=False)
    queue(template_id=template().pk, origin="test.row", messages=[Message(1, anna.pk), Message(2, ben.pk)], now=now)
    send_due(now=now, worker="test")
    status, listed = api.get("deliveries/?limit=1")
    assert (status, len(listed["items"])) == (200, 1)
    assert listed["next"]
    (skipped,) = api.get("deliveries/?state=suppressed")[1]["items"]
    assert (skipped["customer"], skipped["reason"]) == (str(ben.public_id), "messaging.no_consent")
    assert skipped["detail"] == "There is no consent for marketing to this address."
    (sent,) = api.get(f"deliveries/?customer={anna.public_id}")[1]["items"]
    assert api.get(f"deliveries/{sent['id']}/") == (200, sent)
    assert sent["state"] == "sent"
    assert api.get("deliveries/?state=nonsense")[0] == 422
    assert api.get(f"deliveries/{uuid.uuid4()}/")[0] == 404
    assert Delivery.objects.count() == 2


def test_the_policy_is_read_and_saved_whole(api):
    status, first = api.get("messaging-policy/")
    assert (status, first["version"]) == (200, None)
    policy = {"caps": [{"most": 2, "per": "week"}], "brake": None}
    status, saved = api.put("messaging-policy/", {"policy": policy, "edited": None})
    assert (status, saved["version"], saved["policy"]["caps"][0]["most"]) == (200, 1, 2)
    assert saved["sentence"].startswith("At most 2 messages a calendar week (all channels together); one too many is")
    assert api.get("messaging-policy/") == (200, saved)
    assert api.put("messaging-policy/", {"policy": policy, "edited": None})[1]["code"] == "audit.edited_meanwhile"
    assert api.put("messaging-policy/", {"policy": {"caps": [{"most": 0}]}, "edited": 1})[0] == 422


def test_an_archived_template_is_listed_apart(api, template):
    made = template(name="Old")
    for _twice in range(2):
        status, archived = api.post(f"templates/{made.public_id}/archive/", {})
        assert (status, archived["is_archived"]) == (200, True)
    assert api.get("templates/")[1]["items"] == []
    assert [item["name"] for item in api.get("templates/?archived=true")[1]["items"]] == ["Old"]
    assert AuditEntry.objects.filter(verb="messaging.archive_template").count() == 1


def test_an_address_is_suppressed_and_written_to_again(api, say, send, customer, smtp):
    anna = customer("anna")
    status, told = api.post("suppressions/", {"address": " ANNA@example.com", "marketing_only": True})
    assert (status, told["why"], told["marketing_only"]) == (201, "by hand", True)
    assert api.post("suppressions/", {"address": "anna@example.com"})[1]["marketing_only"] is False
    say(anna)
    assert send()["skipped"] == {"messaging.suppressed": 1}
    assert api.post("suppressions/lift/", {"address": "anna@example.com"}) == (200, {"is_lifted": True})
    status, refused = api.post("suppressions/lift/", {"address": "anna@example.com"})
    assert (status, refused["code"]) == (409, "messaging.not_suppressed")
    say(anna, step=1)
    send()
    assert [mail.recipients for mail in smtp.messages] == [("anna@example.com",)]
    assert "anna@example.com" not in str(list(AuditEntry.objects.values()))


def test_what_rests_is_listed_and_let_go_by_what_it_is(api, now):
    for which in ({"channel": "email"}, {"origin": "test.row", "group_id": 7}):
        Pause.objects.create(reason="messaging.bad_bounces", params={"n": 9, "sent": 99}, since=now, **which)
    status, (channel, campaign) = api.get("pauses/")
    assert (status, channel["channel"], channel["group"], channel["name"]) == (200, "email", None, "email")
    assert (campaign["channel"], campaign["origin"], campaign["group"]) == ("", "test.row", 7)
    assert campaign["detail"] == "Too many messages bounced: 9 of 99."
    key = {name: campaign[name] for name in ("channel", "origin", "group")}
    assert api.post("pauses/lift/", key) == (200, {"is_lifted": True})
    assert api.post("pauses/lift/", key)[1]["code"] == "messaging.not_paused"
    assert [one["channel"] for one in api.get("pauses/")[1]] == ["email"]
