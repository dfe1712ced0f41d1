"""Callers of the small API, with real keys."""

import json
from types import SimpleNamespace

import pytest

from retention.actors import Actor
from retention.doors.keys import create_key


@pytest.fixture
def new_key(now):
    """A function that makes a key with these scopes."""

    def make(name, *scopes):
        return create_key(name=name, scopes=scopes, known=scopes, now=now, by=Actor.command("test"))

    return make


@pytest.fixture
def caller(db, settings, client, new_key):
    """`caller.post(path, data)` and `caller.get(path)` with a key that may do everything on the small API."""
    settings.ROOT_URLCONF = "tests.doors.small_api"
    made = new_key("caller", "rates:read", "rates:write")
    auth = {"authorization": f"Bearer {made.secret}"}

    def post(path, data=None, *, idempotency="k1", raw=None, content_type="application/json", headers=None):
        sent = {**auth, **({"idempotency-key": idempotency} if idempotency else {}), **(headers or {})}
        body = raw if raw is not None else json.dumps(data)
        return client.post(f"/api/v1/{path}", body, content_type=content_type, headers=sent)

    def get(path, headers=None):
        return client.get(f"/api/v1/{path}", headers={**auth, **(headers or {})})

    return SimpleNamespace(post=post, get=get, key=made.key, secret=made.secret, client=client)
