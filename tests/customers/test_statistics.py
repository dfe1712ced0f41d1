"""The nightly check of statistics: what differs from the facts is put right and told, what agrees is left alone."""

import datetime as dt

import pytest
from django.db.models import F

from retention import registries
from retention.customers.models import Customer, CustomerStats
from retention.customers.operations import check_stats, count_wrong_stats
from retention.work.models import Alert

#: Marks move with transactions, so these tests commit.
pytestmark = pytest.mark.django_db(transaction=True)
DAY = dt.timedelta(days=1)


def nothing(done, total):
    pass


def snapshot():
    return {row["customer_id"]: row for row in CustomerStats.objects.values()}


@pytest.fixture
def kept(bring, catalogue, order):
    """Six customers with an order each, the third with two; one of them was seen since, one has no facts at all."""
    people = [{"reference": f"c{n}", "email": f"c{n}@example.com"} for n in range(7)]
    assert not bring("customers", *people).refused
    orders = [order(f"O{n}", email=None, customer=f"c{n}") for n in range(6)]
    orders.append(order("O9", email=None, customer="c2", placed_at="2026-05-03T10:00:00Z"))
    assert not bring("orders", *orders).refused
    visit = {"reference": "v1", "kind": "viewed_product", "customer": "c5", "occurred_at": "2026-05-09T10:00:00Z"}
    assert not bring("activities", visit).refused
    return snapshot()


def of(reference):
    return CustomerStats.objects.filter(customer=Customer.objects.get(reference=reference))


def told():
    return list(Alert.objects.filter(kind="customers.statistics", resolved_at=None).values_list("text", flat=True))


def test_what_agrees_is_left_alone(kept, now):
    assert (count_wrong_stats(), check_stats(now=now, progress=nothing)) == (0, 0)
    assert snapshot() == kept, "not even the marks moved"
    assert told() == []


@pytest.mark.parametrize("chunk", [2, 20_000])
def test_what_differs_is_put_right_and_told(kept, now, chunk):
    of("c0").update(orders=7)
    of("c1").update(spend_minor=F("spend_minor") - 1, favourite_category="Shoes")
    of("c2").delete()
    of("c3").update(last_order_at=None, discount_share=0.5)
    of("c5").update(last_seen_at=now - 300 * DAY, orders=0)
    assert count_wrong_stats() == 5
    assert registries.jobs["customers.check_statistics"].preview(now=now) == {"due": 5}
    seen = []
    assert check_stats(now=now, progress=lambda done, total: seen.append((done, total)), chunk=chunk) == 5
    assert seen[-1][0] == seen[-1][1] == Customer.objects.latest("pk").pk
    repaired = snapshot()
    changed = {pk for pk in kept if repaired[pk]["xid"] != kept[pk]["xid"]}
    assert {Customer.objects.get(pk=pk).reference for pk in changed} == {"c0", "c1", "c2", "c3", "c5"}
    without_marks = [{pk: {**row, "xid": 0} for pk, row in rows.items()} for rows in (kept, repaired)]
    assert without_marks[0] == without_marks[1]
    (sentence,) = told()
    assert sentence.startswith("The statistics of 5 customers differed from their orders and activities")
    # The next night finds nothing more, and the alert takes itself back.
    assert check_stats(now=now + DAY, progress=nothing) == 0
    assert told() == []


def test_one_customer_is_said_as_one(kept, now):
    of("c4").update(items=9)
    assert registries.jobs["customers.check_statistics"].run(now=now, progress=nothing) == {"due": 1}
    assert told()[0].startswith("The statistics of one customer differed from her orders")
