"""What changed between two states, in words."""

import pytest

from retention.audit.differences import Change, difference, readable


def told(before, after):
    return [(change.label, readable(change.before), readable(change.after)) for change in difference(before, after)]


def test_equal_states_differ_in_nothing():
    assert told({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}) == []


def test_values_that_changed_came_and_went():
    before = {"name": "Old", "limit": {"total": 50}, "is_public": True}
    after = {"name": "New", "limit": {"total": 50, "customer": 1}}
    assert told(before, after) == [
        ("Name", "Old", "New"),
        ("Limit › Customer", "—", "1"),
        ("Is public", "yes", "—"),
    ]


def test_members_are_matched_by_their_key_not_by_their_place():
    before = {"steps": [{"key": "a", "delay_hours": 1}, {"key": "b", "delay_hours": 2}]}
    after = {"steps": [{"key": "b", "delay_hours": 3}, {"key": "a", "delay_hours": 1}]}
    assert told(before, after) == [("Steps › B › Delay hours", "2", "3")]


def test_members_without_a_key_are_matched_by_their_place():
    assert told({"rules": [{"x": 1}]}, {"rules": [{"x": 1}, {"x": 2}]}) == [("Rules › 2", "—", "X: 2")]


def test_two_members_of_one_key_are_matched_by_their_place():
    before = {"rules": [{"key": "a", "n": 1}, {"key": "a", "n": 2}]}
    after = {"rules": [{"key": "a", "n": 1}, {"key": "a", "n": 3}]}
    assert told(before, after) == [("Rules › 2 › N", "2", "3")]


def test_plain_lists_are_told_whole():
    assert told({"countries": ["DE"]}, {"countries": ["DE", "KR"]}) == [("Countries", "DE", "DE, KR")]


def test_long_texts_are_told_by_line():
    (change,) = difference({"body": "one\ntwo\nthree"}, {"body": "one\n2\nthree"})
    assert change == Change(
        ("body",), "one\ntwo\nthree", "one\n2\nthree", ((" ", "one"), ("-", "two"), ("+", "2"), (" ", "three"))
    )


@pytest.mark.parametrize(("before", "after"), [(0, False), (1, True), ("1", 1)])
def test_kinds_are_told_apart_where_words_differ(before, after):
    expected = [] if readable(before) == readable(after) else [("A", readable(before), readable(after))]
    assert told({"a": before}, {"a": after}) == expected


def test_nothing_is_nothing_however_it_is_written():
    assert told({"a": None, "b": ""}, {"a": "", "b": []}) == []
