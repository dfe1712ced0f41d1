"""Customers in bulk: what is matched, merged, adopted and refused."""

import pytest
from django.db import IntegrityError

from retention.actors import Actor
from retention.audit.models import AuditEntry
from retention.customers.models import Customer, CustomerStats
from retention.customers.operations import BadFacts, CustomerGone, save_customer
from retention.work.ingest import ingest

BY = Actor.command("test")


def test_a_row_becomes_a_customer_with_her_statistics(bring, now):
    result = bring(
        "customers",
        {
            "reference": " a ",
            "email": " Ann@Example.com ",
            "phone": "0151 12345678",
            "birthday": "1990-05-17",
            "country": "de",
            "language": "pt_BR",
            "interests": "jazz, vinyl",
            "signed_up_at": "2026-01-31 10:00",
            "acquisition_cost": "1.50",
            "acquisition_currency": "EUR",
        },
    )
    assert (result.new, result.changed, result.unchanged, result.is_written) == (1, 0, 0, True)
    customer = Customer.objects.get(reference="a")
    assert customer.email_normal == "ann@example.com"
    assert customer.phone == "+4915112345678"
    assert (customer.birth_year, customer.birth_month, customer.birth_day) == (1990, 5, 17)
    assert (customer.country, customer.language, customer.interests) == ("DE", "pt-BR", ["jazz", "vinyl"])
    assert customer.signed_up_at.isoformat() == "2026-01-31T09:00:00+00:00"  # the shop lives in Berlin
    assert (customer.acquisition_cost_minor, customer.recorded_at) == (150, now)
    assert not CustomerStats.objects.exists(), "she has done nothing yet"


def test_the_same_rows_again_change_nothing_not_even_the_mark(bring):
    row = {
        "reference": "a",
        "email": "a@example.com",
        "phone": "0151 12345678",
        "birthday": "02-29",
        "interests": ["x"],
    }
    bring("customers", row)
    before = Customer.objects.values().get()
    result = bring("customers", row)
    assert (result.new, result.changed, result.unchanged) == (0, 0, 1)
    assert Customer.objects.values().get() == before


def test_what_is_not_said_stays_and_what_is_blank_is_blanked(bring):
    bring("customers", {"reference": "a", "city": "Bonn", "given_name": "Ann", "birthday": "1990-05-17"})
    bring("customers", {"reference": "a", "given_name": "Anna"}, {"reference": "b", "city": "Köln"})
    bring("customers", {"reference": "a", "birthday": ""}, {"reference": "b", "given_name": "Bea"})
    a, b = Customer.objects.order_by("reference")
    assert (a.given_name, a.city, a.birth_month) == ("Anna", "Bonn", None)
    assert (b.given_name, b.city) == ("Bea", "Köln")


def test_a_sign_up_adopts_the_guest_of_its_email(bring, catalogue, order):
    bring("orders", order())
    guest = Customer.objects.get()
    assert guest.reference is None
    result = bring("customers", {"reference": "a", "email": "GUEST@example.com", "given_name": "Gus"})
    assert (result.new, result.changed) == (0, 1)
    adopted = Customer.objects.get()
    assert (adopted.pk, adopted.reference, adopted.given_name) == (guest.pk, "a", "Gus")


def test_without_a_reference_the_email_says_who(bring):
    bring("customers", {"reference": "a", "email": "a@example.com"})
    result = bring("customers", {"email": "A@example.com", "city": "Bonn"}, {"email": "new@example.com"})
    assert (result.new, result.changed) == (1, 1)
    assert Customer.objects.get(reference="a").city == "Bonn"


