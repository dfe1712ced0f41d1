"""Moving value: once a source, whole or refused, nearest end first, and only within one unit."""

import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from retention.ledger import operations
from retention.ledger.models import Account, Cell, Draw, Entry, Lot
from retention.ledger.operations.proofs import differences
from retention.ledger.operations.transfers import Frozen, NotEnough, SourceReused
from retention.ledger.querysets import balances, balances_as_of
from tests.ledger.conftest import BY

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


def left(account):
    """What is left in its lots, in the order they came."""
    return list(Lot.objects.filter(account=account).order_by("pk").values_list("remaining", flat=True))


def balance(account):
    return Account.objects.get(pk=account.pk).balance


def test_what_is_given_is_there_and_books_balance(unit, account, give):
    credit = unit()
    hers = account(credit)
    give(hers, 2500)
    assert balance(hers) == 2500
    assert left(hers) == [2500]
    cell = Cell.objects.get()
    assert (cell.account.purpose, cell.day, cell.credited, cell.debited) == ("issued", dt.date(2026, 5, 12), 0, 2500)
    assert differences() == []


def test_a_source_moves_value_once(unit, account, give):
    hers = account(unit())
    first = give(hers, 500, source="reason")
    assert give(hers, 500, source="reason") == first
    assert balance(hers) == 500
    with pytest.raises(SourceReused):
        give(hers, 700, source="reason")
    assert balance(hers) == 500


def test_a_set_is_given_in_one_call_and_repeats_say_so(unit, customers, now):
    credit = unit()
    accounts = operations.open_customer_accounts(unit=credit, customer_ids=[c.pk for c in customers], now=now)
    issued = operations.shop_account(credit, "issued")
    wishes = [
        operations.Transfer(source=f"set:{pk}", from_id=issued, to_id=account, amount=100 + n, verb="issue")
        for n, (pk, account) in enumerate(accounts.items())
    ]
    first = operations.transfer(transfers=wishes[:3], now=now, by=BY)
    assert len(first.entries) == 3
    both = operations.transfer(transfers=wishes, now=now, by=BY)
    assert both.repeated == set(first.entries)
    assert {source: both.entries[source] for source in first.entries} == first.entries
    assert sorted(Account.objects.filter(customer__isnull=False).values_list("balance", flat=True)) == [
        100, 101, 102, 103, 104,
    ]  # fmt: skip
    assert differences() == []


def test_what_expires_next_is_spent_first(unit, account, give, spend, now):
    hers = account(unit())
    give(hers, 100)
    give(hers, 200, expires_at=now + 30 * DAY)
    give(hers, 300, expires_at=now + 10 * DAY)
    entry = spend(hers, 450)
    assert left(hers) == [100, 50, 0]
    assert sorted(Draw.objects.filter(entry=entry).values_list("amount", flat=True)) == [150, 300]
    assert differences() == []


def test_nothing_is_spent_that_is_not_there(unit, account, give, spend, now):
    hers = account(unit())
    give(hers, 100)
    give(hers, 100, expires_at=now + DAY)
    give(hers, 100, active_at=now + DAY)
    give(hers, 100, pending_event="parcel")
    with pytest.raises(NotEnough) as refused:
        spend(hers, 201)
    assert refused.value.params == {"available": 200}
    with pytest.raises(NotEnough) as refused:
        spend(hers, 201, now=now + DAY)
    assert refused.value.params == {"available": 200}, "one lot has ended as another began"
    assert left(hers) == [100, 100, 100, 100]
    spend(hers, 200, now=now + DAY)
    assert left(hers) == [0, 100, 0, 100]
    assert differences() == []


def test_each_spending_of_one_call_leaves_less_for_the_next(unit, account, give, now):
    credit = unit()
    hers = account(credit)
    give(hers, 100)
    used = operations.shop_account(credit, "redeemed")
    wishes = [
        operations.Transfer(source=f"s{n}", from_id=hers.pk, to_id=used, amount=amount, verb="spend")
        for n, amount in enumerate([60, 60, 40])
    ]
    moved = operations.transfer(transfers=wishes, now=now, by=BY)
    assert set(moved.entries) == {"s0", "s2"}
    assert {source: (why.code, why.params) for source, why in moved.refused.items()} == {
        "s1": ("ledger.not_enough", {"available": 40})
    }
    assert balance(hers) == 0


