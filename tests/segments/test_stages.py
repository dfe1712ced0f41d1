"""Stages: first that fits, computed for everybody and for those with new facts alike, each change told; editing."""

import datetime as dt

import pytest
from django import forms
from django.db import connection

from retention.actors import Actor
from retention.audit.models import AuditEntry
from retention.audit.operations import EditedMeanwhile
from retention.customers import seeds as kinds
from retention.customers.models import Customer, CustomerStage, CustomerStats, Stage, StageChange
from retention.segments import operations, seeds
from retention.segments.jobs import PlaceCustomers
from retention.segments.models import Segment
from retention.segments.operations.placing import ALERT, KEY
from retention.shop.models import Shop
from retention.work.models import Alert, Watermark
from tests.segments.facts import NOW, ago, said

pytestmark = pytest.mark.django_db(transaction=True)
BY = Actor.command("test")
LATER = NOW + dt.timedelta(minutes=5)
DAY = dt.timedelta(days=1)


@pytest.fixture
def stages():
    Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR")
    kinds.seed(now=NOW)
    seeds.seed(now=NOW)
    return {stage.key: stage for stage in Stage.objects.all()}


def customer(name, *, orders=0, first=0, last=0, gap=None, consents=False, **more) -> int:
    made = Customer.objects.create(reference=name, email=f"{name}@example.com", recorded_at=NOW, **more)
    if orders:
        CustomerStats.objects.create(
            customer=made, orders=orders, first_order_at=ago(first), last_order_at=ago(last), days_between_orders=gap
        )
    if consents:
        said(made, "email", "marketing", "given", ago(5), f"{name}@example.com")
    return made.pk


def placed() -> dict[str, str]:
    return dict(CustomerStage.objects.values_list("customer__reference", "stage__key"))


def told(name) -> list[tuple]:
    changes = StageChange.objects.filter(customer__reference=name).order_by("id")
    return list(changes.values_list("before__key", "after__key"))


