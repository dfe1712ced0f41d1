"""Facts that arrive at the same moment: nothing is lost, doubled or skipped; naive twins fail the same races."""

import threading
from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.db.models import Count

from retention.actors import Actor
from retention.customers import seeds
from retention.customers.models import (
    Activity,
    Consent,
    ConsentState,
    Customer,
    CustomerStats,
    Order,
    OrderLine,
    Product,
)
from retention.customers.operations import save_customer
from retention.marks import safe_mark
from retention.shop.models import Shop
from retention.work.ingest import ingest

pytestmark = pytest.mark.django_db(transaction=True)
BY = Actor.command("test")


def at_once(act: Callable[[int], object], count: int) -> list[object]:
    """Run `act(n)` in so many threads, let go together; outcomes or exceptions by thread."""
    gate = threading.Barrier(count)
    outcomes: list[object] = [None] * count

    def run(number: int) -> None:
        try:
            gate.wait(timeout=20)
            outcomes[number] = act(number)
        except Exception as error:
            outcomes[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return outcomes


@pytest.fixture
def shop(now):
    seeds.seed(now=now)
    Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR", country="DE")
    ingest("products", [{"sku": "LP", "name": "Record", "price": "10", "currency": "EUR"}], now=now, by=BY)


def _order(number, email="guest@example.com"):
    return {
        "reference": f"O{number}", "email": email, "state": "paid", "currency": "EUR",
        "placed_at": f"2026-05-{number + 1:02}T10:00:00Z",
        "lines": [{"sku": "LP", "quantity": 1, "unit_price": "10.00"}],
    }  # fmt: skip


def test_overlapping_files_at_once_make_every_customer_once(shop, now):
    def bring(number):
        rows = [{"reference": f"c{at}", "email": f"c{at}@example.com", "city": f"City {number}"} for at in range(300)]
        return ingest("customers", rows if number % 2 else rows[::-1], now=now, by=BY)

    results = at_once(bring, 4)
    assert all(result.is_written for result in results), results
    assert sum(result.new for result in results) == 300
    assert sum(result.changed for result in results) == 900
    assert Customer.objects.count() == 300
    # The last one's word stands for all of its rows: no file is half there.
    assert Customer.objects.values("city").distinct().count() == 1


def naive_upsert(rows, now, meet):
    """What the load must not be: look, then insert."""
    known = set(Customer.objects.values_list("reference", flat=True))
    meet()
    Customer.objects.bulk_create(
        [Customer(reference=row["reference"], recorded_at=now) for row in rows if row["reference"] not in known]
    )


def test_the_naive_twin_of_the_load_loses_this_race(shop, now):
    met = threading.Barrier(2)
    rows = [{"reference": "c1"}]
    outcomes = at_once(lambda _number: naive_upsert(rows, now, lambda: met.wait(timeout=20)), 2)
    assert sum(isinstance(outcome, IntegrityError) for outcome in outcomes) == 1


def test_one_customer_signing_up_many_times_at_once_is_one(shop, now):
    values = {"reference": "a", "email": "a@example.com"}
    saved = at_once(lambda number: save_customer(customer_id=None, values=values, now=now, by=BY), 6)
    assert sum(outcome.is_new for outcome in saved) == 1, saved
    assert Customer.objects.count() == 1


def test_cells_that_nobody_said_are_nobodys_to_lose(shop, now):
    ingest("customers", [{"reference": "a"}], now=now, by=BY)
    cells = [("city", "Bonn"), ("given_name", "Ann"), ("region", "NW"), ("postcode", "53111")]
    at_once(lambda n: ingest("customers", [{"reference": "a", cells[n][0]: cells[n][1]}], now=now, by=BY), 4)
    assert Customer.objects.values_list("city", "given_name", "region", "postcode").get() == (
        "Bonn",
        "Ann",
        "NW",
        "53111",
    )


def test_orders_of_one_guest_at_once_make_one_guest_and_are_all_counted(shop, now):
    results = at_once(lambda number: ingest("orders", [_order(number)], now=now, by=BY), 8)
    assert [result.new for result in results] == [1] * 8, results
    stats = CustomerStats.objects.get()
    assert (stats.orders, stats.items, stats.spend_minor) == (8, 8, 8_000)
    assert Customer.objects.count() == 1


def test_one_order_delivered_many_times_at_once_is_one(shop, now):
    results = at_once(lambda _number: ingest("orders", [_order(1)], now=now, by=BY), 6)
    assert sum(result.new for result in results) == 1, results
    assert Order.objects.annotate(n=Count("lines")).values_list("n", flat=True).get() == 1
    assert CustomerStats.objects.get().spend_minor == 1_000


def naive_refresh(customer_id, meet):
    """What `refresh_stats` must not be: read the facts, then write, with no lock between transactions."""
    spend = sum(Order.objects.filter(customer_id=customer_id).values_list("base_minor", flat=True))
    meet()
    CustomerStats.objects.filter(customer_id=customer_id).update(spend_minor=spend)


def test_the_naive_twin_of_the_statistics_loses_an_order(shop, now):
    ingest("customers", [{"reference": "a"}], now=now, by=BY)
    customer, product = Customer.objects.get(), Product.objects.get()
    CustomerStats.objects.create(customer=customer)
    met = threading.Barrier(2)

    def buy(number):
        with transaction.atomic():
            order = Order.objects.create(
                reference=f"O{number}", customer=customer, state="paid", currency="EUR", total_minor=1_000,
                base_minor=1_000, placed_at=now, recorded_at=now,
            )  # fmt: skip
            OrderLine.objects.create(
                order=order, position=1, product=product, quantity=1, unit_price_minor=1_000, total_minor=1_000
            )
            naive_refresh(customer.pk, lambda: met.wait(timeout=20))

    assert at_once(buy, 2) == [None, None]
    assert CustomerStats.objects.get().spend_minor == 1_000  # and not the 2,000 that were spent


def test_overlapping_files_of_orders_in_opposite_directions_end(shop, now):
    def bring(number):
        rows = [_order(at % 9, email=f"g{at % 9}@example.com") | {"reference": f"O{at}"} for at in range(120)]
        return ingest("orders", rows if number % 2 else rows[::-1], now=now, by=BY)

    results = at_once(bring, 4)
    assert sum(result.new for result in results) == 120, results
    assert sum(CustomerStats.objects.values_list("orders", flat=True)) == 120
    assert Customer.objects.count() == 9


def test_consent_given_and_withdrawn_at_one_instant_is_withdrawn(shop, now):
    ingest("customers", [{"reference": "a", "email": "a@example.com"}], now=now, by=BY)
    said = {"customer": "a", "channel": "email", "source": "x", "occurred_at": "2026-05-01T10:00:00Z"}
    events = ["given", "withdrawn"] * 3
    at_once(lambda number: ingest("consents", [{**said, "event": events[number]}], now=now, by=BY), 6)
    assert Consent.objects.count() == 6
    assert ConsentState.objects.get().is_given is False


def test_a_fact_that_commits_late_is_not_skipped_by_the_mark(shop, now):
    row = {"visitor_key": "v", "kind": "shared", "occurred_at": "2026-05-01T10:00:00Z"}
    written, may_commit = threading.Event(), threading.Event()

    def slow(_number):
        with transaction.atomic():
            ingest("activities", [{**row, "reference": "slow"}], now=now, by=BY)
            written.set()
            assert may_commit.wait(timeout=20)

    thread = threading.Thread(target=lambda: (slow(0), connections.close_all()))
    thread.start()
    assert written.wait(timeout=20)
    ingest("activities", [{**row, "reference": "quick"}], now=now, by=BY)

    def since(mark, until):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT reference FROM customers_activity WHERE xid >= %s::text::xid8 AND xid < %s::text::xid8",
                [str(mark), str(until)],
            )
            return {reference for (reference,) in cursor.fetchall()}

    first = safe_mark()
    naive_mark = Activity.objects.order_by("-id").values_list("id", flat=True).first()
    seen = since(0, first)
    assert "slow" not in seen
    may_commit.set()
    thread.join(timeout=20)
    # The next mark may wait for transactions of other databases on this server; that it can pass only what has ended
    # is PostgreSQL's promise. Ours is that what has not been read is still ahead.
    second = 2**62
    assert seen | since(first, second) == {"slow", "quick"}
    assert not seen & since(first, second)
    # A mark by id has passed the late one by: that is why there is another.
    assert not Activity.objects.filter(reference="slow", id__gt=naive_mark).exists()
