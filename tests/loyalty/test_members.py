"""Joining and leaving: in sets, as often as you like, and heard of by others."""

import datetime as dt

import pytest

from loyalty import operations
from loyalty.models import Member
from loyalty.operations import members, programmes
from retention.customers.models import Activity
from tests.loyalty.conftest import BY

HOUR = dt.timedelta(hours=1)


def test_joining_is_for_many_and_again_changes_nothing(programme, customers, now):
    club, ids = programme(), [customer.pk for customer in customers]

    joined = operations.join(programme_id=club.pk, customer_ids=[*ids, 10**12], now=now, by=BY)
    again = operations.join(programme_id=club.pk, customer_ids=ids, now=now + HOUR, by=BY)

    assert sorted(joined.members) == ids
    assert again.members == {}
    assert list(Member.objects.order_by().values_list("joined_at", "joined_by").distinct()) == [(now, "command:test")]
    told = Activity.objects.filter(kind="loyalty.joined")
    assert sorted(told.values_list("customer_id", flat=True)) == ids
    assert list(told.order_by().values_list("properties", flat=True).distinct()) == [{"programme": "club"}]


def test_merged_and_erased_customers_do_not_join(programme, customers, now):
    club = programme()
    merged, erased, *_others = customers
    type(merged).objects.filter(pk=merged.pk).update(merged_into=customers[2])
    type(erased).objects.filter(pk=erased.pk).update(erased_at=now)

    joined = operations.join(programme_id=club.pk, customer_ids=[c.pk for c in customers], now=now, by=BY)

    assert sorted(joined.members) == [c.pk for c in customers[2:]]


def test_who_left_comes_back_only_when_she_asks(programme, customers, now):
    club, ids = programme(), [customers[0].pk]
    operations.join(programme_id=club.pk, customer_ids=ids, now=now, by=BY)

    assert operations.leave(programme_id=club.pk, customer_ids=ids, now=now + HOUR, by=BY) == 1
    assert operations.leave(programme_id=club.pk, customer_ids=ids, now=now + HOUR, by=BY) == 0
    assert Member.objects.get().left_at == now + HOUR
    assert not operations.join(programme_id=club.pk, customer_ids=ids, now=now, by=BY, again=False).members
    assert operations.join(programme_id=club.pk, customer_ids=ids, now=now + 2 * HOUR, by=BY).members
    member = Member.objects.get()
    assert (member.left_at, member.joined_at) == (None, now + 2 * HOUR)
    kinds = Activity.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["loyalty.joined", "loyalty.left", "loyalty.joined"]


def test_there_is_no_joining_before_the_launch_or_after_the_end(programme, customers, now):
    draft = programme(is_live=False)
    with pytest.raises(members.NotLaunched):
        operations.join(programme_id=draft.pk, customer_ids=[customers[0].pk], now=now, by=BY)
    operations.launch_programme(programme_id=draft.pk, now=now, by=BY)
    operations.end_programme(programme_id=draft.pk, now=now, by=BY)
    with pytest.raises(programmes.ProgrammeEnded):
        operations.join(programme_id=draft.pk, customer_ids=[customers[0].pk], now=now, by=BY)
    with pytest.raises(programmes.NoSuchProgramme):
        operations.leave(programme_id=10**9, customer_ids=[customers[0].pk], now=now, by=BY)