def later_on() -> None:
    """As it is once every transaction so far has ended; those of other databases on the server would hold it up."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE work_watermark SET mark = pg_current_xact_id()::text::bigint WHERE key = %s", [KEY])


MEANT = [
    ("visitor", {}),
    ("subscriber", {"consents": True}),
    ("new", {"orders": 1, "first": 59, "last": 59}),
    ("new", {"orders": 1, "first": 3, "last": 3, "consents": True}),
    ("active", {"orders": 1, "first": 61, "last": 61}),
    ("active", {"orders": 3, "first": 300, "last": 181, "gap": 95}),
    ("active", {"orders": 2, "first": 5, "last": 5, "gap": 0}),
    ("loyal", {"orders": 4, "first": 300, "last": 100, "gap": 66}),
    ("at-risk", {"orders": 4, "first": 300, "last": 100, "gap": 20}),
    ("at-risk", {"orders": 9, "first": 900, "last": 183, "gap": 200}),
    ("lapsed", {"orders": 9, "first": 900, "last": 366, "gap": 50}),
]


def test_each_customer_is_in_the_first_ready_stage_that_means_her(stages):
    for number, (_key, facts) in enumerate(MEANT):
        customer(f"c{number}", **facts)
    customer("merged", merged_into_id=Customer.objects.get(reference="c0").pk)
    customer("erased", erased_at=NOW)
    assert PlaceCustomers.preview(now=NOW) == {"due": len(MEANT)}
    assert PlaceCustomers.run(now=NOW, progress=lambda *_: None) == {"due": len(MEANT), "touched": len(MEANT)}
    assert placed() == {f"c{number}": key for number, (key, _facts) in enumerate(MEANT)}
    assert not StageChange.objects.exists()  # Nobody came from anywhere.
    assert set(CustomerStage.objects.values_list("since", flat=True)) == {NOW}


def test_new_facts_move_her_at_once_and_time_within_a_quarter_of_an_hour(stages):
    buys, waits = customer("buys"), customer("waits", orders=1, first=60, last=60)
    assert operations.place_customers(now=NOW - DAY).looked_at is None
    assert placed() == {"buys": "visitor", "waits": "new"}
    Watermark.objects.filter(key=KEY).update(at=NOW)
    later_on()
    assert operations.place_customers(now=LATER) == operations.Placed(0, 0)
    later_on()
    CustomerStats.objects.create(customer_id=buys, orders=1, first_order_at=LATER, last_order_at=LATER)
    assert PlaceCustomers.preview(now=LATER) == {"due": 1}
    assert operations.place_customers(now=LATER) == operations.Placed(1, 1)
    assert (told("buys"), told("waits")) == ([("visitor", "new")], [])
    assert CustomerStage.objects.get(pk=buys).since == LATER
    passed = NOW + dt.timedelta(minutes=15)
    assert operations.place_customers(now=passed) == operations.Placed(None, 1)
    assert told("waits") == [("new", "active")]
    assert CustomerStage.objects.get(pk=waits).since == passed
    Customer.objects.filter(pk=buys).update(erased_at=passed)
    operations.place_customers(now=passed, everybody=True)
    assert told("buys")[-1] == ("new", None)
    assert placed() == {"waits": "active"}


def test_edited_and_ordered_stages_move_everybody_at_the_next_run(stages):
    customer("german", country="DE")
    operations.place_customers(now=NOW)
    rule = {"key": "country", "args": {"countries": ["DE"]}}
    made = operations.create_stage(key="german", name={"en": "German"}, rule=rule, now=NOW, by=BY)
    assert (made.position, made.version.number) == (8, 1)
    assert operations.place_customers(now=NOW).moved == 0  # She is a visitor first.
    keys = ["german", *stages]
    operations.order_stages(keys=keys, now=NOW, by=BY)
    assert list(Stage.objects.values_list("key", flat=True)) == keys
    assert operations.place_customers(now=NOW) == operations.Placed(None, 1)
    assert placed() == {"german": "german"}
    operations.save_stage(stage_id=made.pk, name={"en": "Ours"}, rule={}, edited=1, now=LATER, by=BY, why="nobody")
    assert operations.place_customers(now=LATER).moved == 1
    assert told("german") == [("visitor", "german"), ("german", "visitor")]
    with pytest.raises(EditedMeanwhile):
        operations.save_stage(stage_id=made.pk, name={"en": "Lost"}, rule={}, edited=1, now=LATER, by=BY)
    operations.archive_stage(stage_id=made.pk, now=LATER, by=BY)
    operations.bring_back_stage(stage_id=made.pk, now=LATER, by=BY)
    made.refresh_from_db()
    assert (made.archived_at, made.position, str(made)) == (None, 9, "Ours")
    verbs = set(AuditEntry.objects.filter(verb__contains="stage").values_list("verb", flat=True))
    assert {verb.removeprefix("segments.") for verb in verbs} == {
        "create_stage", "order_stages", "save_stage", "archive_stage", "bring_back_stage"
    }  # fmt: skip


def test_what_is_refused(stages):
    asks = {"key": "stage", "args": {"stages": ["new"], "window": "ever"}}
    with pytest.raises(operations.StageKeyTaken):
        operations.create_stage(key="new", name={"en": "Newer"}, rule={}, now=NOW, by=BY)
    with pytest.raises(forms.ValidationError) as refused:
        operations.create_stage(key="more", name={"en": "More"}, rule={"not": asks}, now=NOW, by=BY)
    assert refused.value.message_dict == {"rule/not": ["A stage cannot ask for her stage."]}
    with pytest.raises(forms.ValidationError, match="default language"):
        operations.create_stage(key="more", name={"ko": "더"}, rule={}, now=NOW, by=BY)
    with pytest.raises(operations.NotTheStages):
        operations.order_stages(keys=["new", "new"], now=NOW, by=BY)
    operations.create_segment(name="Newcomers", rule=asks, now=NOW, by=BY)
    with pytest.raises(operations.StageInUse, match="“Newcomers”"):
        operations.archive_stage(stage_id=stages["new"].pk, now=NOW, by=BY)
    assert Stage.objects.filter(archived_at=None).count() == 7


def test_a_rule_that_is_not_valid_any_more_stops_and_tells(stages):
    customer("her")
    Stage.objects.filter(key="new").update(rule={"key": "moon"})
    assert operations.place_customers(now=NOW) == operations.Placed(0, 0)
    assert "moon" in Alert.objects.get(kind=ALERT, resolved_at=None).text
    assert placed() == {}
    Stage.objects.filter(key="new").update(rule={})
    operations.place_customers(now=NOW)
    assert placed() == {"her": "visitor"}
    assert not Alert.objects.filter(kind=ALERT, resolved_at=None).exists()


def test_segments_follow_the_stages_that_they_ask_for(stages):
    buys = customer("buys")
    rule = {"key": "stage", "args": {"stages": ["new"], "window": "ever"}}
    segment = operations.create_segment(name="Newcomers", rule=rule, now=NOW, by=BY)
    operations.place_customers(now=NOW)
    operations.refresh_segment(segment_id=segment.pk, now=NOW)
    CustomerStats.objects.create(customer_id=buys, orders=1, first_order_at=NOW, last_order_at=NOW)
    operations.place_customers(now=NOW)
    assert operations.follow_segment(segment_id=segment.pk, now=NOW).entered == 1
    assert Segment.objects.get(pk=segment.pk).is_time_relative is False
    Customer.objects.filter(pk=buys).update(erased_at=NOW)
    operations.place_customers(now=NOW, everybody=True)
    assert operations.follow_segment(segment_id=segment.pk, now=NOW).left == 1


def test_in_a_shop_without_stages_everybody_is_in_none(stages):
    customer("anna", orders=1, first=5, last=5)
    PlaceCustomers.run(now=NOW, progress=lambda *_: None)
    assert placed()
    Stage.objects.update(archived_at=NOW, position=None)
    PlaceCustomers.run(now=NOW + DAY, progress=lambda *_: None)
    customer("boris")
    PlaceCustomers.run(now=NOW + DAY, progress=lambda *_: None)
    assert placed() == {}
