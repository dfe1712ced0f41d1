"""Every endpoint × everything that may be wrong with a request, from the OpenAPI document.

An operation that takes a body and has no good body and no bad facts of its own here fails. Every answer is a problem
with a code, a sentence and, where a value is wrong, its JSON pointer; no table has a row more or less than before.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import transaction

from retention import clock
from tests.matrix import shop_of_the_api, world
from tests.matrix.bodies import BAD_FACTS, GOOD, NO_BODIES, UNKNOWN
from tests.matrix.shop_of_the_api import DOCUMENT, OPERATIONS
from tests.matrix.world import NOW

pytestmark = pytest.mark.django_db
WITH_BODY = sorted(name for name, (_method, _path, operation) in OPERATIONS.items() if "requestBody" in operation)
WRITES = sorted(name for name, (method, _path, _operation) in OPERATIONS.items() if method != "get")
READS = sorted(set(OPERATIONS) - set(WRITES))


@pytest.fixture(scope="module")
def api_of_a_shop(django_db_setup, django_db_blocker):
    """The door, and how many rows every table of its shop has."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield shop_of_the_api.furnish(), world.row_counts()
        transaction.set_rollback(True)


@pytest.fixture
def untouched(api_of_a_shop):
    """The door; whatever is asked of it, no table may have a row more or less than before."""
    door, before = api_of_a_shop
    with transaction.atomic():
        yield door
        after = world.row_counts()
        transaction.set_rollback(True)
    assert after == before


def told(response: Any) -> tuple[int, str, set[tuple[str, str]]]:
    """(status, the problem's code, {(pointer, code) of its errors}) of a refusal in its proper shape."""
    assert response["Content-Type"] == "application/problem+json", (response.status_code, response.content[:300])
    body = response.json()
    assert body["status"] == response.status_code
    assert re.fullmatch(r"[a-z_]+\.[a-z_]+", body["code"])
    assert body["detail"]
    assert "%(" not in body["detail"]
    errors = body.get("errors", [])
    for error in errors:
        assert error["code"], body
        assert error["message"], body
    return response.status_code, body["code"], {(error["pointer"], error["code"]) for error in errors}


def test_every_operation_with_a_body_has_a_good_one_and_bad_facts():
    assert set(WITH_BODY) == set(GOOD) == set(BAD_FACTS)


@pytest.mark.parametrize("name", WITH_BODY)
def test_the_good_body_is_good(api_of_a_shop, name):
    with transaction.atomic():
        response = api_of_a_shop[0].send(name, GOOD[name])
        transaction.set_rollback(True)
    assert 200 <= response.status_code < 300, response.content


@pytest.mark.parametrize("name", WITH_BODY)
def test_bad_facts_are_told_by_pointer(untouched, name):
    for changes, status, pointer, code in BAD_FACTS[name]:
        answer = told(untouched.send(name, {**GOOD[name], **changes}))
        assert answer[0] == status, (changes, answer)
        assert (pointer, code) in answer[2] if pointer else code == answer[1], (changes, answer)


@pytest.mark.parametrize("what", NO_BODIES)
def test_what_is_no_body(untouched, what):
    """All is read at one door: everywhere three of them show that no operation reads for itself."""
    content_type, data, headers, status, code = NO_BODIES[what]
    for name in WITH_BODY if what in ("half", "a list", "xml") else ("put_customer", "redeem", "change_campaign"):
        answer = told(untouched.send(name, data, content_type=content_type, **headers))
        assert answer[:2] == (status, code), (name, answer)


@pytest.mark.parametrize("name", WITH_BODY)
def test_an_unknown_name_is_refused(untouched, name):
    answer = told(untouched.send(name, {**GOOD[name], "no_such_name": 1}))
    assert answer == (422, "api.invalid", {("/no_such_name", "extra_forbidden")})


