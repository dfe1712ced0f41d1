"""Facts over HTTP: precise answers, nothing half written."""

import uuid

import pytest

from retention.customers.models import Activity, Consent, ConsentState, Customer, Order


def _errors(response):
    assert response.status_code == 422, response.content
    assert response["Content-Type"] == "application/problem+json"
    return [(error["pointer"], error["code"]) for error in response.json()["errors"]]


def test_a_customer_is_made_changed_and_read(api):
    made = api.post("customers/", {"reference": "a", "email": "a@example.com", "birthday": "05-17"})
    assert made.status_code == 201
    public_id = made.json()["id"]
    assert api.post("customers/", {"reference": "a", "city": "Bonn"}).status_code == 200
    changed = api.patch(f"customers/{public_id}/", {"given_name": "Ann"})
    assert (changed.json()["city"], changed.json()["given_name"], changed.json()["birthday"]) == (
        "Bonn",
        "Ann",
        "05-17",
    )
    read = api.get(f"customers/{public_id}/").json()
    assert read["statistics"]["orders"] == 0
    assert [c["id"] for c in api.get("customers/?email=A@example.com").json()["items"]] == [public_id]
    assert api.get("customers/?reference=zzz").json()["items"] == []


def test_bad_customers_are_told_by_pointer(api):
    assert _errors(api.post("customers/", {"reference": "a", "country": "XX", "time_zone": "Mars"})) == [
        ("/country", "unknown_country"), ("/time_zone", "unknown_zone"),
    ]  # fmt: skip
    assert _errors(api.post("customers/", {"reference": "a", "shoe": 1}))[0][1] == "extra_forbidden"
    assert _errors(api.post("customers/", {"reference": 5}))[0][1] == "string_type"
    assert _errors(api.post("customers/", {"reference": "a", "attributes": {"x": 1}})) == [
        ("/attributes/x", "undeclared_attribute")
    ]
    assert api.post("customers/", raw='{"reference": "a\\u0000"}').status_code == 400
    assert api.post("customers/", raw='{"reference": ').status_code == 400
    assert not Customer.objects.exists()


def test_consent_is_given_and_withdrawn(api):
    public_id = api.post("customers/", {"email": "a@example.com"}).json()["id"]
    said = {"channel": "email", "event": "given", "source": "popup"}
    given = api.post(f"customers/{public_id}/consents/", said)
    assert [(c["purpose"], c["is_given"]) for c in given.json()] == [("marketing", True)]
    api.post(f"customers/{public_id}/consents/", {**said, "event": "withdrawn"})
    assert ConsentState.objects.get().is_given is False
    assert _errors(api.post(f"customers/{public_id}/consents/", {**said, "channel": "sms"})) == [
        ("/address", "no_address")
    ]
    assert api.post(f"customers/{uuid.uuid4()}/consents/", said).status_code == 404


def test_a_consent_is_asked_and_shown_as_asked(api):
    public_id = api.post("customers/", {"email": "a@example.com", "phone": "+4915112345678"}).json()["id"]
    said = {"channel": "email", "event": "asked", "source": "popup", "wording": "v2", "proof": "form 7"}
    (asked,) = api.post(f"customers/{public_id}/consents/", said).json()
    assert (asked["purpose"], asked["is_given"], asked["occurred_at"]) == ("marketing", False, None)
    assert asked["asked_at"] is not None
    assert api.get(f"customers/{public_id}/consents/").json() == [asked]
    row = Consent.objects.get()
    assert (row.event, row.source, row.wording, row.proof.text) == ("asked", "popup", "v2", "form 7")
    assert not ConsentState.objects.exists()
    for changes, wrong in [
        ({"channel": "sms"}, ("/event", "cannot_be_asked")),
        ({"purpose": "transactional"}, ("/event", "cannot_be_asked")),
        ({"purpose": "spam"}, ("/purpose", "unknown_purpose")),
        ({"event": "expired"}, ("/event", "literal_error")),
        ({"expires_at": "2020-01-01T00:00:00Z"}, ("/expires_at", "ends_too_early")),
        ({"expires_at": "2030-01-01"}, ("/expires_at", "timezone_aware")),
    ]:
        assert _errors(api.post(f"customers/{public_id}/consents/", {**said, **changes}))[0] == wrong
    assert Consent.objects.count() == 1


