"""What the checkout is told about shoppers: their tiers."""

import pytest

from retention.customers.models import Customer
from retention.incentives.models import ShopperTier
from retention.incentives.operations import drop_tiers, put_tiers

pytestmark = pytest.mark.django_db


def held() -> set[tuple[str, str, str]]:
    return {*ShopperTier.objects.values_list("customer__reference", "programme", "tier")}


def test_tiers_are_put_changed_and_taken_in_one_call(now):
    anna, boris, clara = (Customer.objects.create(reference=who, recorded_at=now).pk for who in ("a", "b", "c"))
    put_tiers(programme="club", customer_ids=[anna, boris], tiers=["silver", "gold"])
    put_tiers(programme="cash", customer_ids=[anna], tiers=["one"])
    assert held() == {("a", "club", "silver"), ("b", "club", "gold"), ("a", "cash", "one")}
    put_tiers(programme="club", customer_ids=[anna, boris, clara], tiers=["gold", "", "silver"])
    assert held() == {("a", "club", "gold"), ("c", "club", "silver"), ("a", "cash", "one")}
    assert drop_tiers(programme="club") == 2
    assert held() == {("a", "cash", "one")}
