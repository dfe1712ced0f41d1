"""A shop with a catalogue, and the one way in."""

import json
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from retention.actors import Actor
from retention.customers import seeds
from retention.customers.models import AttributeDefinition
from retention.doors.keys import create_key
from retention.doors.seeds import seed as seed_roles
from retention.shop.models import Shop, Staff
from retention.work.ingest import ingest

BY = Actor.command("test")


@pytest.fixture
def shop(db, now):
    seeds.seed(now=now)
    return Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR", country="DE")


@pytest.fixture
def bring(shop, now):
    """A function that brings rows in and insists that all of them are: its result."""

    def bring_in(kind, *rows, **options):
        result = ingest(kind, rows, now=options.pop("now", now), by=BY, **options)
        assert not result.refused, result.refused
        return result

    return bring_in


@pytest.fixture
def refused(shop, now):
    """A function that brings rows in that are refused: (line, column, code) of everything that is wrong."""

    def bring_in(kind, *rows, **options):
        result = ingest(kind, rows, now=now, by=BY, **options)
        assert not result.is_written or options.get("good_only")
        assert all(error.message and "%(" not in error.message for error in result.refused)
        return [(error.line, error.column, error.code) for error in result.refused]

    return bring_in


@pytest.fixture
def catalogue(bring):
    bring(
        "products",
        {"sku": "LP", "name": "Record", "price": "12.00", "currency": "EUR", "category": "Music/Vinyl"},
        {"sku": "CD", "name": "Disc", "price_minor": 500, "currency": "EUR", "category": "Music/CD"},
    )


@pytest.fixture
def order():
    """A function that makes a paid order of one LP and one CD, 20.00 with shipping."""

    def make(reference="O1", **changes):
        return {
            "reference": reference,
            "email": "guest@example.com",
            "state": "paid",
            "currency": "EUR",
            "total": "20.00",
            "shipping": "3.00",
            "placed_at": "2026-05-01T10:00:00Z",
            "lines": [
                {"sku": "LP", "quantity": 1, "unit_price": "12.00"},
                {"sku": "CD", "quantity": 1, "unit_price_minor": 500},
            ],
            **changes,
        }

    return make


@pytest.fixture
def sizes(shop):
    AttributeDefinition.objects.create(key="size", label="Size", kind="choice", choices=["S", "M"])
    AttributeDefinition.objects.create(key="height", label="Height", kind="number")
    AttributeDefinition.objects.create(key="vegan", label="Vegan", kind="yes/no")
    AttributeDefinition.objects.create(key="joined", label="Joined", kind="date")


@pytest.fixture
def api(shop, client, now):
    """`api.post(path, data)`, `api.patch`, `api.get` with a key that may do everything here."""
    scopes = ["customers:read", "customers:write", "consents:write", "products:read", "products:write", "orders:read"]
    scopes += ["orders:write", "activities:write", "ingest:write"]
    secret = create_key(name="shop", scopes=scopes, known=scopes, now=now, by=BY).secret
    numbers = iter(range(1_000))

    def send(method, path, data=None, *, raw=None):
        headers = {"authorization": f"Bearer {secret}", "idempotency-key": f"k{next(numbers)}"}
        body = raw if raw is not None else json.dumps(data)
        call = getattr(client, method)
        return call(f"/api/v1/{path}", body, content_type="application/json", headers=headers)

    def get(path):
        return client.get(f"/api/v1/{path}", headers={"authorization": f"Bearer {secret}"})

    return SimpleNamespace(
        post=lambda path, data=None, raw=None: send("post", path, data, raw=raw),
        patch=lambda path, data: send("patch", path, data),
        get=get,
    )


@pytest.fixture
def log_in(shop, client, now):
    """A function that logs somebody of a role in."""
    seed_roles(now=now)

    def as_role(role):
        person = Staff.objects.create_user(role.replace(" ", "-") or "nobody", is_staff=True)
        if role:
            person.groups.add(Group.objects.get(name=role))
        client.force_login(person)
        return client

    return as_role


@pytest.fixture
def lead(log_in):
    return log_in("marketing lead")


@pytest.fixture
def upload(lead):
    """A function that uploads a file of a kind, or of what the page finds out, and follows to the next page."""

    def send(kind, text, name="rows.csv", **data):
        content = text if isinstance(text, bytes) else text.encode()
        file = SimpleUploadedFile(name, content)
        what = f"kind:{kind}" if kind else ""
        return lead.post(reverse("admin:work_import_upload"), {"file": file, "what": what, **data}, follow=True)

    return send
