"""Undoing: what comes back keeps its end, nothing is undone twice, and every correction says why."""

import datetime as dt

import pytest

from retention.audit.models import AuditEntry
from retention.ledger import operations
from retention.ledger.models import Account, Entry, Lot
from retention.ledger.operations.corrections import NoSuchEntry, ReasonMissing
from retention.ledger.operations.proofs import differences
from retention.ledger.operations.transfers import NotEnough, ReversedBefore, SourceReused
from tests.ledger.conftest import BY

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def left(account):
    return list(
        Lot.objects.filter(account=account, remaining__gt=0).order_by("pk").values_list("remaining", "expires_at")
    )


def back(now, entry, amount, source="back"):
    return operations.give_back(entry_id=entry, amount=amount, source=source, reason="returned", now=now, by=BY)


def test_parts_come_back_with_the_ends_they_had_the_last_drawn_first(unit, account, give, spend, now):
    hers = account(unit())
    give(hers, 100, expires_at=now + 10 * DAY)
    give(hers, 100, expires_at=now + 50 * DAY)
    give(hers, 100)
    entry = spend(hers, 250)
    back(now + DAY, entry, 60, "first")
    back(now + DAY, entry, 130, "second")
    ends = [(50, None), (50, None), (10, now + 50 * DAY), (90, now + 50 * DAY), (40, now + 31 * DAY)]
    assert left(hers) == ends, "what would have ended before its 30 days got them"
    with pytest.raises(ReversedBefore) as refused:
        back(now + DAY, entry, 61, "third")
    assert refused.value.params == {"available": 60}
    assert differences() == []


def test_giving_back_twice_by_one_source_gives_once(unit, account, give, spend, now):
    hers = account(unit())
    give(hers, 100)
    entry = spend(hers, 80)
    assert [back(now, entry, 50), back(now, entry, 50)] == [50, 50]
    assert Account.objects.get(pk=hers.pk).balance == 70
    with pytest.raises(SourceReused):
        back(now, entry, 30)


def test_what_has_expired_meanwhile_lives_on_or_not_as_the_unit_says(unit, account, give, spend, now):
    for days, expected in ((30, now + 20 * DAY + 30 * DAY), (0, now + 10 * DAY)):
        hers = account(unit(f"unit{days}", least_days_after_return=days))
        give(hers, 100, expires_at=now + 10 * DAY)
        entry = spend(hers, 100)
        back(now + 20 * DAY, entry, 100, f"late:{days}")
        assert left(hers) == [(100, expected)]


def test_taking_back_takes_what_is_left_of_it_first(unit, account, give, spend, now):
    hers = account(unit())
    give(hers, 50, expires_at=now + DAY)
    entry = give(hers, 100, pending_event="parcel")
    give(hers, 30)
    spend(hers, 20)
    done = operations.take_back(
        entry_id=entry, amount=120 - 20, source="t", reason="", now=now, by=BY, policy="lot"
    )  # fmt: skip
    assert (done.amount, done.wanted) == (100, 100)
    assert left(hers) == [(30, now + DAY), (30, None)]
    with pytest.raises(ReversedBefore):
        operations.take_back(
            entry_id=entry, amount=1, source="u", reason="", now=now, by=BY, is_partial=False
        )  # fmt: skip
    assert operations.take_back(entry_id=entry, source="v", reason="", now=now, by=BY).amount == 0
    assert differences() == []


@pytest.mark.parametrize(
    ("policy", "owes", "taken", "balance"),
    [("lot", False, 10, 25), ("balance", False, 35, 0), ("negative", False, 35, 0), ("negative", True, 100, -65)],
)
def test_what_she_spent_is_taken_as_the_policy_says(unit, account, give, spend, now, policy, owes, taken, balance):
    hers = account(unit(may_be_negative=owes))
    entry = give(hers, 100)
    spend(hers, 90)
    give(hers, 25)
    done = operations.take_back(entry_id=entry, source="t", reason="", now=now, by=BY, policy=policy)
    assert (done.amount, done.wanted) == (taken, 100)
    assert Account.objects.get(pk=hers.pk).balance == balance
    assert differences() == []


def test_what_is_owed_is_settled_by_what_comes_next(unit, account, give, spend, now):
    hers = account(unit(may_be_negative=True))
    entry = give(hers, 100)
    spend(hers, 100)
    operations.take_back(entry_id=entry, source="t", reason="", now=now, by=BY, policy="negative")
    with pytest.raises(NotEnough):
        spend(hers, 1)
    shop = operations.shop_account(hers.unit, "issued")
    wishes = [
        operations.Transfer(source=f"n{n}", from_id=shop, to_id=hers.pk, amount=60, verb="issue") for n in range(2)
    ]
    operations.transfer(transfers=wishes, now=now, by=BY)
    assert (Account.objects.get(pk=hers.pk).balance, left(hers)) == (20, [(20, None)])
    spend(hers, 20)
    assert differences() == []


def test_nothing_that_is_held_is_taken_back(unit, account, give, now):
    hers = account(unit())
    entry = give(hers, 100)
    operations.hold(account_id=hers.pk, amount=70, source="h", expires_at=now + DAY, now=now)
    done = operations.take_back(entry_id=entry, source="t", reason="", now=now, by=BY)
    assert done.amount == 30


def test_an_adjustment_says_why_and_is_in_the_audit(unit, account, now):
    hers = account(unit())

    def adjust(amount, source, reason="counted wrong"):
        return operations.adjust(account_id=hers.pk, amount=amount, source=source, reason=reason, now=now, by=BY)

    with pytest.raises(ReasonMissing):
        adjust(100, "a", "  ")
    first = adjust(100, "a")
    assert adjust(100, "a") == first
    adjust(-30, "b")
    with pytest.raises(NotEnough):
        adjust(-71, "c")
    assert Account.objects.get(pk=hers.pk).balance == 70
    assert list(AuditEntry.objects.filter(verb="ledger.adjust").order_by("id").values_list("after", flat=True)) == [
        {"amount": 100, "reason": "counted wrong"}, {"amount": -30, "reason": "counted wrong"},
    ]  # fmt: skip
    assert differences() == []


def test_an_entry_reversed_by_hand(unit, account, give, spend, now):
    hers = account(unit())
    given = give(hers, 100)
    spent = spend(hers, 40)

    def reverse(entry, source):
        return operations.reverse(entry_id=entry, source=source, reason="wrong", now=now, by=BY).amount

    assert [reverse(spent, "s"), reverse(spent, "s")] == [40, 40]
    assert [reverse(given, "g"), reverse(given, "g")] == [100, 100]
    assert Account.objects.get(pk=hers.pk).balance == 0
    assert Entry.objects.filter(reverses__isnull=False).count() == 2
    with pytest.raises(NoSuchEntry):
        reverse(0, "x")
    assert differences() == []