def test_a_frozen_account_takes_but_does_not_give(unit, account, give, spend, now):
    hers = account(unit())
    give(hers, 100)
    operations.freeze(account_id=hers.pk, is_frozen=True, now=now, by=BY, reason="stolen")
    give(hers, 50)
    with pytest.raises(Frozen):
        spend(hers, 10)
    with pytest.raises(Frozen):
        operations.hold(account_id=hers.pk, amount=10, source="h", expires_at=now + DAY, now=now)
    operations.freeze(account_id=hers.pk, is_frozen=False, now=now, by=BY, reason="found")
    spend(hers, 150)
    assert balance(hers) == 0


def test_value_passes_from_one_customer_to_another(unit, account, customers, give, now):
    credit = unit()
    hers, his = account(credit, customers[0]), account(credit, customers[1])
    give(hers, 100, expires_at=now + DAY)
    wish = operations.Transfer(
        source="present", from_id=hers.pk, to_id=his.pk, amount=60, verb="transfer", expires_at=now + 90 * DAY
    )
    operations.transfer_one(wish=wish, now=now, by=BY)
    assert (balance(hers), balance(his)) == (40, 60)
    assert Lot.objects.get(account=his).expires_at == now + 90 * DAY
    assert differences() == []


def test_a_balance_as_of_any_instant(unit, account, give, spend, now):
    hers = account(unit())
    give(hers, 100, effective_at=now - 10 * DAY)
    give(hers, 50, effective_at=now - 5 * DAY)
    spend(hers, 30)
    days = [11, 10, 6, 5, 1, 0]
    seen = [balances_as_of([hers.pk], at=now - n * DAY)[hers.pk] for n in days]
    assert seen == [0, 100, 100, 150, 150, 120]


def test_a_balance_says_what_of_it_can_be_spent(unit, account, give, now):
    hers = account(unit())
    give(hers, 100, expires_at=now + 3 * DAY)
    give(hers, 40, expires_at=now + 3 * DAY)
    give(hers, 20, pending_event="parcel")
    operations.hold(account_id=hers.pk, amount=30, source="h", expires_at=now + DAY, now=now)
    (found,) = balances([hers.pk], now=now)
    assert (found.amount, found.available, found.pending, found.held) == (160, 110, 20, 30)
    assert (found.expires_next_at, found.expires_next) == (now + 3 * DAY, 140)


class TestTheDatabaseRefuses:
    def test_an_entry_between_units(self, unit, account, now):
        hers, other = account(unit("credit")), unit("other")
        mixed = Entry(
            unit=hers.unit, from_account_id=operations.shop_account(other, "issued"), to_account=hers, amount=1,
            source="x", verb="issue", effective_at=now, recorded_at=now, by="x",
        )  # fmt: skip
        with pytest.raises(IntegrityError, match="entry_giver_in_unit"), transaction.atomic():
            mixed.save(force_insert=True)

    @pytest.mark.parametrize("statement", ["UPDATE {} SET amount = 1", "DELETE FROM {}"])
    @pytest.mark.parametrize("table", ["ledger_entry", "ledger_draw"])
    def test_changing_what_was_written(self, unit, account, give, spend, table, statement):
        hers = account(unit())
        give(hers, 100)
        spend(hers, 10)
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement.format(table))

    @pytest.mark.parametrize("table", ["ledger_entry", "ledger_draw"])
    def test_emptying_the_books(self, shop, table):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL retention.may_truncate = 'off'")
            with pytest.raises(DatabaseError, match="append-only"):
                cursor.execute(f"TRUNCATE {table} CASCADE")

    def test_a_balance_below_zero_or_below_what_is_held(self, unit, account, give):
        hers = account(unit())
        give(hers, 100)
        for values in ({"balance": -1}, {"held": 101}):
            with pytest.raises(IntegrityError, match="balance_covers_what_is_held"), transaction.atomic():
                Account.objects.filter(pk=hers.pk).update(**values)

    def test_a_lot_below_zero(self, unit, account, give):
        hers = account(unit())
        give(hers, 100)
        with pytest.raises(IntegrityError, match="lot_keeps_what_is_left"), transaction.atomic():
            Lot.objects.update(remaining=-1)

    def test_two_accounts_of_one_owner(self, unit, account, now):
        hers = account(unit())
        with pytest.raises(IntegrityError, match="one_account_a_customer_and_unit"), transaction.atomic():
            Account.objects.create(unit=hers.unit, kind="customer", customer=hers.customer, opened_at=now)
