"""Who is in after new facts: only those are looked at whom the facts are about, and a run that dies loses nothing."""

import datetime as dt

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from retention.actors import Actor
from retention.customers.models import Customer, Stage
from retention.registries import conditions
from retention.segments import following, operations, rules
from retention.segments.jobs import ALERT, PlaceCustomers, ProveSegments, RefreshSegments
from retention.segments.models import Membership, MembershipChange, Segment
from retention.segments.operations import refreshing
from retention.segments.querysets import members, segments_to_refresh
from retention.shop.models import Shop
from retention.work.models import Alert
from tests.segments.facts import NOW
from tests.segments.test_conditions import TABLE

COMMITTING = pytest.mark.django_db(transaction=True)
BY = Actor.command("test")
LATER = NOW + dt.timedelta(minutes=5)
GERMANS = {"key": "country", "args": {"countries": ["DE"]}}
LATELY = {"key": "signed_up", "args": {"window": "last", "days": 30}}


def idle(*_):
    """No progress to tell."""


def create(rule, name="Mine") -> Segment:
    return operations.create_segment(name=name, rule=rule, now=NOW, by=BY)


def somebody(country="DE", **more) -> int:
    return Customer.objects.create(country=country, recorded_at=NOW, **more).pk


def moves(customer_id: int, country: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE customers_customer SET country = %s, xid = pg_current_xact_id() WHERE id = %s",
            [country, customer_id],
        )


def told(segment) -> list[tuple[int, bool]]:
    changes = MembershipChange.objects.filter(segment=segment).order_by("id")
    return list(changes.values_list("customer_id", "has_entered"))


def run(at) -> dict:
    return RefreshSegments.run(now=at, progress=idle)


