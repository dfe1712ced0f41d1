"""Value set aside, value that waits, value that ends, and value that moves with its customer."""

import datetime as dt

import pytest

from retention.ledger import operations
from retention.ledger.models import Account, Cell, Entry, Hold, Lot
from retention.ledger.operations import night
from retention.ledger.operations.proofs import ALERT, differences, prove
from retention.ledger.operations.transfers import HoldGone, NotEnough, SourceReused
from retention.ledger.querysets import balances, balances_as_of
from retention.work.models import Alert
from tests.ledger.conftest import BY

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def account_now(account):
    return Account.objects.get(pk=account.pk)


def available(account, now):
    return balances([account.pk], now=now)[0].available


def keep_night(now):
    return operations.keep_night(now=now, by=BY, progress=lambda done, total: None)


@pytest.fixture
def hold(now):
    def place(account, amount, source="h", *, days=1):
        return operations.hold(
            account_id=account.pk, amount=amount, source=source, expires_at=now + days * DAY, now=now
        )

    return place


class TestHolds:
    def test_what_is_held_cannot_be_spent_and_is_captured_in_part(self, unit, account, give, spend, hold, now):
        hers = account(unit())
        give(hers, 100)
        held = hold(hers, 70)
        assert hold(hers, 70) == held
        with pytest.raises(SourceReused):
            hold(hers, 60)
        with pytest.raises(NotEnough):
            spend(hers, 31)
        used = operations.shop_account(hers.unit, "redeemed")
        entry = operations.capture(hold_id=held.pk, amount=50, to_id=used, source="c", now=now, by=BY)
        assert operations.capture(hold_id=held.pk, amount=50, to_id=used, source="c", now=now, by=BY) == entry
        with pytest.raises(HoldGone):
            operations.capture(hold_id=held.pk, amount=20, to_id=used, source="d", now=now, by=BY)
        assert (account_now(hers).balance, account_now(hers).held, available(hers, now)) == (50, 0, 50)
        held.refresh_from_db()
        assert (held.state, held.captured) == (Hold.State.CAPTURED, 50)
        assert differences() == []

    def test_a_hold_that_ran_out_gives_way_to_whoever_needs_it(self, unit, account, give, spend, hold, now):
        hers = account(unit())
        give(hers, 100)
        held = hold(hers, 70)
        later = now + DAY
        with pytest.raises(HoldGone):
            operations.capture(
                hold_id=held.pk, amount=70, to_id=operations.shop_account(hers.unit, "redeemed"), source="c",
                now=later, by=BY,
            )  # fmt: skip
        spend(hers, 100, now=later)
        assert Hold.objects.get().state == Hold.State.RELEASED
        assert differences() == []

    def test_the_job_releases_what_ran_out_once(self, unit, account, give, hold, now):
        hers = account(unit())
        give(hers, 100)
        hold(hers, 70)
        hold(hers, 10, "longer", days=3)
        assert [operations.release_run_out(now=now + n * DAY) for n in (0, 1, 1)] == [0, 1, 0]
        assert account_now(hers).held == 10

    def test_what_is_held_outlives_its_end_until_it_is_captured(self, unit, account, give, hold, now):
        hers = account(unit())
        give(hers, 50, expires_at=now + DAY)
        give(hers, 40)
        held = hold(hers, 30, days=3)
        assert keep_night(now + DAY).expired == 1
        assert [lot.remaining for lot in Lot.objects.order_by("pk")] == [30, 40]
        used = operations.shop_account(hers.unit, "redeemed")
        operations.capture(hold_id=held.pk, amount=20, to_id=used, source="c", now=now + DAY, by=BY)
        assert keep_night(now + DAY).expired == 1
        assert [lot.remaining for lot in Lot.objects.order_by("pk")] == [0, 40]
        assert differences() == []


