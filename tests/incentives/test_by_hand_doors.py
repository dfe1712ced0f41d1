"""Work-list and check-in through the console and the API."""

import json
import uuid

import pytest

from retention.actors import Actor
from retention.doors.keys import create_key
from retention.incentives.models import Code, Fulfilment, Ticket
from tests.console.conftest import as_role, person
from tests.incentives.test_by_hand import CARD, SEAT

__all__ = ["as_role", "person"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
LIST, DOOR = "/admin/incentives/fulfilment/", "/admin/incentives/ticket/check-in/"


@pytest.fixture(autouse=True)
def at_noon(monkeypatch, now):
    monkeypatch.setattr("retention.clock.now", lambda: now)


@pytest.fixture
def promised(offer, grant, customers):
    grant(offer(name="Card", effects=[CARD]), customers[:2])
    return list(Fulfilment.objects.order_by("pk"))


@pytest.fixture
def seat(offer, grant, customers):
    incentive = offer(name="Evening", effects=[SEAT])
    grant(incentive, customers[:1], is_given=True)
    return Code.objects.get(incentive=incentive)


@pytest.fixture
def api(client, now):
    scopes = ("incentives:read", "incentives:write", "incentives:check_in")
    secret = create_key(name="gate", scopes=scopes, known=scopes, now=now, by=Actor.command("test")).secret

    def send(path, data=None):
        headers = {"authorization": f"Bearer {secret}", "idempotency-key": uuid.uuid4().hex}
        if data is None:
            response = client.get(f"/api/v1/{path}", headers=headers)
        else:
            response = client.post(
                f"/api/v1/{path}", json.dumps(data), content_type="application/json", headers=headers
            )
        return response.status_code, response.json()

    return send


def test_one_click_is_enough_and_the_second_is_told_why_not(as_role, promised):
    agent = as_role("support agent")
    row = promised[0]
    page = agent.get(LIST).content.decode()
    assert page.count(f'hx-post="{LIST}{row.pk}/at-once/"') == 1
    for _time in range(2):
        assert agent.post(f"{LIST}{row.pk}/at-once/").headers["HX-Refresh"] == "true"
    row.refresh_from_db()
    assert (row.state, row.settled_by) == ("done", f"staff:{agent.user.pk}")
    page = agent.get(LIST).content.decode()
    assert "This is Done since" in page
    assert f"{LIST}{row.pk}/at-once/" not in page, "the list shows what is to be done"
    assert "Hand-written card" in agent.get(f"{LIST}?state=done").content.decode()
    assert agent.get(f"{LIST}{row.pk}/at-once/").status_code == 405


def test_an_analyst_looks_and_cannot_press(as_role, promised):
    analyst = as_role("analyst")
    page = analyst.get(LIST)
    assert page.status_code == 200
    assert "at-once" not in page.content.decode()
    assert analyst.post(f"{LIST}{promised[0].pk}/at-once/").status_code == 403
    assert analyst.get(DOOR).status_code == 403
    assert Fulfilment.objects.filter(state="open").count() == 2


def test_with_a_note_or_cancelled_by_the_buttons_of_its_page(as_role, promised):
    agent = as_role("support agent")
    for row, action, state in zip(promised, ("done", "cancel"), ("done", "cancelled"), strict=True):
        url = f"{LIST}{row.pk}/{action}/"
        assert url in agent.get(f"{LIST}{row.pk}/change/").content.decode()
        answer = agent.post(url, {"_form_submitted": "True", "note": "parcel 12"})
        assert "HX-Redirect" in answer.headers, answer.content.decode()
        row.refresh_from_db()
        assert (row.state, row.note) == (state, "parcel 12")
        assert url not in agent.get(f"{LIST}{row.pk}/change/").content.decode()


def test_the_door_says_come_in_once(as_role, seat):
    agent = as_role("support agent")
    assert "Scan or type" in agent.get(DOOR).content.decode()
    page = agent.post(DOOR, {"code": seat.code.lower()}).content.decode()
    assert "Come in" in page
    assert "evening" in page
    page = agent.post(DOOR, {"code": seat.code}).content.decode()
    assert "Come in" not in page
    assert "Already checked in at 12 May 2026 12:00." in page, "by the shop's clock"
    assert "not the code of a ticket" in agent.post(DOOR, {"code": "<b>"}).content.decode()
    assert Ticket.objects.get().checked_in_by == f"staff:{agent.user.pk}"


def test_the_api_works_on_the_list(api, promised, customers):
    status, body = api("fulfilments/")
    assert status == 200
    assert [one["id"] for one in body["items"]] == [str(row.public_id) for row in promised]
    assert (body["items"][0]["what"], body["items"][0]["state"]) == ("Hand-written card", "open")
    first, second = promised
    assert api(f"fulfilments/{first.public_id}/done/", {"note": "sent"})[1]["note"] == "sent"
    assert api(f"fulfilments/{second.public_id}/cancel/", {})[1]["state"] == "cancelled"
    assert api(f"fulfilments/{second.public_id}/done/", {})[1]["code"] == "incentives.fulfilment_settled"
    assert api("fulfilments/")[1]["items"] == []
    assert len(api("fulfilments/?state=done")[1]["items"]) == 1


def test_a_gate_checks_in_by_api(api, seat, now):
    status, body = api(f"tickets/{seat.code}/")
    assert (status, body["name"], body["checked_in_at"]) == (200, "Members' evening", None)
    assert api(f"tickets/{seat.code}/check-in/", {})[1]["checked_in_at"] == "2026-05-12T10:00:00Z"
    status, body = api(f"tickets/{seat.code}/check-in/", {})
    assert (status, body["code"]) == (409, "incentives.checked_in_before")
    assert body["params"] == {"at": "2026-05-12 10:00 UTC", "checked_in_at": "2026-05-12T10:00:00+00:00"}
    assert api("tickets/NOSUCH/")[1]["code"] == "incentives.no_such_ticket"
