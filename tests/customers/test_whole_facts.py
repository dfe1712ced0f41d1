"""Facts as a shop tells them, every field at once: what was said over HTTP is what is read there again."""

import datetime as dt

import pytest

from retention import clock
from retention.customers.models import Customer, Price, Return, Stock

DAY = "2026-05-01T10:00:00Z"


def test_a_whole_customer(api, sizes):
    said = {
        "reference": "anna", "email": "Anna@Example.com", "phone": "+4915112345678", "given_name": "Anna",
        "family_name": "Meyer", "birthday": "02-29", "address": "Leaf Lane 1", "postcode": "20095", "city": "Hamburg",
        "region": "HH", "country": "DE", "language": "de", "time_zone": "Europe/Berlin", "preferred_channel": "sms",
        "interests": ["jazz", "tea"], "source": "fair", "acquisition_cost_minor": 250, "acquisition_currency": "EUR",
        "signed_up_at": DAY,
        "attributes": {
            "size": {"value": "M", "how": "asked"}, "height": {"value": 170, "how": "inferred"}, "vegan": True,
        },
    }  # fmt: skip
    made = api.post("customers/", said)
    assert made.status_code == 201, made.content
    read = api.get(f"customers/{made.json()['id']}/").json()
    attributes = {
        "size": {"value": "M", "how": "asked"}, "height": {"value": 170, "how": "inferred"},
        "vegan": {"value": True, "how": "imported"},
    }  # fmt: skip
    assert {name: read[name] for name in said} == {**said, "attributes": attributes}
    assert Customer.objects.get().email_normal == "anna@example.com"
    guessed = {"attributes": {"size": {"value": "M", "how": "guessed"}}}
    (error,) = api.patch(f"customers/{read['id']}/", guessed).json()["errors"]
    assert (error["pointer"], error["code"]) == ("/attributes/size", "not_an_attribute")


def test_a_whole_product_its_prices_and_its_stock(api, bring):
    said = {
        "sku": "LP", "name": "Record", "category": "Music/Jazz", "currency": "EUR", "price_minor": 1200,
        "minimum_price_minor": 900, "unit_cost_minor": 500, "compare_at_minor": 1500, "is_low_margin": True,
        "tags": ["jazz"], "season_from": "2026-11-01", "season_until": "2027-01-01", "launched_on": "2026-04-01",
        "replenish_days": 30, "url": "https://shop.example.com/lp", "how_to_url": "https://shop.example.com/how",
        "image_url": "https://shop.example.com/lp.jpg",
    }  # fmt: skip
    assert api.post("products/", said).status_code == 200
    assert {name: value for name, value in api.get("products/LP/").json().items() if name != "archived_at"} == said
    later = clock.now() + dt.timedelta(days=1)
    bring("products", {"sku": "LP", "price_minor": 1000, "compare_at_minor": 1200}, now=later)
    (newest, first) = Price.objects.order_by("-starts_at")
    assert (newest.price_minor, newest.compare_at_minor, newest.starts_at) == (1000, 1200, later)
    assert (first.price_minor, first.compare_at_minor) == (1200, 1500)
    rows = [{"sku": "LP", "place": "Hamburg", "quantity": 3}, {"sku": "LP", "place": "web", "quantity": 40}]
    assert api.post("ingest/stock/", {"rows": rows}).json()["new"] == 2
    assert dict(Stock.objects.values_list("place", "quantity")) == {"Hamburg": 3, "web": 40}


def test_a_whole_order_and_what_became_of_it(api, catalogue):
    lines = [
        {"sku": "LP", "quantity": 2, "unit_price_minor": 1200, "discount_minor": 400},
        {"sku": "CD", "quantity": 1, "unit_price_minor": 500, "discount_minor": 0},
    ]
    said = {
        "reference": "O1", "email": "guest@example.com", "state": "placed", "currency": "EUR", "total_minor": 2690,
        "shipping_minor": 490, "discount_minor": 300, "tax_minor": 380, "channel": "web", "store": "online",
        "payment_method": "card", "address": "Leaf Lane 1", "city": "Hamburg", "region": "HH", "postcode": "20095",
        "country": "DE", "codes": ["SAVE"], "placed_at": DAY, "lines": lines,
    }  # fmt: skip
    made = api.post("orders/", said)
    assert made.status_code == 200, made.content
    read = made.json()
    assert {name: read[name] for name in said if name != "lines"} == {
        name: value for name, value in said.items() if name != "lines"
    }
    assert [{name: line[name] for name in lines[0]} for line in read["lines"]] == lines
    assert [line["total_minor"] for line in read["lines"]] == [2000, 500]
    # The guest is a customer without a reference, and whoever signs up with that email is she.
    guest = read["customer"]
    assert api.post("customers/", {"reference": "gus", "email": "GUEST@example.com"}).json()["id"] == guest
    for state in ("paid", "fulfilled"):
        assert api.post("orders/", {"reference": "O1", "state": state}).json()["state"] == state
    back = {"order_reference": "O1", "reason": "faulty", "occurred_at": "2026-05-05T10:00:00Z"}
    part = {**back, "reference": "R1", "amount_minor": 1000, "lines": [{"sku": "LP", "quantity": 1}]}
    rest = {**back, "reference": "R2", "amount_minor": 1690}
    rest["lines"] = [{"sku": "LP", "quantity": 1}, {"sku": "CD", "quantity": 1}]
    assert api.post("returns/", part).json()["state"] == "partially_returned"
    assert api.post("returns/", rest).json()["state"] == "returned"
    assert list(Return.objects.order_by("reference").values_list("reason", "lines__quantity")) == [
        ("faulty", 1), ("faulty", 1), ("faulty", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("state", ["placed", "paid", "fulfilled", "cancelled"])
def test_every_state_an_order_can_be_told_in(api, catalogue, order, state):
    lines = [{"sku": "LP", "quantity": 1, "unit_price_minor": 1200}]
    said = {"reference": state, "state": state, "currency": "EUR", "placed_at": DAY, "email": "g@example.com"}
    assert api.post("orders/", {**said, "lines": lines}).json()["state"] == state
