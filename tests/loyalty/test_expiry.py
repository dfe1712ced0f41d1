"""Expiry by inactivity, and the order of the night."""

import datetime as dt

import pytest

from loyalty import operations
from loyalty.models import Member
from loyalty.operations.expiry import TwoEnds, slide
from loyalty.rules import ProgrammeRule
from retention import registries
from retention.ledger import operations as ledger
from retention.ledger.jobs import Night
from retention.ledger.models import Account, Entry, Lot
from tests.loyalty.conftest import BY
from tests.loyalty.test_tiers import BERLIN, NOON, at, quiet

DAY = dt.timedelta(days=1)


@pytest.fixture
def club(programme, customers):
    made = programme(expires_after_inactive_days=365)
    operations.join(programme_id=made.pk, customer_ids=[c.pk for c in customers], now=NOON, by=BY)
    return made


def moves(programme, customer, amount: int, when: dt.datetime, *, is_spent: bool = False) -> None:
    unit = programme.unit
    hers = ledger.open_customer_accounts(unit=unit, customer_ids=[customer.pk], now=when)[customer.pk]
    shop = ledger.shop_account(unit, Account.Purpose.REDEEMED if is_spent else Account.Purpose.ISSUED)
    from_id, to_id = (hers, shop) if is_spent else (shop, hers)
    wish = ledger.Transfer(
        source=f"{customer.pk}:{when.timestamp()}:{amount}", from_id=from_id, to_id=to_id, amount=amount,
        verb=Entry.Verb.SPEND if is_spent else Entry.Verb.ISSUE, effective_at=when,
    )  # fmt: skip
    ledger.transfer_one(wish=wish, now=when, by=BY)


def ends(customer) -> set[str]:
    lots = Lot.objects.filter(account__customer=customer, remaining__gt=0)
    return {f"{lot.expires_at.astimezone(BERLIN):%Y-%m-%d %H:%M}" for lot in lots}


def test_ends_move_with_whatever_she_earns_or_spends(club, customers):
    anna, boris, *_others = customers
    moves(club, anna, 100, NOON)
    moves(club, boris, 100, NOON)
    assert slide(now=NOON, progress=quiet) == 2
    assert ends(anna) == ends(boris) == {"2027-05-13 00:00"}
    moves(club, anna, 50, NOON + 30 * DAY)
    slide(now=NOON + 30 * DAY, progress=quiet)
    assert (ends(anna), ends(boris)) == ({"2027-06-12 00:00"}, {"2027-05-13 00:00"})
    moves(club, anna, 10, at("2026-12-31 23:59"), is_spent=True)
    slide(now=at("2026-12-31 23:59"), progress=quiet)
    assert ends(anna) == {"2028-01-01 00:00"}
    assert Member.objects.get(customer=anna).active_at == at("2026-12-31 23:59")
    assert slide(now=at("2026-12-31 23:59"), progress=quiet) == 0


def test_who_did_nothing_for_so_long_loses_all_of_it_in_the_night(club, customers):
    anna, boris, *_others = customers
    for one in (anna, boris):
        moves(club, one, 100, NOON)
    slide(now=NOON, progress=quiet)
    # She spends in the last minute; the night moves her ends before anything goes.
    moves(club, boris, 30, at("2027-05-12 23:59"), is_spent=True)
    assert Night.run(now=at("2027-05-13 00:00"), progress=quiet)["steps"]["ledger.expire"] == 1
    balances = dict(Account.objects.exclude(customer=None).values_list("customer__reference", "balance"))
    assert balances == {"c1": 0, "c2": 70}


def test_a_saved_rule_moves_everybodys_ends(club, customers):
    moves(club, customers[0], 100, NOON)
    slide(now=NOON, progress=quiet)
    saved_days(club, 30)
    slide(now=NOON + DAY, progress=quiet)
    assert ends(customers[0]) == {"2026-06-12 00:00"}
    saved_days(club, None)
    slide(now=NOON + DAY, progress=quiet)
    assert ends(customers[0]) == {"2026-06-12 00:00"}


def saved_days(club, days: int | None) -> None:
    club.refresh_from_db()
    rule = ProgrammeRule.model_validate({**club.version.data, "expires_after_inactive_days": days})
    operations.save_programme(programme_id=club.pk, rule=rule, edited=club.version.number, now=NOON, by=BY)


def test_what_has_ended_is_not_brought_back(club, customers):
    moves(club, customers[0], 100, NOON)
    slide(now=NOON, progress=quiet)
    moves(club, customers[0], 40, at("2027-05-13 08:00"))
    slide(now=at("2027-05-13 08:00"), progress=quiet)
    assert ends(customers[0]) == {"2027-05-13 00:00", "2028-05-13 00:00"}


def test_a_unit_has_ends_of_one_kind(programme):
    expiry = {"kind": "after", "count": 1, "per": "year"}
    with pytest.raises(TwoEnds):
        programme(unit_rule={"expiry": expiry}, expires_after_inactive_days=365)
    programme(key="cash", unit_rule={"expiry": expiry})


def test_the_night_is_in_the_order_that_was_promised():
    steps = sorted(registries.nights, key=lambda step: step.order)
    assert [step.key for step in steps] == [
        "loyalty.rewards", "loyalty.tiers", "loyalty.ends", "ledger.expire", "loyalty.balance"]  # fmt: skip


def test_the_night_can_be_foretold_and_run_again(club, customers):
    moves(club, customers[0], 100, NOON)
    slide(now=NOON, progress=quiet)
    midnight = at("2027-05-13 00:00")
    assert Night.preview(now=midnight)["steps"]["ledger.expire"] == 1
    assert Night.run(now=midnight, progress=quiet)["due"] == 1
    assert Night.run(now=midnight, progress=quiet)["due"] == 0


def test_a_step_that_fails_holds_up_those_after_it(club, customers, monkeypatch):
    moves(club, customers[0], 100, NOON)
    slide(now=NOON, progress=quiet)
    midnight = at("2027-05-13 00:00")

    def breaks(*, now, progress):
        raise RuntimeError("pulled")

    monkeypatch.setattr(registries.nights["loyalty.tiers"], "run", breaks)
    with pytest.raises(RuntimeError):
        Night.run(now=midnight, progress=quiet)
    assert Account.objects.get(customer=customers[0]).balance == 100
    monkeypatch.undo()
    Night.run(now=midnight, progress=quiet)
    assert Account.objects.get(customer=customers[0]).balance == 0
