"""Members of staff of every role, with real log-ins."""

import pytest
from django.test import Client

from retention.actors import Actor
from retention.doors import seeds
from retention.doors.operations.shop import save_shop
from retention.doors.operations.staff import Person, create_staff
from retention.doors.roles import ROLES

PASSWORD = "open sesame 42"


@pytest.fixture
def shop(db, now):
    values = {"name": "Shop", "time_zone": "Europe/Berlin", "currency": "EUR", "languages": ["en", "ko"]}
    return save_shop(values=values, edited=None, now=now, by=Actor.command("test"))


@pytest.fixture
def person(db, now):
    """A function that makes a member of staff with these roles: `person("mina", "marketer")`."""
    seeds.seed(now=now)

    def make(username, *roles):
        return create_staff(person=Person(username, roles=roles), password=PASSWORD, now=now, by=Actor.command("test"))

    return make


@pytest.fixture
def as_role(person):
    """A function that gives a logged-in client of one role; "" is staff without any."""
    assert {key for key, _label in ROLES.values()}

    def log_in(role):
        client = Client()
        user = person(role.replace(" ", "_") or "nobody", *filter(None, [role]))
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        client.user = user
        return client

    return log_in
