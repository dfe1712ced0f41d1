"""Two people at once: two saves that only together make a circle, and two refreshes of one segment."""

import threading

import pytest
from django import forms
from django.db import connection

from retention.actors import Actor
from retention.customers.models import Customer
from retention.refusals import Refused
from retention.segments import operations, rules
from retention.segments.models import Membership, Segment
from retention.segments.operations import editing
from tests.segments.facts import NOW

pytestmark = pytest.mark.django_db(transaction=True)
BY = Actor.command("test")
EVERYONE = {"not": {"key": "has_address", "args": {"address": "post"}}}


def at_once(*works):
    """Run each on a connection of its own from one barrier; what each returned or raised."""
    barrier, results = threading.Barrier(len(works)), [None] * len(works)

    def run(at, work):
        try:
            results[at] = work(barrier)
        except (Refused, forms.ValidationError) as refused:
            results[at] = refused
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(at, work)) for at, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def naming(segment):
    return {"key": "in_segment", "args": {"segment": str(segment.public_id)}}


def pair():
    made = [operations.create_segment(name=name, rule=EVERYONE, now=NOW, by=BY) for name in ("One", "Two")]
    for segment in made:
        segment.refresh_from_db()
    return made


def is_circle(segment):
    segment.refresh_from_db()
    try:
        rules.parse(segment.rule, of=segment.pk)
    except forms.ValidationError:
        return True
    return False


def test_two_saves_cannot_make_a_circle_together():
    one, two = pair()

    def save(segment, other):
        def work(barrier):
            barrier.wait()
            values = {"name": segment.name, "rule": naming(other), "edited": 1}
            return operations.save_segment(segment_id=segment.pk, now=NOW, by=BY, **values)

        return work

    results = at_once(save(one, two), save(two, one))
    assert sorted(type(result).__name__ for result in results) == ["Segment", "ValidationError"]
    assert not is_circle(one)
    assert not is_circle(two)


def test_the_naive_twin_makes_one():
    """Each looks, finds no circle, and writes: without the lock both succeed."""
    one, two = pair()

    def save(segment, other):
        def work(barrier):
            rules.parse(naming(other), of=segment.pk)
            barrier.wait()
            Segment.objects.filter(pk=segment.pk).update(rule=naming(other))

        return work

    assert at_once(save(one, two), save(two, one)) == [None, None]
    assert is_circle(one)
    assert is_circle(two)


def test_a_segment_is_not_archived_while_it_is_being_named():
    one, two = pair()

    def name_it(barrier):
        barrier.wait()
        return operations.save_segment(segment_id=one.pk, name="One", rule=naming(two), edited=1, now=NOW, by=BY)

    def archive(barrier):
        barrier.wait()
        operations.archive_segment(segment_id=two.pk, now=NOW, by=BY)

    results = at_once(name_it, archive)
    assert sum(isinstance(result, editing.SegmentInUse | forms.ValidationError) for result in results) == 1
    two.refresh_from_db()
    one.refresh_from_db()
    assert (two.archived_at is None) == (one.rule == naming(two))


def test_two_refreshes_store_everyone_once():
    Customer.objects.bulk_create(Customer(reference=f"c{n}", recorded_at=NOW) for n in range(200))
    one, _two = pair()

    def refresh(barrier):
        barrier.wait()
        return operations.refresh_segment(segment_id=one.pk, now=NOW)

    results = at_once(*[refresh] * 4)
    assert all(isinstance(result, operations.Refreshed | operations.BeingRefreshed) for result in results)
    assert not [result for result in results if isinstance(result, operations.Refreshed) and result.error]
    assert sum(result.entered for result in results if isinstance(result, operations.Refreshed)) == 200
    assert Membership.objects.filter(segment=one).count() == 200