def later_on() -> None:
    """As it is once every transaction so far has ended; those of other databases on the server would hold it up."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE segments_segment SET xid = '3', mark = pg_current_xact_id()")
        cursor.execute("UPDATE work_watermark SET mark = pg_current_xact_id()::text::bigint")


@pytest.fixture
def berlin(db):
    return Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR")


@pytest.fixture
def second_connection(berlin):
    other = connection.copy()
    yield other
    other.close()


@COMMITTING
def test_only_changed_customers_are_looked_at_and_told_of(berlin):
    stays, leaves, comes = somebody(), somebody(), somebody("FR")
    made = create(GERMANS)
    assert run(NOW) == {"due": 1, "touched": 2, "skipped": {}}
    assert told(made) == []  # Who is in from the beginning has not come in.
    later_on()
    assert run(NOW) == {"due": 0, "touched": 0, "skipped": {}}
    moves(leaves, "FR")
    moves(comes, "DE")
    assert RefreshSegments.preview(now=LATER) == {"due": 1}
    with CaptureQueriesContext(connection) as asked:
        assert run(LATER) == {"due": 1, "touched": 2, "skipped": {}}
    (replaced,) = [query["sql"] for query in asked if "INSERT INTO segments_membershipchange" in query["sql"]]
    assert str(leaves) in replaced
    assert str(stays) not in replaced.partition("CROSS JOIN")[0]
    assert sorted(told(made)) == [(leaves, False), (comes, True)]
    assert dict(Membership.objects.values_list("customer_id", "entered_at")) == {stays: NOW, comes: LATER}
    made.refresh_from_db()
    assert (made.size, made.computed_at, made.whole_at, made.is_time_relative) == (2, LATER, NOW, False)


@COMMITTING
def test_idle_ticks_ask_a_few_questions_however_many_segments_there_are(berlin):
    somebody()
    Stage.objects.create(key="all", name={"en": "All"}, position=1, rule=GERMANS)
    asked = {}
    for count in (2, 12):
        for number in range(Segment.objects.count(), count):
            create(GERMANS, f"Number {number}")
        run(NOW)
        operations.place_customers(now=NOW)
        later_on()
        with CaptureQueriesContext(connection) as ticks:
            assert run(NOW)["due"] == 0
            assert PlaceCustomers.run(now=NOW, progress=idle) == {"due": 0, "touched": 0}
        asked[count] = [query["sql"] for query in ticks]
    assert len(asked[2]) == len(asked[12]) == 13


@COMMITTING
def test_a_fact_of_a_transaction_that_is_still_open_is_not_skipped(berlin, second_connection):
    made = create(GERMANS)
    run(NOW)
    with second_connection.cursor() as other:
        other.execute("BEGIN")
        other.execute(
            "INSERT INTO customers_customer (country, recorded_at, given_name, family_name, address, postcode, city,"
            " region, language, time_zone, preferred_channel, source, acquisition_currency, interests, attributes)"
            " VALUES ('DE', %s, '', '', '', '', '', '', '', '', '', '', '', '{}', '{}')",
            [NOW],
        )
        later = somebody()
        assert run(NOW)["touched"] == 1
        other.execute("COMMIT")
    assert run(NOW)["touched"] == 1
    assert run(NOW)["touched"] == 0
    assert told(made)[0] == (later, True)
    assert Membership.objects.filter(segment=made).count() == 2


@COMMITTING
def test_a_run_that_dies_loses_nothing(berlin, monkeypatch):
    made, other = create(GERMANS), create({"not": GERMANS}, "Other")
    run(NOW)
    comes = somebody()

    class Killed(BaseException):
        """As hard as a signal: nothing catches it."""

    def die(*args, **kwargs):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(refreshing.SegmentSize.objects, "bulk_create", die)
        with pytest.raises(Killed):
            run(LATER)
    assert (told(made), told(other)) == ([], [])
    assert run(LATER)["touched"] == 1
    assert (told(made), told(other)) == ([(comes, True)], [])


@COMMITTING
def test_an_edit_travels_to_segments_that_name_the_segment(berlin):
    german, french = somebody(), somebody("FR")
    inner = create(GERMANS, "Inner")
    middle = create({"key": "in_segment", "args": {"segment": str(inner.public_id)}}, "Middle")
    outer = create({"not": {"key": "in_segment", "args": {"segment": str(middle.public_id)}}}, "Outer")
    run(NOW)
    french_rule = {"key": "country", "args": {"countries": ["FR"]}}
    operations.save_segment(segment_id=inner.pk, name="Inner", rule=french_rule, edited=1, now=LATER, by=BY)
    assert segments_to_refresh(LATER).count() == 3
    run(LATER)
    assert {changed.pk: sorted(told(changed)) for changed in (middle, outer)} == {
        middle.pk: [(german, False), (french, True)],
        outer.pk: [(german, True), (french, False)],
    }


@COMMITTING
def test_time_alone_lets_customers_leave_within_a_quarter_of_an_hour(berlin):
    hers = somebody(signed_up_at=NOW - dt.timedelta(days=30) + dt.timedelta(minutes=5))
    made = create(LATELY)
    run(NOW)
    later_on()
    assert run(NOW + dt.timedelta(minutes=14))["due"] == 0
    assert run(NOW + dt.timedelta(minutes=15)) == {"due": 1, "touched": 1, "skipped": {}}
    assert told(made) == [(hers, False)]
    # The longer a look takes, the rarer it is: 10 s make 50 minutes.
    later_on()
    Segment.objects.filter(pk=made.pk).update(whole_ms=10_000)
    assert not segments_to_refresh(NOW + dt.timedelta(minutes=64))
    assert segments_to_refresh(NOW + dt.timedelta(minutes=65)).get() == made


@COMMITTING
def test_the_nightly_proof_puts_right_and_tells(berlin):
    overlooked, made = somebody("FR"), create(GERMANS)
    run(NOW)
    later_on()
    Customer.objects.filter(pk=overlooked).update(country="DE")  # Without its mark, as no operation does.
    assert run(LATER)["touched"] == 0
    assert ProveSegments.preview(now=LATER) == {"due": 1}
    assert ProveSegments.run(now=LATER, progress=idle) == {"due": 1, "touched": 1, "skipped": {}}
    assert told(made) == [(overlooked, True)]
    assert "One customer was overlooked" in Alert.objects.get(kind=ALERT, resolved_at=None).text
    ProveSegments.run(now=LATER, progress=idle)
    assert not Alert.objects.filter(kind=ALERT, resolved_at=None).exists()


@COMMITTING
def test_many_changes_at_once_are_one_look_at_everybody(berlin, monkeypatch):
    monkeypatch.setattr(refreshing, "MOST_CHANGED", 2)
    made = create(GERMANS)
    run(NOW)
    later_on()
    for _one in range(3):
        somebody()
    run(LATER)
    made.refresh_from_db()
    assert (made.size, made.whole_at, len(told(made))) == (3, LATER, 3)


@pytest.mark.parametrize(
    ("rule", "is_relative"),
    [
        (GERMANS, False),
        (LATELY, True),
        ({"key": "order_count", "args": {"operator": "at_least", "number": 2, "window": "ever"}}, False),
        ({"key": "signed_up", "args": {"window": "dates", "since": "2026-01-01", "until": "2026-02-01"}}, False),
        ({"not": {"any": [GERMANS, LATELY]}}, True),
        ({}, False),
    ],
)
def test_what_moves_with_time(berlin, rule, is_relative):
    assert rules.is_time_relative(rules.parse(rule)) is is_relative


def test_every_table_that_conditions_read_is_known(shop):
    """Each is followed by its mark, or read beside one that is, or a reason to look at everybody by time."""
    read = set()
    for key, args, _meant, _said in TABLE:
        node = rules.parse({"key": key, "args": args})
        read |= following.tables_of(str(members(node, NOW).query))
    unfollowed = {table for table in read if not following.is_followed([table])}
    assert unfollowed == {"customers_product"}
    assert {"customers_order", "customers_return", "customers_activity"} <= read
    assert {key for key, *_rest in TABLE} <= set(conditions.keys())


def test_a_refresh_inside_a_larger_transaction_is_refused_nothing(berlin):
    somebody()
    made = create(GERMANS)
    with transaction.atomic():
        assert operations.follow_segment(segment_id=made.pk, now=NOW).size == 1
