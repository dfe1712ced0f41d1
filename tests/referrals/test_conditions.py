"""What segments ask of referrals, and that it is followed by the marks of rows."""

import pytest

from referrals import operations
from referrals.models import Referral
from retention.registries import conditions
from retention.segments import rules
from retention.segments.following import changed_since, is_followed, newest_mark, tables_of
from retention.segments.querysets import members
from tests.referrals.conftest import BY, days

pytestmark = pytest.mark.django_db


@pytest.fixture
def circle(scheme, advocate, refer, customer, now):
    """Anna brought three (one turned away, one rewarded), Bela nobody; Cara recommends nothing."""
    anna, bela, cara = (customer(name, now - days(400)) for name in ("anna", "bela", "cara"))
    code, _other = advocate(scheme(), anna, bela)
    friends = [customer(f"f{n}") for n in range(3)]
    brought = [refer(code, friend) for friend in friends]
    operations.reject(referral_id=brought[0].pk, now=now, by=BY)
    Referral.objects.filter(pk=brought[1].pk).update(state="rewarded", qualified_at=now)
    return {each.pk: each.reference for each in (anna, bela, cara, *friends)}


@pytest.mark.parametrize(
    ("key", "args", "meant", "said"),
    [
        ("referrals_made", {"operator": "at_least", "number": 2}, "anna", "brought at least 2 friends"),
        ("referrals_made", {"operator": "at_least", "number": 3}, "", "brought at least 3 friends"),
        (
            "referrals_made", {"operator": "exactly", "number": 1, "far": "rewarded", "schemes": ["friends"]}, "anna",
            "brought exactly 1 friend and was rewarded in “Friends”",
        ),
        (
            "referrals_made", {"operator": "at_most", "number": 0, "far": "done"}, "bela cara f0 f1 f2",
            "brought at most 0 friends who did what counts",
        ),
        ("is_advocate", {}, "anna bela", "has a personal link to recommend by"),
        ("was_referred", {"window": "last", "days": 3}, "f1 f2", "was brought by a friend in the last 3 days"),
        ("was_referred", {"far": "rewarded"}, "f1", "was brought by a friend, who was rewarded"),
    ],
)  # fmt: skip
def test_a_condition_means_exactly_these(circle, key, args, meant, said, now):
    initial = {name: field.initial for name, field in conditions[key].form_class.base_fields.items() if field.initial}
    rule = {"key": key, "args": {**initial, **args}}
    found = members(rule, now)
    assert {circle[pk] for pk in found.values_list("pk", flat=True)} == set(meant.split())
    others = members({"not": rule}, now).values_list("pk", flat=True)
    assert {circle[pk] for pk in others} == set(circle.values()) - set(meant.split())
    assert rules.sentence(rule) == f"Everyone who {said}."
    assert is_followed(tables_of(str(found.query)))


@pytest.mark.django_db(transaction=True)
def test_what_becomes_of_a_referral_is_news_of_its_advocate(scheme, advocate, refer, customer, now):
    anna, friend = customer("anna", now - days(400)), customer("friend")
    (code,) = advocate(scheme(), anna)
    mark = newest_mark() + 1
    refer(code, friend)
    assert set(changed_since(mark, ["referrals_advocate", "referrals_referral"], most=10)) == {anna.pk, friend.pk}
