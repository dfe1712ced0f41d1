"""A shop for the tests of experiments."""

import pytest

from retention.shop.models import Shop


@pytest.fixture
def shop_row(db):
    return Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR", languages=["en"])