class TestNights:
    def test_what_has_ended_goes_once_and_counts_from_its_own_end(self, unit, account, customers, give, now):
        credit = unit()
        hers, his = account(credit), account(credit, customers[1])
        give(hers, 100, expires_at=now + DAY)
        give(hers, 50, expires_at=now + 9 * DAY)
        give(his, 30, expires_at=now + 2 * DAY)
        late = now + 3 * DAY
        assert night.expiring(now=late) == (2, 0)
        assert keep_night(late).expired == 2
        assert keep_night(late).expired == 0
        assert (account_now(hers).balance, account_now(his).balance) == (50, 0)
        assert balances_as_of([hers.pk], at=now + 2 * DAY) == {hers.pk: 50}
        gone = Cell.objects.filter(account__purpose="expired")
        assert sum(cell.credited for cell in gone) == 130
        assert {cell.day for cell in gone} == {dt.date(2026, 5, 15)}
        assert differences() == []

    def test_a_night_that_was_cut_short_goes_on(self, unit, account, customers, give, now, monkeypatch):
        credit = unit()
        for customer in customers:
            give(account(credit, customer), 10, expires_at=now + DAY)
        monkeypatch.setattr(night, "CHUNK", 2)
        met = []

        def stop_after_one(done, total):
            met.append(done)
            raise InterruptedError

        with pytest.raises(InterruptedError):
            operations.keep_night(now=now + DAY, by=BY, progress=stop_after_one)
        assert Entry.objects.filter(verb="expire").count() == 2
        assert keep_night(now + DAY).expired == 3
        assert differences() == []

    def test_what_waits_for_an_event_begins_with_it(self, unit, account, give, spend, now):
        hers = account(unit(expiry={"kind": "after", "count": 10, "per": "day"}))
        give(hers, 40, pending_event="parcel")
        assert available(hers, now) == 0
        later = now + 5 * DAY
        assert [operations.activate(event="parcel", now=later) for _ in range(2)] == [1, 0]
        assert available(hers, later) == 40
        assert Lot.objects.get().expires_at == dt.datetime(2026, 5, 27, 22, tzinfo=dt.UTC)
        assert operations.cancel_pending(event="parcel", reason="", now=later, by=BY) == 0

    def test_what_waits_for_an_event_that_never_comes_goes_back(self, unit, account, give, now):
        hers = account(unit())
        give(hers, 40, pending_event="parcel")
        give(hers, 10)
        assert [operations.cancel_pending(event="parcel", reason="sent back", now=now, by=BY) for _ in range(2)] == [
            1,
            0,
        ]
        assert operations.activate(event="parcel", now=now) == 0
        assert (account_now(hers).balance, available(hers, now)) == (10, 10)
        assert differences() == []


class TestMerging:
    def test_everything_moves_with_its_ends_and_holds(self, unit, points, account, customers, give, spend, hold, now):
        credit = unit()
        old, new = account(credit, customers[0]), account(credit, customers[1])
        give(old, 100, expires_at=now + 5 * DAY)
        give(old, 40, pending_event="parcel")
        give(new, 10)
        give(account(points, customers[0]), 700)
        held = hold(old, 60)
        moved = operations.merge_accounts(customer_id=customers[0].pk, into_id=customers[1].pk, now=now, by=BY)
        assert moved == 3
        assert operations.merge_accounts(customer_id=customers[0].pk, into_id=customers[1].pk, now=now, by=BY) == 0
        old, new = account_now(old), account_now(new)
        assert (old.balance, old.held, new.balance, new.held) == (0, 0, 150, 60)
        assert available(new, now) == 50
        assert account_now(account(points, customers[1])).balance == 700
        operations.capture(
            hold_id=held.pk, amount=60, to_id=operations.shop_account(credit, "redeemed"), source="c", now=now, by=BY
        )
        operations.activate(event="parcel", now=now)
        assert available(new, now) == 90
        assert sorted(lot.expires_at for lot in Lot.objects.filter(account=new) if lot.expires_at) == [now + 5 * DAY]
        assert differences() == []

    def test_what_is_owed_moves_too(self, unit, account, customers, give, spend, now):
        credit = unit(may_be_negative=True)
        old, new = account(credit, customers[0]), account(credit, customers[1])
        entry = give(old, 100)
        spend(old, 100)
        operations.take_back(entry_id=entry, source="t", reason="", now=now, by=BY, policy="negative")
        give(new, 30)
        operations.merge_accounts(customer_id=customers[0].pk, into_id=customers[1].pk, now=now, by=BY)
        assert (account_now(old).balance, account_now(new).balance) == (0, -70)
        assert differences() == []

    def test_what_was_spent_before_comes_back_to_the_survivor(self, unit, account, customers, give, spend, now):
        credit = unit()
        old = account(credit, customers[0])
        give(old, 100)
        entry = spend(old, 80)
        operations.merge_accounts(customer_id=customers[0].pk, into_id=customers[1].pk, now=now, by=BY)
        type(customers[0]).objects.filter(pk=customers[0].pk).update(merged_into=customers[1])
        operations.give_back(entry_id=entry, amount=80, source="b", reason="", now=now, by=BY)
        assert account_now(account(credit, customers[1])).balance == 100
        assert differences() == []


def test_the_proof_finds_what_was_changed_behind_its_back(unit, account, give, now):
    hers = account(unit())
    give(hers, 100)
    assert prove(now=now) == []
    Account.objects.filter(pk=hers.pk).update(balance=99)
    assert {(each.what, each.kept, each.facts) for each in prove(now=now)} == {
        ("balance", 99, 100), ("open lots", 100, 99),
    }  # fmt: skip
    assert Alert.objects.get(kind=ALERT).resolved_at is None
    Account.objects.filter(pk=hers.pk).update(balance=100)
    prove(now=now)
    assert Alert.objects.get(kind=ALERT).resolved_at == now
