"""The catalogue: every kind is told by one source, and the guide, the API and the samples say the same of it."""

import json
import re
from pathlib import Path

import pytest

from retention.ledger.models import Entry
from retention.registries import events
from retention.webhooks import catalogue, schedule
from tests.webhooks.facts import every_kind, told

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "webhooks.md"


def test_the_guide_lists_what_can_be_told():
    listed = re.findall(r"(?m)^\| `([a-z_.]+)` \| (.+?) \| (.+?) \|$", GUIDE.read_text())
    every = [
        (key, str(kind.label), str(kind.told)) for _g, kinds in catalogue.by_group() for key, kind in kinds.items()
    ]
    assert listed == every
    assert len({key for key, *_rest in listed}) == sum(len(source.kinds) for source in events) > 30


def test_kinds_are_named_by_their_room_and_say_nothing_personal():
    for source in events:
        for key, kind in source.kinds.items():
            assert key.split(".")[0] == source.key.split(".")[0], key
            assert not {"email", "phone", "given_name", "code", "reference", "customer"} & set(kind.sample), key
            assert json.loads(json.dumps(catalogue.sample_of(key)))["type"] == key
            assert str(kind.told).endswith("."), key
    assert {f"post {key}" for key in every_kind()} == {
        f"{method} {key}" for key, methods in catalogue.described().items() for method in methods
    }


def test_every_verb_of_the_books_has_its_kind():
    sql = next(source.sql for source in events if source.key == "ledger.entries")
    assert dict(re.findall(r"WHEN '(\w+)' THEN '(\w+)'", sql)).keys() == set(Entry.Verb.values)
    assert {f"ledger.{kind}" for kind in re.findall(r"THEN '(\w+)'", sql)} <= {"ledger.in", *every_kind()}


@pytest.mark.django_db
def test_every_source_can_be_asked():
    assert told() == []


def test_the_schedule_is_that_of_the_standard():
    waits = [schedule.WAITS[n].total_seconds() for n in range(9)]
    assert waits == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert all(wait <= schedule.wait_after(n).total_seconds() <= wait * 1.1 for n, wait in enumerate(waits, start=1))
    assert schedule.wait_after(10) is None
    headers = ["60", " 60 ", "-1", "", "Wed, 21 Oct 2026 07:28:00 GMT", "9" * 40]
    heard = [asked and asked.total_seconds() for asked in (schedule.asked_for(429, each) for each in headers)]
    assert heard == [60, 60, None, None, None, 86400]
    assert schedule.asked_for(500, "60") is None
