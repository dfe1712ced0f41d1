"""Who a segment's members are beside everyone, counted exactly in the small shop."""

import datetime as dt

import pytest

from retention.actors import Actor
from retention.segments import composition as room
from retention.segments import operations
from retention.segments.composition import Growth, Overlap, composition
from tests.segments.facts import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def jazz(shop):
    rule = {"key": "interest", "args": {"match": "any", "interests": ["jazz"]}}
    made = operations.create_segment(name="Jazz", rule=rule, now=NOW, by=Actor.command("test"))
    for segment in (made, shop.germans):
        operations.refresh_segment(segment_id=segment.pk, now=NOW)
    return made


def lines(found, at):
    return [(share.label, share.inside, share.everyone, share.inside_share) for share in found.dimensions[at].shares]


def test_members_beside_everyone(jazz):
    found = composition(jazz, NOW)
    assert sorted(lines(found, 0)) == [
        ("Austria", 1, 1, 50.0), ("Germany", 1, 1, 50.0), ("South Korea", 0, 1, 0.0), ("unknown", 0, 1, 0.0),
    ]  # fmt: skip
    assert lines(found, 1) == [("18–24", 0, 1, 0.0), ("35–44", 1, 1, 50.0), ("unknown", 1, 2, 50.0)]
    assert lines(found, 3) == [("Fans", 1, 1, 50.0), ("Guests", 1, 1, 50.0), ("in none", 0, 2, 0.0)]
    assert sorted(lines(found, 4)) == [("jazz", 2, 2, 100.0), ("vinyl", 1, 1, 50.0)]
    assert {share.everyone_share for share in found.dimensions[0].shares} == {25.0}
    spend = {label: (inside, everyone) for label, inside, everyone, _share in lines(found, 2)}
    assert spend["bought nothing"] == (0, 2)
    assert sum(inside for inside, _everyone in spend.values()) == 2


def test_overlap_and_growth(jazz, shop):
    found = composition(jazz, NOW)
    assert found.overlaps == (Overlap("Germans", shop.germans.pk, 1, 50.0),)
    assert found.growth.days == ((dt.date(2026, 5, 12), 2),)


def test_growth_is_a_line_over_the_calendar():
    days = [dt.date(2026, 5, day) for day in (1, 2, 5)]
    assert Growth(tuple(zip(days, (0, 40, 20), strict=True))).line == "0.0,60.0 75.0,0.0 300.0,30.0"
    assert Growth(((days[0], 0), (days[1], 0))).line == "0.0,60.0 300.0,60.0"


def test_a_question_that_takes_too_long_is_left_out(jazz, monkeypatch):
    monkeypatch.setattr(room, "_BY", "SELECT pg_sleep(2), 0, 0 -- {label}{join}{order}")
    monkeypatch.setattr(room, "LIMIT_MS", 50)
    found = composition(jazz, NOW)
    assert [dimension.shares for dimension in found.dimensions[:2]] == [None, None]
    assert found.overlaps is not None


def test_nobody_is_no_division_by_zero(shop):
    operations.refresh_segment(segment_id=shop.nobody.pk, now=NOW)
    found = composition(shop.nobody, NOW)
    assert {share.inside_share for share in found.dimensions[0].shares} == {0.0}
    assert found.overlaps == ()
