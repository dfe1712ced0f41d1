"""The HTTP door: who may come in, what shape a request must have, and how every "no" looks."""

import json

import pytest

from retention.audit.models import AuditEntry
from retention.shop.models import ExchangeRate

RATE = {"currency": "EUR", "on": "2026-05-01", "rate": "1.25"}


def is_problem(response, status, code):
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert set(body) - {"errors"} == {"type", "title", "status", "code", "params", "detail"}
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:retention:problem:{code}")
    return body


def test_a_write_leaves_its_effect_and_says_who_wrote(caller):
    response = caller.post("rates/", RATE)
    assert (response.status_code, response.json()["rate"]) == (201, "1.25")
    entry = AuditEntry.objects.get(verb="doors.set_rate")
    assert entry.actor == "key:caller"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nonsense", "Bearer rk_unknown", "Basic cms6cms=", "rk_x"])
def test_without_a_known_key_nobody_comes_in(caller, header):
    response = caller.get("rates/", headers={"authorization": header})
    is_problem(response, 401, "api.not_authenticated")
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_key_opens_only_what_its_scopes_say(caller, new_key):
    reader = new_key("reader", "rates:read")
    headers = {"authorization": f"Bearer {reader.secret}"}
    assert caller.get("rates/", headers=headers).status_code == 200
    body = is_problem(caller.post("rates/", RATE, headers=headers), 403, "api.scope_missing")
    assert body["params"] == {"scope": "rates:write"}
    assert not ExchangeRate.objects.exists()


def test_everything_wrong_is_listed_with_its_place(caller):
    body = is_problem(caller.post("rates/", {"currency": "EURO", "rate": "0"}), 422, "api.invalid")
    assert {(error["pointer"], error["code"]) for error in body["errors"]} == {
        ("/currency", "string_too_long"),
        ("/on", "missing"),
        ("/rate", "greater_than"),
    }
    assert not ExchangeRate.objects.exists()


def test_a_missing_body_is_missing(caller):
    body = is_problem(caller.post("rates/", raw=b""), 422, "api.invalid")
    assert [(error["pointer"], error["code"]) for error in body["errors"]] == [("", "missing")]


def test_an_operations_own_checks_come_back_with_their_fields(caller):
    body = is_problem(caller.post("rates/", {**RATE, "currency": "XXQ"}), 422, "api.invalid")
    assert [(error["pointer"], error["code"]) for error in body["errors"]] == [("/currency", "unknown_currency")]


@pytest.mark.parametrize(
    "raw",
    [b"{", b'{"rate": NaN}', b"\xff\xfe", b"[" * 100_000, b'{"rate": ' + b"9" * 5_000 + b"}"],
    ids=["cut off", "not a number", "not UTF-8", "too deep", "too many digits"],
)
def test_what_is_not_json_is_refused_without_repeating_it(caller, raw):
    body = is_problem(caller.post("rates/", raw=raw), 400, "api.bad_json")
    assert "9999" not in body["detail"]


@pytest.mark.parametrize("text", ["E\\u0000", "E\\u001b", "E\\u007f", "E\\b", "\\ud800"])
def test_control_characters_and_broken_unicode_are_refused(caller, text):
    raw = json.dumps(RATE).replace("EUR", text).encode()
    is_problem(caller.post("rates/", raw=raw), 400, "api.control_characters")


def test_an_escaped_backslash_is_no_control_character(caller):
    response = caller.post("rates/", raw=json.dumps({**RATE, "currency": "\\u0000"}).encode())
    assert response.json()["code"] == "api.invalid"


def test_control_characters_in_the_address_are_refused(caller):
    is_problem(caller.get("rates/?cursor=%00"), 400, "api.control_characters")


def test_names_that_nobody_reads_are_refused(caller):
    body = is_problem(caller.get("rates/?limit=3&page=2&sort=on"), 422, "api.unknown_parameters")
    assert body["params"] == {"unknown": "page, sort", "known": "cursor, limit"}
    assert body["detail"] == "This address does not know the parameter page, sort. It knows: cursor, limit."
    is_problem(caller.post("rates/?dry=1", RATE), 422, "api.unknown_parameters")
    assert not ExchangeRate.objects.exists()


def test_another_content_type_is_refused(caller):
    body = is_problem(caller.post("rates/", raw=b"a,b", content_type="text/csv"), 415, "api.unsupported_media_type")
    assert body["params"] == {"accepted": "application/json"}


def test_a_body_above_the_limit_is_refused_before_it_is_read(caller):
    body = is_problem(caller.post("rates/", raw=b" " * (2**20 + 1)), 413, "api.too_large")
    assert body["params"] == {"limit": 2**20}


def test_addresses_and_methods_that_are_not_there(caller):
    is_problem(caller.get("nothing/"), 404, "api.not_found")
    is_problem(caller.client.get("/api/v2/rates/"), 404, "api.not_found")
    is_problem(caller.client.get("/api/v1/"), 404, "api.not_found")
    response = caller.client.delete("/api/v1/rates/", headers={"authorization": f"Bearer {caller.secret}"})
    is_problem(response, 405, "api.method_not_allowed")
    assert {method.strip() for method in response["Allow"].split(",")} == {"GET", "POST"}


def test_an_unexpected_error_tells_nothing_and_leaves_nothing(caller):
    body = is_problem(caller.post("rates/broken/", RATE), 500, "api.unexpected")
    assert "42" not in json.dumps(body)
    assert not ExchangeRate.objects.exists()


def test_pages_meet_without_gap_or_overlap(caller):
    for day in range(1, 8):
        caller.post("rates/", {**RATE, "on": f"2026-05-0{day}"}, idempotency=f"day {day}".replace(" ", "-"))
    seen, cursor, pages = [], "", 0
    while True:
        answer = caller.get(f"rates/?limit=3&cursor={cursor}").json()
        seen += [item["id"] for item in answer["items"]]
        pages += 1
        cursor = answer["next"]
        if cursor is None:
            break
    assert pages == 3
    assert seen == sorted(ExchangeRate.objects.values_list("pk", flat=True))
    assert len(seen) == 7


@pytest.mark.parametrize("cursor", ["!!", "YWJj", "LTE", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5"])
def test_a_cursor_that_we_never_gave_is_refused(caller, cursor):
    is_problem(caller.get(f"rates/?cursor={cursor}"), 422, "api.bad_cursor")


def test_a_calculation_needs_no_idempotency_key(caller):
    response = caller.post("rates/sum/", [1, 2], idempotency=None)
    assert (response.status_code, response.json()) == (200, {"sum": 3})