def test_a_consent_that_ends_says_so(api):
    public_id = api.post("customers/", {"email": "a@example.com"}).json()["id"]
    said = {"channel": "email", "event": "given", "source": "contest", "expires_at": "2100-01-01T00:00:00Z"}
    (given,) = api.post(f"customers/{public_id}/consents/", said).json()
    assert (given["is_given"], given["expires_at"]) == (True, "2100-01-01T00:00:00Z")


def test_an_order_its_return_and_their_errors(api):
    product = {"sku": "LP/1", "name": "Record", "price_minor": 1200, "currency": "EUR"}
    assert api.post("products/", product).json()["price_minor"] == 1200
    assert api.get("products/LP/1/").json()["name"] == "Record"
    order = {
        "reference": "O1", "email": "g@example.com", "state": "paid", "currency": "EUR", "total_minor": 1200,
        "placed_at": "2026-05-01T10:00:00Z", "lines": [{"sku": "LP/1", "quantity": 1, "unit_price_minor": 1200}],
    }  # fmt: skip
    assert _errors(api.post("orders/", {**order, "total_minor": 1})) == [("/total_minor", "total_does_not_add_up")]
    assert _errors(api.post("orders/", {**order, "lines": [{**order["lines"][0], "sku": "no"}]})) == [
        ("/lines/0/sku", "unknown_product")
    ]
    assert not Order.objects.exists()
    assert api.post("orders/", order).json()["base_minor"] == 1200
    back = {"reference": "R1", "order_reference": "O1", "amount_minor": 1200, "occurred_at": "2026-05-02T10:00:00Z"}
    assert api.post("returns/", {**back, "lines": [{"sku": "LP/1", "quantity": 1}]}).json()["state"] == "returned"
    assert api.get("orders/O1/").json()["lines"][0]["returned_quantity"] == 1
    assert api.get("orders/no/").status_code == 404


def test_activities_one_by_one(api):
    activity = {"visitor_key": "v", "kind": "shared", "occurred_at": "2026-05-01T10:00:00Z", "reference": "1"}
    assert api.post("activities/", activity).status_code == 201
    assert api.post("activities/", activity).status_code == 200
    assert _errors(api.post("activities/", {**activity, "kind": "danced", "reference": "2"})) == [
        ("/kind", "unknown_kind")
    ]
    assert _errors(api.post("activities/", {**activity, "occurred_at": "2026-05-01T10:00:00"}))[0][0] == "/occurred_at"
    assert Activity.objects.count() == 1


class TestBatches:
    def test_all_or_nothing_with_pointers(self, api):
        rows = [{"reference": "a"}, {"reference": "b", "country": "XX"}]
        assert _errors(api.post("ingest/customers/", {"rows": rows})) == [("/rows/1/country", "unknown_country")]
        assert not Customer.objects.exists()

    def test_the_good_ones_where_asked(self, api):
        rows = [{"reference": "a"}, {"reference": "b", "country": "XX"}]
        answer = api.post("ingest/customers/", {"rows": rows, "good_only": True}).json()
        assert {name: answer[name] for name in ("new", "changed", "unchanged", "refused")} == {
            "new": 1, "changed": 0, "unchanged": 0, "refused": 1,
        }  # fmt: skip
        assert answer["errors"][0]["pointer"] == "/rows/1/country"

    def test_a_dry_run_writes_nothing(self, api):
        answer = api.post("ingest/customers/", {"rows": [{"reference": "a"}], "dry_run": True})
        assert answer.json()["new"] == 1
        assert not Customer.objects.exists()

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"rows": []}, "/rows"),
            ({"rows": [{}] * 5_001}, "/rows"),
            ({"rows": ["x"]}, "/rows/0"),
            ({"rows": {}}, "/rows"),
            ({}, "/rows"),
            ({"rows": [{}], "more": 1}, "/more"),
        ],
    )
    def test_what_is_no_batch(self, api, body, pointer):
        assert pointer in {error[0].replace("/body", "") for error in _errors(api.post("ingest/customers/", body))}

    def test_an_unknown_kind_is_nowhere(self, api):
        assert api.post("ingest/shoes/", {"rows": [{}]}).status_code == 404
