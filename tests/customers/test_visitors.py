"""Visitors who turn out to be customers: joined when they agreed, once, and with nobody else."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from retention.actors import Actor
from retention.customers.models import Activity, Customer, CustomerStats, KnownVisitor
from retention.customers.operations import count_leftovers, join_leftovers, join_visitors
from retention.registries import people

BY = Actor.command("test")
DAY = dt.datetime(2026, 5, 3, tzinfo=dt.UTC)


@pytest.fixture
def looked(bring, catalogue):
    """A visitor looked at two things, and another one at one."""
    row = {"kind": "viewed_product", "product": "LP", "occurred_at": DAY.isoformat()}
    bring("activities", {**row, "visitor_key": "v1", "reference": "1"}, {**row, "visitor_key": "v2", "reference": "2"})
    bring("activities", {**row, "visitor_key": "v1", "reference": "3", "occurred_at": "2026-05-05T00:00:00Z"})


def owners():
    return dict(Activity.objects.order_by("reference").values_list("reference", "customer__reference"))


def never(_done, _total):
    pass


def test_a_sign_up_that_names_the_visitor_brings_what_she_did(bring, looked, now):
    row = {"reference": "anna", "email": "anna@example.com", "visitor_key": " v1", "visitor_has_agreed": True}
    assert bring("customers", row).new == 1
    assert owners() == {"1": "anna", "2": None, "3": "anna"}
    assert CustomerStats.objects.get().last_seen_at == dt.datetime(2026, 5, 5, tzinfo=dt.UTC)
    assert KnownVisitor.objects.values_list("visitor_key", "customer__reference", "joined_at").get() == (
        "v1", "anna", now,
    )  # fmt: skip


def test_again_it_changes_nothing_not_even_the_marks(bring, looked):
    row = {"reference": "anna", "visitor_key": "v1", "visitor_has_agreed": "yes"}
    bring("customers", row)
    before = [
        list(model.objects.order_by("pk").values()) for model in (KnownVisitor, Activity, Customer, CustomerStats)
    ]
    again = bring("customers", row)
    assert (again.new, again.changed, again.unchanged) == (0, 0, 1)
    after = [list(model.objects.order_by("pk").values()) for model in (KnownVisitor, Activity, Customer, CustomerStats)]
    assert after == before


@pytest.mark.parametrize("agreed", [{}, {"visitor_has_agreed": False}, {"visitor_has_agreed": ""}])
def test_without_her_agreement_nothing_is_joined_or_kept(bring, looked, agreed):
    bring("customers", {"reference": "anna", "visitor_key": "v1", **agreed})
    row = {"customer": "anna", "visitor_key": "v1", "kind": "logged_in", "occurred_at": DAY.isoformat(), **agreed}
    bring("activities", {**row, "reference": "4"})
    assert owners() == {"1": None, "2": None, "3": None, "4": "anna"}
    assert Activity.objects.get(reference="4").visitor_key == ""
    assert not KnownVisitor.objects.exists()


def test_an_activity_that_names_both_joins_them(bring, looked):
    bring("customers", {"reference": "anna"})
    row = {"customer": "anna", "visitor_key": "v1", "kind": "logged_in", "occurred_at": DAY.isoformat()}
    bring("activities", {**row, "visitor_has_agreed": True, "reference": "4"})
    assert owners() == {"1": "anna", "2": None, "3": "anna", "4": "anna"}


def test_what_the_visitor_does_later_is_hers_too(bring, looked):
    bring("customers", {"reference": "anna", "visitor_key": "v1", "visitor_has_agreed": True})
    late = {"visitor_key": "v1", "kind": "searched", "occurred_at": "2026-05-09T00:00:00Z", "reference": "5"}
    bring("activities", late)
    assert owners()["5"] == "anna"
    assert CustomerStats.objects.get().last_seen_at == dt.datetime(2026, 5, 9, tzinfo=dt.UTC)


def test_an_unknown_customer_is_not_read_as_the_visitors(bring, refused, looked):
    bring("customers", {"reference": "anna", "visitor_key": "v1", "visitor_has_agreed": True})
    row = {"customer": "nobody", "visitor_key": "v1", "kind": "searched", "occurred_at": DAY.isoformat()}
    assert refused("activities", row) == [(1, "customer", "unknown_customer")]


def test_a_key_stays_with_the_first_whom_it_was_joined_with(bring, looked):
    claim = {"visitor_key": "v1", "visitor_has_agreed": True}
    bring("customers", {"reference": "anna", **claim})
    bring("customers", {"reference": "ben", **claim})
    row = {"customer": "ben", "kind": "logged_in", "occurred_at": DAY.isoformat(), **claim}
    bring("activities", {**row, "reference": "6"})
    assert owners() == {"1": "anna", "2": None, "3": "anna", "6": "ben"}
    assert KnownVisitor.objects.get().customer.reference == "anna"


def test_of_two_claims_in_one_file_one_wins_and_the_database_refuses_the_other(bring, looked):
    claim = {"visitor_key": "v1", "visitor_has_agreed": True}
    bring("customers", {"reference": "anna", **claim}, {"reference": "ben", **claim})
    (known,) = KnownVisitor.objects.all()
    with pytest.raises(IntegrityError), transaction.atomic():
        KnownVisitor.objects.create(visitor_key="v1", customer=known.customer, joined_at=DAY)


def test_a_merged_customers_visitor_is_the_survivors(bring, looked):
    bring("customers", {"reference": "anna", "visitor_key": "v1", "visitor_has_agreed": True}, {"reference": "ben"})
    Customer.objects.filter(reference="anna").update(merged_into=Customer.objects.get(reference="ben"))
    bring("activities", {"visitor_key": "v1", "kind": "shared", "occurred_at": DAY.isoformat(), "reference": "7"})
    assert owners()["7"] == "ben"


def test_the_forgotten_keep_no_key_and_it_joins_nothing_more(bring, looked):
    """What `people.py` states, done by hand: the key goes from the visitor and from the activities."""
    assert people["customers.known_visitor"].columns["visitor_key"] == "blank"
    assert people["customers.activity"].columns["visitor_key"] == "blank"
    bring("customers", {"reference": "anna", "visitor_key": "v1", "visitor_has_agreed": True})
    KnownVisitor.objects.update(visitor_key=None)
    Activity.objects.filter(customer=Customer.objects.get(reference="anna")).update(visitor_key="")
    Customer.objects.update(erased_at=DAY)
    bring("activities", {"visitor_key": "v1", "kind": "shared", "occurred_at": DAY.isoformat(), "reference": "8"})
    assert owners()["8"] is None
    assert count_leftovers() == 0


def test_what_slipped_through_is_joined_at_night(bring, looked, now):
    """An activity that came in while its visitor became known: neither side saw the other."""
    bring("customers", {"reference": "anna"})
    KnownVisitor.objects.create(visitor_key="v1", customer=Customer.objects.get(), joined_at=now)
    assert count_leftovers() == 2
    assert join_leftovers(progress=never, chunk=1) == 2
    assert owners() == {"1": "anna", "2": None, "3": "anna"}
    assert CustomerStats.objects.get().last_seen_at == dt.datetime(2026, 5, 5, tzinfo=dt.UTC)
    assert (join_leftovers(progress=never), count_leftovers()) == (0, 0)


def test_bad_values_are_refused_by_column(refused, shop):
    assert refused("customers", {"reference": "a", "visitor_key": "x" * 65, "visitor_has_agreed": "maybe"}) == [
        (1, "visitor_has_agreed", "not_yes_or_no"), (1, "visitor_key", "too_long"),
    ]  # fmt: skip
    row = {"visitor_key": "v", "kind": "shared", "occurred_at": DAY.isoformat(), "visitor_has_agreed": "maybe"}
    assert refused("activities", row) == [(1, "visitor_has_agreed", "not_yes_or_no")]


def test_over_http(api, looked):
    made = api.post("customers/", {"reference": "anna", "visitor_key": "v1", "visitor_has_agreed": True})
    assert made.status_code == 201, made.content
    assert owners() == {"1": "anna", "2": None, "3": "anna"}
    known = {"customer": "anna", "visitor_key": "v2", "visitor_has_agreed": True, "kind": "logged_in"}
    assert api.post("activities/", {**known, "occurred_at": DAY.isoformat()}).status_code == 201
    assert owners()["2"] == "anna"
    bad = api.post("customers/", {"reference": "anna", "visitor_key": "v" * 65})
    assert [(error["pointer"], error["code"]) for error in bad.json()["errors"]] == [
        ("/visitor_key", "string_too_long")
    ]


def test_a_joining_names_customers_as_they_are(shop, now):
    assert join_visitors("SELECT ''::text AS visitor_key, NULL::bigint AS customer_id", now=now) == 0
    assert not KnownVisitor.objects.exists()
