"""What partners earn of an order, and what is taken back with what comes back."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.commissions import converted, share, still_earned
from referrals.models import Commission, Referral
from referrals.operations.commissions import (
    NoRate,
    account_of,
    count_to_take_back,
    earn_commission,
    take_back_commission,
    take_back_due,
)
from retention.customers.models import Order
from retention.ledger.models import Account, Entry
from retention.ledger.querysets import balances
from tests.marks import settle
from tests.referrals.partners.conftest import BY


def cash(partner, now):
    (balance,) = balances([account_of(partner, now=now, by=BY)], now=now)
    return balance.amount, balance.available


def test_a_share_is_rounded_once():
    assert share(8_000, 1_000) == 800
    assert share(333, 1_250) == 42  # 41.625
    assert converted(8_000, base="EUR", currency="USD", rate=Decimal("0.8")) == 10_000
    assert converted(8_000, base="EUR", currency="JPY", rate=Decimal("0.00625")) == 12_800


@given(
    paid=st.integers(1, 10**7),
    bp=st.integers(1, 10_000),
    parts=st.lists(st.integers(0, 10**6), max_size=6),
)
def test_what_is_left_never_grows_and_ends_at_nought(paid, bp, parts):
    amount, left, before = share(paid, bp), paid, share(paid, bp)
    for part in parts:
        left = max(0, left - part)
        now = still_earned(amount_minor=amount, of_minor=paid, paid_minor=paid, left_minor=left, basis_points=bp)
        assert 0 <= now <= before
        assert now == min(amount, share(left, bp))
        before = now


def test_it_is_cash_of_an_account_of_its_own(partner, referral, now):
    somebody = partner()
    commission = earn_commission(referral=referral(somebody), now=now, by=BY)
    assert (commission.amount_minor, commission.of_minor, commission.paid_minor) == (800, 8_000, 8_000)
    assert cash(somebody, now) == (800, 800)
    (account,) = Account.objects.exclude(kind="system")
    assert (account.kind, account.unit.key, account.customer_id) == ("partner", "cash_eur", None)


def test_asked_again_it_earns_nothing_more(partner, referral, now):
    somebody = partner()
    brought = referral(somebody)
    first = earn_commission(referral=brought, now=now, by=BY)
    assert earn_commission(referral=brought, now=now, by=BY) == first
    assert cash(somebody, now) == (800, 800)
    assert Entry.objects.count() == 1


def test_in_its_hold_it_waits(partner, referral, now):
    somebody = partner()
    held = referral(somebody, state=Referral.State.HOLD, due_at=now + dt.timedelta(days=14))
    earn_commission(referral=held, now=now, by=BY)
    assert cash(somebody, now) == (800, 0)
    assert cash(somebody, now + dt.timedelta(days=14)) == (800, 800)


def test_in_another_currency_by_the_rate_of_the_orders_day(partner, referral, order, rate, now):
    rate("USD", "0.8", dt.date(2026, 5, 1))
    rate("USD", "0.5", dt.date(2026, 5, 13))  # of tomorrow
    somebody = partner(currency="USD")
    bought = order(total=10_000_00, currency="CZK", base=400_00)
    commission = earn_commission(referral=referral(somebody, bought), now=now, by=BY)
    assert (commission.paid_minor, commission.of_minor, commission.amount_minor) == (10_000_00, 500_00, 50_00)


def test_without_a_rate_it_says_which_is_missing(partner, referral, now):
    with pytest.raises(NoRate) as refused:
        earn_commission(referral=referral(partner(currency="USD")), now=now, by=BY)
    assert str(refused.value) == "There is no exchange rate of USD for 2026-05-12; add it, and the commission follows."
    assert not Commission.objects.exists()


def test_of_an_order_that_came_back_nothing_is_earned(partner, referral, order, now):
    gone = referral(partner(), order(state=Order.State.CANCELLED))
    assert earn_commission(referral=gone, now=now, by=BY) is None
    assert not Entry.objects.exists()


def test_parts_that_come_back_take_exactly_their_share(partner, referral, order, came_back, now):
    somebody, bought = partner(basis_points=1_250), order(total=9_99)
    brought = referral(somebody, bought)
    assert earn_commission(referral=brought, now=now, by=BY).amount_minor == 125  # 124.875
    takings = []
    for part in (3_33, 3_33, 3_33):
        came_back(bought, part)
        brought.refresh_from_db()
        takings.append(take_back_commission(referral=brought, now=now, by=BY))
    assert takings == [42, 41, 42]  # 83.25 and 41.625 are left in between
    assert cash(somebody, now) == (0, 0)
    assert take_back_commission(referral=brought, now=now, by=BY) == 0


def test_a_rejected_one_is_taken_back_whole_though_nothing_came_back(partner, referral, now):
    somebody = partner()
    brought = referral(somebody)
    earn_commission(referral=brought, now=now, by=BY)
    brought.state = Referral.State.REJECTED
    brought.save()
    assert take_back_commission(referral=brought, now=now, by=BY) == 800
    assert cash(somebody, now) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_the_sweep_follows_orders_that_changed(partner, referral, order, came_back, now):
    somebody, other = partner(), partner()
    bought, kept = order(), order()
    earn_commission(referral=referral(somebody, bought), now=now, by=BY)
    earn_commission(referral=referral(other, kept), now=now, by=BY)
    take_back_due(now=now)
    came_back(bought, 2_000)
    settle()
    assert count_to_take_back() == 1
    assert take_back_due(now=now).as_dict() == {"due": 1}
    assert (cash(somebody, now), cash(other, now)) == ((600, 600), (800, 800))
    assert take_back_due(now=now).as_dict() == {"due": 0}
    Order.objects.filter(pk=kept.pk).update(state="cancelled", xid=Order._meta.get_field("xid").db_default)
    settle()
    take_back_due(now=now)
    assert cash(other, now) == (0, 0)
