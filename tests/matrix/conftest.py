"""Members of staff of every role, and a shop that was saved twice."""

import pytest

from retention.actors import Actor
from retention.doors.operations.shop import save_shop
from tests.console.conftest import as_role, person

__all__ = ["as_role", "person", "shop"]


@pytest.fixture
def shop(db, now):
    values = {"name": "Shop", "time_zone": "Europe/Berlin", "currency": "EUR", "languages": ["en"]}
    save_shop(values=values, edited=None, now=now, by=Actor.command("test"))
    return save_shop(values={"name": "The shop"}, edited=1, now=now, by=Actor.command("test"))
