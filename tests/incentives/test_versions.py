"""Rules in memory: parsed once, bounded, and never another version's."""

import pytest

from retention.incentives import operations, versions
from retention.incentives.rules import IncentiveRule
from retention.incentives.versions import rule_of, rules_of
from tests.incentives.conftest import BY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch):
    monkeypatch.setattr(versions._rules, "found", {})


def test_a_version_is_read_and_parsed_once(offer, django_assert_num_queries):
    version_id = offer().version_id
    versions._rules.found.clear()
    with django_assert_num_queries(1):
        first = rule_of(version_id)
    with django_assert_num_queries(0):
        assert rule_of(version_id) is first
        assert rules_of([version_id]) == {version_id: first}


def test_a_save_makes_another_version_and_leaves_the_old_one_as_it_was(offer, now):
    incentive = offer(name="Before")
    old = rule_of(incentive.version_id)
    rule = IncentiveRule.model_validate({**old.model_dump(mode="json"), "name": "After"})
    saved = operations.save_incentive(incentive_id=incentive.pk, rule=rule, edited=1, now=now, by=BY)
    assert (rule_of(saved.version_id).name, rule_of(incentive.version_id).name) == ("After", "Before")


def test_the_oldest_make_room(offer, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(versions.Parsed, "KEPT", 2)
    one, two, three = (offer(name=name).version_id for name in ("one", "two", "three"))
    versions._rules.found.clear()
    rules_of([one])
    rules_of([two, three])
    assert list(versions._rules.found) == [two, three]
    with django_assert_num_queries(1):
        assert rule_of(one).name == "one"
    assert len(versions._rules.found) == 2


def test_more_at_once_than_are_kept_are_all_given(offer, monkeypatch):
    monkeypatch.setattr(versions.Parsed, "KEPT", 1)
    wanted = {offer(name=name).version_id: name for name in ("one", "two", "three")}
    assert {pk: rule.name for pk, rule in rules_of(wanted).items()} == wanted
    assert len(versions._rules.found) == 1