BAD = [
    ({"reference": "a", "email": "nobody"}, "email", "not_an_email"),
    ({"reference": "a", "email": "a@-b.example.com"}, "email", "not_an_email"),
    ({"reference": "a" * 101}, "reference", "too_long"),
    ({"email": "x" * 250 + "@example.com"}, "email", "too_long"),
    ({"reference": "a", "phone": "12"}, "phone", "not_a_phone"),
    ({"reference": "a", "phone": "call me"}, "phone", "not_a_phone"),
    ({"reference": "a", "birthday": "1990-02-30"}, "birthday", "not_a_birthday"),
    ({"reference": "a", "birthday": "2023-02-29"}, "birthday", "not_a_birthday"),
    ({"reference": "a", "birthday": "17.05.1990"}, "birthday", "not_a_birthday"),
    ({"reference": "a", "birthday": "1790-05-17"}, "birthday", "out_of_range"),
    ({"reference": "a", "birthday": "2027-05-17"}, "birthday", "out_of_range"),
    ({"reference": "a", "country": "Germany"}, "country", "unknown_country"),
    ({"reference": "a", "country": "XX"}, "country", "unknown_country"),
    ({"reference": "a", "language": "klingon"}, "language", "unknown_language"),
    ({"reference": "a", "time_zone": "Mars/Olympus"}, "time_zone", "unknown_zone"),
    ({"reference": "a", "preferred_channel": "fax"}, "preferred_channel", "not_a_choice"),
    ({"reference": "a", "signed_up_at": "yesterday"}, "signed_up_at", "not_a_time"),
    ({"reference": "a", "signed_up_at": "01/02/2026"}, "signed_up_at", "not_a_time"),
    ({"reference": "a", "signed_up_at": "2026-02-30 10:00"}, "signed_up_at", "not_a_time"),
    ({"reference": "a", "signed_up_at": "2031-01-01"}, "signed_up_at", "in_the_future"),
    ({"reference": "a", "signed_up_at": "1066-10-14"}, "signed_up_at", "out_of_range"),
    ({"reference": "a", "interests": [1, 2]}, "interests", "not_words"),
    ({"reference": "a", "interests": "x" * 61}, "interests", "too_long"),
    ({"reference": "a", "interests": {"a": 1}}, "interests", "wrong_type"),
    ({"reference": "a", "given_name": ["Ann"]}, "given_name", "wrong_type"),
    ({"reference": "a", "given_name": True}, "given_name", "wrong_type"),
    ({"reference": "a", "given_name": "A\0nn"}, "given_name", "control_character"),
    ({"reference": "a", "given_name": "Ann\nBcc: x"}, "given_name", "control_character"),
    ({"reference": "a", "given_name": "\ud800"}, "given_name", "control_character"),
    ({"reference": "a", "acquisition_cost": "1,50", "acquisition_currency": "EUR"}, "acquisition_cost", "not_an_amount"),  # noqa: E501
    ({"reference": "a", "acquisition_cost": "1.505", "acquisition_currency": "EUR"}, "acquisition_cost", "too_many_digits"),  # noqa: E501
    ({"reference": "a", "acquisition_cost": "150.5", "acquisition_currency": "JPY"}, "acquisition_cost", "too_many_digits"),  # noqa: E501
    ({"reference": "a", "acquisition_cost": "-1", "acquisition_currency": "EUR"}, "acquisition_cost", "negative"),
    ({"reference": "a", "acquisition_cost": "1", "acquisition_currency": "EURO"}, "acquisition_currency", "unknown_currency"),  # noqa: E501
    ({"reference": "a", "acquisition_cost": "1"}, "acquisition_currency", "no_currency"),
    ({"reference": "a", "acquisition_cost_minor": "1.5", "acquisition_currency": "EUR"}, "acquisition_cost_minor", "not_minor_units"),  # noqa: E501
    ({"given_name": "Ann"}, "reference", "no_key"),
    ({"reference": "a", "shoe": 1}, "shoe", "unknown_column"),
    ({"reference": "a", "own_id": 1}, "own_id", "unknown_column"),
    ({"reference": "a", "attributes": {"colour": "red"}}, "attributes.colour", "undeclared_attribute"),
    ({"reference": "a", "attributes.colour": "red"}, "attributes.colour", "undeclared_attribute"),
    ({"reference": "a", "attributes": {"size": "XXL"}}, "attributes.size", "not_among_choices"),
    ({"reference": "a", "attributes": {"height": "tall"}}, "attributes.height", "not_a_number"),
    ({"reference": "a", "attributes": {"vegan": "maybe"}}, "attributes.vegan", "not_yes_or_no"),
    ({"reference": "a", "attributes": {"joined": "2026-13-01"}}, "attributes.joined", "not_a_date"),
    ({"reference": "a", "attributes": {"size": ["S"]}}, "attributes.size", "not_an_attribute"),
    ({"reference": "a", "attributes": {"size": {"value": "S", "how": "guessed"}}}, "attributes.size", "not_an_attribute"),  # noqa: E501
    ({"reference": "a", "attributes": "{not json"}, "attributes", "not_an_object"),
    ({"reference": "a", "attributes": [1]}, "attributes", "wrong_type"),
    ("not a row", "", "not_an_object"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "column", "code"), BAD)
def test_a_bad_cell_is_refused_by_line_column_and_code(refused, sizes, row, column, code):
    found = refused("customers", {"reference": "good"}, row)
    assert (2, column, code) in found
    assert {line for line, _column, _code in found} == {2}
    assert not Customer.objects.exists()


