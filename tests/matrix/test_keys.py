"""Every endpoint × {no key, nonsense, unknown, revoked, all scopes but its own, its own}, from the OpenAPI document."""

import re

import pytest

from retention.actors import Actor
from retention.api.mount import api
from retention.doors.endpoints import scopes
from retention.doors.keys import create_key, revoke_key

pytestmark = pytest.mark.django_db

DOCUMENT = api.get_openapi_schema(path_prefix="/api/v1/")
OPERATIONS = [
    (method, path, operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()
]
IDS = [f"{method} {path}" for method, path, _operation in OPERATIONS]
SAMPLE = {"integer": "1", "uuid": "00000000-0000-7000-8000-000000000001"}

every_operation = pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=IDS)


def address(path, operation):
    kinds = {
        parameter["name"]: SAMPLE.get(parameter["schema"].get("format") or parameter["schema"].get("type"), "x")
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "path"
    }
    return re.sub(r"\{(\w+)\}", lambda match: kinds[match[1]], path)


@pytest.fixture
def knock(client, now):
    """A function that asks an operation with the secret of a key."""

    def ask(method, path, operation, secret=None, scheme="Bearer"):
        headers = {"idempotency-key": "matrix"}
        if secret is not None:
            headers["authorization"] = f"{scheme} {secret}"
        send = getattr(client, method)
        body = {} if method == "get" else {"data": "{}", "content_type": "application/json"}
        return send(address(path, operation), headers=headers, **body)

    return ask


@pytest.fixture
def key(now):
    def make(name, *wanted):
        return create_key(name=name, scopes=wanted, known=scopes, now=now, by=Actor.command("test"))

    return make


def test_the_document_is_not_empty():
    assert OPERATIONS
    assert {operation["x-scope"] for _method, _path, operation in OPERATIONS} <= scopes


@every_operation
def test_every_operation_states_its_scope_and_every_no(method, path, operation):
    assert re.fullmatch(r"[a-z_]+:[a-z_]+", operation["x-scope"])
    assert operation["security"] == [{"ApiKey": []}]
    assert {"401", "403", "404", "422", "429", "500"} <= {str(status) for status in operation["responses"]}
    for status, answer in operation["responses"].items():
        if int(status) >= 400:
            assert list(answer["content"]) == ["application/problem+json"], status
    if method != "get":
        assert {"409", "413", "415"} <= {str(status) for status in operation["responses"]}


@every_operation
def test_strangers_stay_outside(knock, key, now, method, path, operation):
    revoked = key("revoked", *scopes)
    revoke_key(key_id=revoked.key.pk, now=now, by=Actor.command("test"))
    good = key("good", *scopes)
    for secret, scheme in [
        (None, "Bearer"),
        ("", "Bearer"),
        ("nonsense", "Bearer"),
        ("rk_unknown", "Bearer"),
        (revoked.secret, "Bearer"),
        (good.secret, "Basic"),
        (good.secret[:-1], "Bearer"),
    ]:
        response = knock(method, path, operation, secret, scheme)
        assert response.status_code == 401, (secret and secret[:5], scheme, response.content)
        assert response.json()["code"] == "api.not_authenticated"


@every_operation
def test_all_wrong_scopes_are_refused_and_the_right_one_is_let_in(knock, key, method, path, operation):
    """A key is refused with all the others at once, so also with each of them."""
    wanted = operation["x-scope"]
    response = knock(method, path, operation, key("all but one", *sorted(scopes - {wanted})).secret)
    assert (response.status_code, response.json()["code"]) == (403, "api.scope_missing")
    let_in = knock(method, path, operation, key("right", wanted).secret)
    assert let_in.status_code not in (401, 403, 405), let_in.content
    assert let_in.status_code < 500, let_in.content
