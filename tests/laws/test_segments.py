"""Whatever the rule: a customer is in it or in its `not`, never in both; and what is said of one agrees with all."""

import pytest
from django.db.models import Q
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.segments.querysets import explain, live_customers, members
from retention.segments.rules import q
from tests.segments.conftest import shop  # noqa: F401
from tests.segments.facts import NOW
from tests.segments.test_conditions import TABLE

pytestmark = pytest.mark.django_db
LEAVES = [{"key": key, "args": args} for key, args, _meant, _said in TABLE]


def rules_of(leaves):
    return st.recursive(
        st.sampled_from(leaves),
        lambda inner: (
            st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)})
            | st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)})
            | st.fixed_dictionaries({"not": inner})
        ),
        max_leaves=6,
    )


def levels(rule) -> int:
    parts = rule.get("all") or rule.get("any") or ([rule["not"]] if "not" in rule else [])
    return 1 + max(map(levels, parts), default=0)


def found(customers) -> set[int]:
    return set(customers.values_list("pk", flat=True))


def meant(rule) -> set[int]:
    return found(members(rule, NOW))


def everywhere(explained):
    yield explained
    for part in explained.parts:
        yield from everywhere(part)


def asked_at(rule, path: str):
    node = rule
    for step in path.split("/")[1:]:
        node = node[int(step)] if isinstance(node, list) else node[step]
    return node


@settings(max_examples=60, deadline=None)
@given(rule=rules_of(LEAVES).filter(lambda rule: levels(rule) <= 6))
def test_not_is_the_exact_complement(shop, rule):  # noqa: F811
    everyone = set(live_customers().values_list("pk", flat=True))
    inside, outside = meant(rule), meant({"not": rule})
    assert inside | outside == everyone
    assert not inside & outside
    assert meant({"not": {"not": rule}}) == inside


@settings(max_examples=30, deadline=None)
@given(one=rules_of(LEAVES), other=rules_of(LEAVES))
def test_all_any_and_not_are_the_sets_they_say(shop, one, other):  # noqa: F811
    if max(levels(one), levels(other)) > 6:
        return
    assert meant({"all": [one, other]}) == meant(one) & meant(other)
    assert meant({"any": [one, other]}) == meant(one) | meant(other)


#: Leaves that group facts, twice as often as the others.
COUNTING = [leaf for leaf in LEAVES if {"operator", "window"} <= set(leaf["args"]) or leaf["key"] == "nth_order"]


@settings(max_examples=30, deadline=None)
@given(
    rule=rules_of(LEAVES[::5] + COUNTING * 2).filter(lambda rule: levels(rule) <= 4),
    beside=st.sampled_from(LEAVES),
    few=st.integers(0, 2**9 - 1),
)
def test_facts_grouped_of_some_alone_say_the_same_of_these(shop, rule, beside, few):  # noqa: F811
    """Of those that a list names, and of those whom the conditions beside a count leave over."""
    some = {pk for at, pk in enumerate(sorted(shop.names)) if few >> at & 1}
    for word in ("all", "any"):
        both = {word: [{"not": rule}, beside]}
        whom = found(live_customers().filter(q(both, NOW)))
        assert found(live_customers().filter(q(both, NOW, where=lambda _left: True))) == whom
        assert found(members(both, NOW, among=Q(pk__in=some))) == whom & some


@settings(max_examples=25, deadline=None)
@given(rule=rules_of(LEAVES).filter(lambda rule: levels(rule) <= 6))
def test_what_is_explained_agrees_with_who_is_in_at_every_node(shop, rule):  # noqa: F811
    inside = {}
    for customer in shop.people.values():
        is_live = customer.merged_into_id is None and customer.erased_at is None
        whole = explain(rule, customer.pk, NOW)
        assert whole.is_met == (customer.pk in inside.setdefault("", meant(rule)))
        for node in everywhere(whole):
            if is_live and node.kind not in ("whole", "live"):
                asked = inside.setdefault(node.path, meant(asked_at(rule, node.path)))
                assert node.is_met == (customer.pk in asked), node