def test_rows_that_share_a_key_are_refused_all(refused):
    found = refused(
        "customers", {"reference": "a"}, {"reference": "b", "email": "x@example.com"},
        {"reference": " a"}, {"reference": "c", "email": "X@example.com"},
    )  # fmt: skip
    assert found == [
        (1, "reference", "duplicate"), (2, "email", "duplicate"), (3, "reference", "duplicate"),
        (4, "email", "duplicate"),
    ]  # fmt: skip


def test_an_email_has_one_owner(bring, refused):
    bring("customers", {"reference": "a", "email": "a@example.com"}, {"reference": "b", "email": "b@example.com"})
    assert refused("customers", {"reference": "b", "email": "A@example.com"}) == [(1, "email", "email_taken")]
    assert refused("customers", {"reference": "c", "email": "b@example.com"}) == [(1, "email", "email_taken")]


def test_a_merged_customer_takes_no_more_rows(bring, refused):
    bring("customers", {"reference": "a"}, {"reference": "b"})
    a, b = Customer.objects.order_by("reference")
    Customer.objects.filter(pk=b.pk).update(merged_into=a)
    assert refused("customers", {"reference": "b", "city": "Bonn"}) == [(1, "reference", "merged")]


def test_the_good_rows_alone(shop, now):
    rows = [{"reference": "a", "country": "DE"}, {"reference": "b", "country": "XX"}, {"reference": "c"}]
    result = ingest("customers", rows, now=now, by=BY, good_only=True)
    assert (result.new, result.refused_rows, result.is_written) == (2, 1, True)
    assert list(Customer.objects.order_by("reference").values_list("reference", flat=True)) == ["a", "c"]


def test_a_dry_run_says_what_would_happen_and_writes_nothing(bring, shop, now):
    bring("customers", {"reference": "a", "city": "Bonn"}, {"reference": "b"})
    rows = [
        {"reference": "a", "city": "Köln"},
        {"reference": "b"},
        {"reference": "c"},
        {"reference": "d", "country": "XX"},
    ]
    result = ingest("customers", rows, now=now, by=BY, dry_run=True, samples=10)
    assert (result.new, result.changed, result.unchanged, result.refused_rows) == (1, 1, 1, 1)
    assert not result.is_written
    assert [(d.line, d.is_new, dict(d.values).get("city")) for d in result.samples] == [
        (1, False, ("Bonn", "Köln")), (3, True, None),
    ]  # fmt: skip
    assert Customer.objects.count() == 2
    assert Customer.objects.get(reference="a").city == "Bonn"


def test_attributes_are_typed_merged_key_by_key_and_taken_away_by_null(bring, sizes):
    bring("customers", {"reference": "a", "attributes": {"size": "S", "height": "170.5", "vegan": "yes"}})
    bring("customers", {"reference": "a", "attributes": {"size": {"value": "M", "how": "asked"}, "vegan": None}})
    assert Customer.objects.get().attributes == {
        "size": {"value": "M", "how": "asked"},
        "height": {"value": 170.5, "how": "imported"},
    }


class TestSaveCustomer:
    def test_it_saves_what_is_said_and_audits_names_only(self, shop, now):
        made = save_customer(customer_id=None, values={"email": "a@example.com"}, now=now, by=BY)
        saved = save_customer(customer_id=made.customer.pk, values={"given_name": "Ann"}, now=now, by=BY)
        assert (made.is_new, saved.is_new, saved.is_changed) == (True, False, True)
        assert saved.customer.email == "a@example.com"
        assert saved.customer.given_name == "Ann"
        entries = list(AuditEntry.objects.order_by("id").values_list("customer_id", "after"))
        assert entries == [
            (made.customer.pk, {"fields": ["email"], "is_new": True}),
            (made.customer.pk, {"fields": ["given_name"], "is_new": False}),
        ]

    def test_bad_facts_are_told_by_field(self, shop, now):
        with pytest.raises(BadFacts) as caught:
            save_customer(customer_id=None, values={"reference": "a", "country": "XX"}, now=now, by=BY)
        assert [error.column for error in caught.value.errors] == ["country"]

    def test_a_merged_one_cannot_be_edited(self, bring, now):
        bring("customers", {"reference": "a"}, {"reference": "b"})
        a, b = Customer.objects.order_by("reference")
        Customer.objects.filter(pk=b.pk).update(merged_into=a)
        with pytest.raises(CustomerGone):
            save_customer(customer_id=b.pk, values={"city": "Bonn"}, now=now, by=BY)


def test_the_database_itself_keeps_one_customer_an_email(bring, now):
    bring("customers", {"reference": "a", "email": "a@example.com"})
    with pytest.raises(IntegrityError, match="one_customer_an_email"):
        Customer.objects.create(reference="b", email="A@example.com ", recorded_at=now)
