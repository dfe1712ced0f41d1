"""Units, balances, statements and corrections over HTTP."""

import datetime as dt

import pytest
import time_machine

from retention.actors import Actor
from retention.audit.models import AuditEntry
from retention.doors.keys import create_key
from retention.ledger.models import Account, Entry, Unit

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


SCOPES = ["ledger:read", "ledger:write"]


@pytest.fixture(autouse=True)
def the_present(now):
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def api(client, now):
    """A function that calls the API with every scope: (status, answer)."""
    key = create_key(name="shop", scopes=SCOPES, known=SCOPES, now=now, by=Actor.command("test")).secret

    def call(method, path, body=None, *, idempotency_key="one"):
        headers = {"authorization": f"Bearer {key}", "idempotency-key": idempotency_key}
        options = {} if body is None else {"data": body, "content_type": "application/json"}
        response = getattr(client, method)(f"/api/v1/{path}", headers=headers, **options)
        return response.status_code, response.json()

    return call


def test_units_are_told_whole(api, unit, points):
    unit(expiry={"kind": "after", "count": 1, "per": "year"})
    status, found = api("get", "units/")
    assert status == 200
    assert [each["key"] for each in found] == ["credit", "points"]
    assert api("get", "units/credit/") == (200, found[0])
    assert (found[0]["currency"], found[0]["expiry"]["count"], found[0]["version"]) == ("EUR", 1, 1)
    assert api("get", "units/nothing/")[0] == 404


def test_balances_now_and_as_of_an_instant(api, unit, account, customers, give, spend, now):
    hers = account(unit())
    give(hers, 500, effective_at=now - 10 * DAY, expires_at=now + 5 * DAY)
    give(hers, 70, pending_event="parcel")
    spend(hers, 100)
    path = f"customers/{customers[0].public_id}"
    assert api("get", f"{path}/balances/") == (
        200,
        [
            {
                "unit": "credit", "currency": "EUR", "amount": 470, "available": 400, "pending": 70, "held": 0,
                "expires_next_at": "2026-05-17T10:00:00Z", "expires_next": 400,
            }
        ],
    )  # fmt: skip
    past = {"unit": "credit", "currency": "EUR", "amount": 500}
    assert api("get", f"{path}/balances-as-of/?at=2026-05-05T00:00:00Z") == (200, [past])
    assert api("get", f"{path}/balances-as-of/?at=2026-05-01T00:00:00Z") == (200, [{**past, "amount": 0}])
    assert api("get", "customers/00000000-0000-7000-8000-000000000001/balances/")[0] == 404


def test_a_statement_has_a_sign_and_pages(api, unit, account, customers, give, spend):
    hers = account(unit())
    give(hers, 500)
    spend(hers, 100)
    path = f"customers/{customers[0].public_id}/entries/"
    status, first = api("get", f"{path}?limit=1")
    assert (status, [(e["amount"], e["verb"]) for e in first["items"]]) == (200, [(-100, "spend")])
    _status, second = api("get", f"{path}?cursor={first['next']}&unit=credit")
    assert [(e["amount"], e["verb"]) for e in second["items"]] == [(500, "issue")]
    assert second["next"] is None


def test_a_correction_happens_once_and_says_why(api, unit, customers):
    unit()
    path = f"customers/{customers[0].public_id}/adjustments/"
    body = {"unit": "credit", "amount": 250, "reason": "late parcel"}
    status, made = api("post", path, body)
    assert (status, made["amount"], made["reason"]) == (201, 250, "late parcel")
    assert api("post", path, body) == (201, made)
    assert Account.objects.get(customer=customers[0]).balance == 250
    assert Entry.objects.count() == 1
    for wrong, code in [
        ({"amount": 0}, "ledger.nothing_to_adjust"),
        ({"amount": -251}, "ledger.not_enough"),
        ({"unit": "none"}, "ledger.no_such_unit"),
        ({"expires_at": "2026-05-12T09:00:00Z"}, "ledger.ends_before_it_begins"),
        ({"reason": ""}, "api.invalid"),
    ]:
        status, refused = api("post", path, {**body, **wrong}, idempotency_key=code)
        assert status in (404, 409, 422)
        assert refused["code"] == code
    assert Account.objects.get(customer=customers[0]).balance == 250


def test_a_unit_is_made_and_changed_whole(api):
    rule = {"name": "Stars", "kind": "points", "worth": {"EUR": 50}, "expiry": {"kind": "after", "count": 6}}
    status, made = api("post", "units/", {"key": "stars", "rule": rule, "why": "a game"})
    assert (status, made["key"], made["worth"], made["version"]) == (201, "stars", {"EUR": 50}, 1)
    assert Account.objects.filter(unit__key="stars", kind="system").count() == len(Account.Purpose.values)
    again = api("post", "units/", {"key": "stars", "rule": rule}, idempotency_key="two")
    assert (again[0], again[1]["code"]) == (409, "ledger.unit_taken")

    change = {"edited": 1, "rule": {**rule, "worth": {"EUR": 40}}, "why": "dear"}
    status, changed = api("put", "units/stars/", change, idempotency_key="three")
    assert (status, changed["version"], changed["worth"]) == (200, 2, {"EUR": 40})
    assert api("get", "units/stars/") == (200, changed)
    refusals = [
        ("put", "units/stars/", change, 409, "audit.edited_meanwhile"),
        ("put", "units/stars/", {"edited": 2, "rule": {**rule, "digits": 2}}, 409, "ledger.unit_is_fixed"),
        ("put", "units/moons/", change, 404, "ledger.no_such_unit"),
        ("post", "units/", {"key": "Stars!", "rule": rule}, 422, "api.invalid"),
        ("post", "units/", {"key": "coins", "rule": {**rule, "kind": "money"}}, 422, "api.invalid"),
    ]
    for number, (method, path, body, status, code) in enumerate(refusals):
        answered, answer = api(method, path, body, idempotency_key=f"no-{number}")
        assert (answered, answer["code"]) == (status, code)
    verbs = AuditEntry.objects.filter(subject="ledger.unit").order_by("pk").values_list("actor", "verb")
    assert list(verbs) == [("key:shop", "ledger.create_unit"), ("key:shop", "ledger.save_unit")]


def test_who_may_only_read_makes_no_unit(client, now):
    key = create_key(name="till", scopes=["ledger:read"], known=SCOPES, now=now, by=Actor.command("test")).secret
    headers = {"authorization": f"Bearer {key}", "idempotency-key": "one"}
    body = {"key": "stars", "rule": {"name": "Stars", "kind": "points"}}
    answer = client.post("/api/v1/units/", body, content_type="application/json", headers=headers)
    assert (answer.status_code, Unit.objects.count()) == (403, 0)
