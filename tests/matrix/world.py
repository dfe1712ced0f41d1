"""A small shop in which every fact of the bad-input tables can go wrong, and one good row of every kind of import."""

import datetime as dt
from typing import Any

from django.db import connection

from campaigns.operations import create_from_playbook
from retention.actors import Actor
from retention.customers import seeds
from retention.customers.models import AttributeDefinition, Customer
from retention.incentives import operations as incentives
from retention.incentives.models import Incentive
from retention.incentives.rules import IncentiveRule
from retention.ledger import operations as ledger
from retention.shop.models import Shop
from retention.work.ingest import ingest

NOW = dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)
BY = Actor.command("test")

#: One row of each kind that is welcome in this shop.
GOOD: dict[str, dict[str, Any]] = {
    "customers": {"reference": "new", "email": "new@example.com", "country": "DE"},
    "products": {"sku": "MUG", "name": "Mug", "price": "5.00", "currency": "EUR"},
    "stock": {"sku": "CD", "place": "Mitte", "quantity": 7},
    "orders": {
        "reference": "N1", "email": "guest@example.com", "state": "paid", "currency": "EUR", "total": "17.00",
        "placed_at": "2026-05-01T10:00:00Z",
        "lines": [{"sku": "LP", "quantity": 1, "unit_price": "12.00"}, {"sku": "CD", "quantity": 1, "unit_price": "5"}],
    },
    "returns": {
        "reference": "N1", "order_reference": "O1", "amount": "5.00", "occurred_at": "2026-05-05T10:00:00Z",
        "lines": [{"sku": "CD", "quantity": 1}],
    },
    "consents": {
        "reference": "n1", "customer": "a", "channel": "email", "purpose": "marketing", "event": "given",
        "source": "popup", "occurred_at": "2026-05-01T10:00:00Z",
    },
    "activities": {"reference": "n1", "customer": "a", "kind": "shared", "occurred_at": "2026-05-01T10:00:00Z"},
    "codes": {"code": "NEW111", "incentive": "Handout"},
    "suppressions": {"email": "gone@example.com", "why": "bounce"},
}  # fmt: skip


def furnish() -> None:
    """Customers a, b, one without an address and one merged; orders O1 to O4; a return R1; offers of every sort."""
    seeds.seed(now=NOW)
    Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR", languages=["en"], country="DE")
    for key, kind in (("height", "number"), ("vegan", "yes/no"), ("joined", "date"), ("nick", "text")):
        AttributeDefinition.objects.create(key=key, label=key.title(), kind=kind)
    AttributeDefinition.objects.create(key="size", label="Size", kind="choice", choices=["S", "M"])
    bring("customers", {"reference": "a", "email": "a@example.com"}, {"reference": "b", "email": "b@example.com"})
    bring("customers", {"reference": "silent"})
    a = Customer.objects.get(reference="a")
    Customer.objects.create(reference="merged", merged_into=a, recorded_at=NOW)
    bring(
        "products",
        {"sku": "LP", "name": "Record", "price": "12.00", "currency": "EUR"},
        {"sku": "CD", "name": "Disc", "price": "5.00", "currency": "EUR"},
    )
    bring("stock", {"sku": "LP", "place": "Mitte", "quantity": 3})
    order = {**GOOD["orders"], "customer": "a", "email": ""}
    twice = [{"sku": "LP", "quantity": 1, "unit_price": "12.00"}] * 2
    bring("orders", {**order, "reference": "O1"}, {**order, "reference": "O2", "total": "24.00", "lines": twice})
    bring("orders", {**order, "reference": "O3", "state": "cancelled"}, {**order, "reference": "O4"})
    bring("returns", {**GOOD["returns"], "reference": "R1", "order_reference": "O4"})
    for name in ("Handout", "Other", "Twin", "Twin", "Draft"):
        offer(name, is_live=name != "Draft", codes={"kind": "unique"})
    offer("Public", is_live=True, codes={"kind": "public", "text": "WELCOME"})
    bring("codes", {"code": "TAKEN1", "incentive": "Other"})
    ledger.money_unit(purpose="store_credit", currency="EUR", now=NOW, by=BY)
    create_from_playbook(key="win_back", now=NOW, by=BY)


def offer(name: str, *, is_live: bool, codes: dict[str, Any], effects: Any = None) -> Incentive:
    rule = {"name": name, "effects": effects or [{"kind": "percent", "basis_points": 1_000}], "codes": codes}
    made = incentives.create_incentive(rule=IncentiveRule.model_validate(rule), now=NOW, by=BY)
    return incentives.go_live(incentive_id=made.pk, now=NOW, by=BY) if is_live else made


def give(incentive: Incentive, source: str) -> None:
    """Grant it to customer a."""
    who = {"customer_ids": [Customer.objects.get(reference="a").pk], "origin": "test", "origin_ids": [1]}
    incentives.grant(incentive_id=incentive.pk, sources=[source], now=NOW, by=BY, **who)


def bring(kind: str, *rows: dict[str, Any]) -> None:
    result = ingest(kind, rows, now=NOW, by=BY)
    assert result.is_written, result.refused


#: Written whenever a key is used or counted; it says nothing about what the request did.
_NOT_FACTS = ("doors_apikey",)


def row_counts() -> dict[str, int]:
    """How many rows every table has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall() if name not in _NOT_FACTS]
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}', count(*) FROM \"{name}\"" for name in tables))  # noqa: S608
        return dict(cursor.fetchall())