def resolved(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The alternatives that a schema allows, without references."""
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    alternatives = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if not alternatives:
        yield schema
    for alternative in alternatives or []:
        yield from resolved(alternative)


def wrong_values(property_schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """(what it is, a value) of everything that a property of this schema must refuse."""
    allowed = list(resolved(property_schema))
    kinds = {one.get("type") for one in allowed}
    formats = {one.get("format") for one in allowed}
    numbers = bool(kinds & {"integer", "number"})
    if "object" not in kinds:
        yield "an object", {"a": 1}
    if "array" not in kinds:
        yield "a list", [1]
    if "string" not in kinds:
        yield "a text", "text"
    if numbers:
        yield "a huge number", 10**30
        yield "a hugely negative number", -(10**30)
    if "integer" in kinds and "number" not in kinds:
        yield "a fraction", 1.5
    if "string" in kinds:
        yield "an endless text", "x" * 300_001
    if formats & {"date", "date-time", "uuid"}:
        yield "a day that is none", "9999-99-99"
        yield "a text", "soon"
    if "array" in kinds:
        yield "a hundred thousand", [1] * 100_000


@pytest.mark.parametrize("name", WITH_BODY)
def test_a_wrong_value_is_told_by_its_pointer(untouched, name):
    (body,) = resolved(OPERATIONS[name][2]["requestBody"]["content"]["application/json"]["schema"])
    for field, schema in body["properties"].items():
        for what, value in wrong_values(schema):
            answer = told(untouched.send(name, {**GOOD[name], field: value}))
            if field == "edited" and answer[1] == "audit.edited_meanwhile":
                continue  # a version that there may be one day
            assert answer[0] == 422, (field, what, answer)
            assert any(pointer.startswith(f"/{field}") for pointer, _code in answer[2]), (field, what, answer)
            assert len(answer[2]) <= 100, (field, what)


@pytest.mark.parametrize("name", WITH_BODY)
def test_what_is_needed_and_missing_is_told_by_its_pointer(untouched, name):
    (body,) = resolved(OPERATIONS[name][2]["requestBody"]["content"]["application/json"]["schema"])
    for field in body.get("required", []):
        sent = {key: value for key, value in GOOD[name].items() if key != field}
        answer = told(untouched.send(name, sent))
        assert answer[0] == 422, (field, answer)
        assert (f"/{field}", "missing") in answer[2], (field, answer)


PARAMETERS = {name: operation.get("parameters", []) for name, (_method, _path, operation) in OPERATIONS.items()}
KEYED = [name for name in WRITES if any(parameter["in"] == "header" for parameter in PARAMETERS[name])]


@pytest.mark.parametrize("name", KEYED)
def test_a_write_needs_a_key_of_its_own(untouched, name):
    for key in ("", " ", "x" * 256, "ключ", "a b"):
        status, code, _errors = told(untouched.send(name, GOOD.get(name), **{"idempotency-key": key}))
        assert (status, code) == (400, "api.idempotency_key_missing"), key


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_addresses_that_lead_nowhere(untouched, name):
    method, path, operation = OPERATIONS[name]
    inside = [p for p in operation.get("parameters", []) if p["in"] == "path"]
    # What else is asked for is there, and of nobody.
    needed = [p["name"] for p in operation.get("parameters", []) if p["in"] == "query" and p.get("required")]
    path += f"?{urlencode(dict.fromkeys(needed, UNKNOWN))}" if needed else ""
    for parameter in inside:
        is_id = any(one.get("format") == "uuid" for one in resolved(parameter["schema"]))
        bad = ["not-an-id", "1", UNKNOWN] if is_id else ["no-such", "x" * 3_000, "%F0%9F%A6%86"]
        for value in bad:
            address = untouched.address(name, path.replace(f"{{{parameter['name']}}}", value))
            status, _code, _errors = told(untouched.ask(method, address, GOOD.get(name)))
            assert status == 404, (parameter["name"], value[:40])
        address = untouched.address(name, path.replace(f"{{{parameter['name']}}}", "a%00b"))
        assert told(untouched.ask(method, address, GOOD.get(name)))[0] in (400, 404)


@pytest.mark.parametrize("name", READS)
def test_bad_questions(untouched, name):
    for parameter in OPERATIONS[name][2].get("parameters", []):
        if parameter["in"] != "query":
            continue
        ask = parameter["name"]
        assert told(untouched.send(name, query=f"?{ask}=%00"))[:2] == (400, "api.control_characters")
        kinds = {one.get("type") for one in resolved(parameter["schema"])}
        if ask == "cursor" or kinds & {"integer", "boolean"}:
            assert told(untouched.send(name, query=f"?{ask}=no%20such"))[0] == 422, ask


def test_the_clock_of_these_tests_is_behind_the_doors():
    assert clock.now() > NOW
