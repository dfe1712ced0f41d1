"""Data health: what is counted, what is kept, and the lists behind the links."""

import datetime as dt

import pytest
from django.urls import reverse

from retention.actors import Actor
from retention.customers.health import FACETS, known
from retention.customers.models import Customer
from retention.customers.operations import give_consent, withdraw_consent

BY = Actor.command("test")


@pytest.fixture
def crowd(bring, now, catalogue, order, empty_cache):
    """Four living customers of whom more and more is known, and a merged and an erased one who count for nothing."""
    whole = {
        "reference": "whole", "email": "w@example.com", "phone": "+4915112345678", "birthday": "05-17", "country": "DE",
        "time_zone": "Europe/Berlin", "language": "de", "signed_up_at": "2026-01-01",
    }  # fmt: skip
    bring("customers", whole, {"reference": "mail", "email": "m@example.com"}, {"reference": "bare"})
    gone = [{**whole, "reference": name, "email": f"{name}@example.com"} for name in ("x", "y")]
    bring("customers", {"reference": "moved", "email": "old@example.com"}, *gone)
    people = {one.reference: one.pk for one in Customer.objects.all()}
    for who in ("whole", "moved", "x"):
        give_consent(customer_id=people[who], channel="email", purpose="marketing", source="x", now=now, by=BY)
    give_consent(customer_id=people["whole"], channel="sms", purpose="marketing", source="x", now=now, by=BY)
    withdraw_consent(customer_id=people["mail"], channel="email", purpose="marketing", source="x", now=now, by=BY)
    bring("customers", {"reference": "moved", "email": "new@example.com"})  # a new address starts without
    bring("orders", order(customer="whole", email=""))
    Customer.objects.filter(reference="x").update(merged_into=people["whole"])
    Customer.objects.filter(reference="y").update(erased_at=now)
    return people


def test_everything_is_counted_of_the_living_alone(crowd, now):
    _at, found = known(now=now)
    assert {one.facet.key: one.count for one in found} == {
        "email": 3, "email_consent": 1, "phone": 1, "sms_consent": 1, "birthday": 1, "country": 1, "time_zone": 1,
        "language": 1, "signed_up_at": 1, "orders": 1,
    }  # fmt: skip
    birthday = next(one for one in found if one.facet.key == "birthday")
    assert (birthday.of, birthday.percent, birthday.sentence) == (4, 25, "Birthday campaigns reach 25 %.")


def test_a_count_says_as_of_when_and_is_taken_again_when_asked(crowd, now, bring):
    known(now=now)
    bring("customers", {"reference": "later"})
    later = now + dt.timedelta(minutes=5)
    counted_at, found = known(now=later)
    assert (counted_at, found[0].of) == (now, 4)
    counted_at, found = known(now=later, again=True)
    assert (counted_at, found[0].of) == (later, 5)


def test_each_link_leads_to_as_many_as_it_says(crowd, lead, now):
    page = lead.get(reverse("admin:customers_health"))
    for one in page.context["known"]:
        rows = lead.get(reverse("admin:customers_customer_changelist"), {"without": one.facet.key}).context["cl"]
        assert rows.result_count == one.lacking, one.facet.key
    assert "Birthday campaigns reach 25 %." in page.content.decode()
    assert len(page.context["known"]) == len(FACETS)


def test_nobody_is_no_percent(shop, now, empty_cache):
    assert {one.percent for one in known(now=now)[1]} == {0}
