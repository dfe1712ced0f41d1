"""Payouts: who is in them, what is set aside, who approves, what the bank reads, and what leaves the books."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from referrals.bank_files import as_rows
from referrals.models import Partner, Payout, PayoutBatch, Referral
from referrals.operations.commissions import earn_commission, take_back_commission
from referrals.operations.partners import InPayouts, PartnerData, StillOwed, forget_partner, save_partner
from referrals.operations.payouts import (
    BatchStateDiffers,
    DrawnUpByYou,
    NeedsAPerson,
    NothingToPay,
    OwedLess,
    approve_payouts,
    cancel_payouts,
    draw_up,
    outlook,
    pay_out,
)
from referrals.statements.reading import as_rows as statement_rows
from referrals.statements.reading import statement
from retention.actors import Actor
from retention.audit.models import AuditEntry
from retention.ledger.models import Entry, Hold
from retention.ledger.operations.proofs import differences
from retention.shop.models import Staff
from tests.referrals.partners.conftest import BY
from tests.referrals.partners.test_commissions import cash


@pytest.fixture
def first(db):
    return Actor.staff(Staff.objects.create_user("first"))


@pytest.fixture
def second(db):
    return Actor.staff(Staff.objects.create_user("second"))


@pytest.fixture
def earned(referral, order, now):
    """A function: a partner earns her share of an order of so much."""

    def act(partner, total=8_000):
        brought = referral(partner, order(total=total))
        earn_commission(referral=brought, now=now, by=BY)
        return brought

    return act


def test_everybody_who_reaches_her_least_and_has_an_account(partner, earned, first, now):
    rich, poor, bare, dollars = partner(), partner(least_minor=801), partner(iban=""), partner(currency="USD")
    for one in (rich, poor, bare):
        earned(one)
    found = outlook(currency="EUR", now=now)
    assert (found.amounts, found.low, found.bare, found.total_minor) == ({rich.pk: 800}, 1, 1, 800)
    batch = draw_up(currency="EUR", now=now, by=first)
    assert list(batch.payouts.values_list("partner", "amount_minor")) == [(rich.pk, 800)]
    assert cash(rich, now) == (800, 0)  # set aside
    with pytest.raises(NothingToPay) as refused:
        draw_up(currency="USD", now=now, by=first)
    assert not PayoutBatch.objects.filter(currency=dollars.currency).exists()
    assert refused.value.params == {"currency": "USD", "low": 0, "bare": 0}


def test_what_is_set_aside_is_in_no_other_payouts(partner, earned, first, now):
    somebody = partner()
    earned(somebody)
    draw_up(currency="EUR", now=now, by=first)
    with pytest.raises(NothingToPay):
        draw_up(currency="EUR", now=now, by=first)
    earned(somebody, 5_000)
    assert draw_up(currency="EUR", now=now, by=first).payouts.get().amount_minor == 500


def test_two_people(partner, earned, first, second, now):
    earned(partner())
    batch = draw_up(currency="EUR", now=now, by=first)
    with pytest.raises(DrawnUpByYou):
        approve_payouts(batch_id=batch.pk, now=now, by=first)
    with pytest.raises(NeedsAPerson):
        approve_payouts(batch_id=batch.pk, now=now, by=Actor.key("shop"))
    with pytest.raises(BatchStateDiffers) as refused:
        pay_out(batch_id=batch.pk, reference="", now=now, by=second)
    assert str(refused.value) == "These payouts are to be approved."
    assert approve_payouts(batch_id=batch.pk, now=now, by=second).state == "approved"
    with pytest.raises(IntegrityError), transaction.atomic():
        PayoutBatch.objects.filter(pk=batch.pk).update(drawn_up_by=second.staff_id)


def test_paid_once_and_the_books_balance(partner, earned, first, second, now):
    somebody = partner()
    earned(somebody)
    batch = draw_up(currency="EUR", now=now, by=first)
    approve_payouts(batch_id=batch.pk, now=now, by=second)
    paid = pay_out(batch_id=batch.pk, reference=" B-1 ", now=now, by=first)
    assert (paid.state, paid.reference, paid.paid_at) == ("paid", "B-1", now)
    entry = Payout.objects.get().entry
    assert (entry.verb, entry.amount, entry.to_account.purpose) == ("pay_out", 800, "paid_out")
    assert Hold.objects.get().state == "captured"
    assert cash(somebody, now) == (0, 0)
    with pytest.raises(BatchStateDiffers):
        pay_out(batch_id=batch.pk, reference="", now=now, by=first)
    with pytest.raises(BatchStateDiffers):
        cancel_payouts(batch_id=batch.pk, now=now, by=first)
    assert Entry.objects.filter(verb="pay_out").count() == 1
    assert not list(differences())


def test_cancelled_ones_free_what_they_held(partner, earned, first, now):
    somebody = partner()
    earned(somebody)
    batch = draw_up(currency="EUR", now=now, by=first)
    cancel_payouts(batch_id=batch.pk, now=now, by=first)
    assert cash(somebody, now) == (800, 800)
    assert draw_up(currency="EUR", now=now, by=first).payouts.get().amount_minor == 800


def test_what_came_back_before_the_approval_stops_it(partner, earned, first, second, came_back, now):
    somebody = partner()
    brought = earned(somebody)
    batch = draw_up(currency="EUR", now=now, by=first)
    came_back(brought.order, 2_000)
    assert take_back_commission(referral=Referral.objects.get(), now=now, by=BY) == 200
    with pytest.raises(OwedLess):
        approve_payouts(batch_id=batch.pk, now=now, by=second)
    cancel_payouts(batch_id=batch.pk, now=now, by=second)
    assert draw_up(currency="EUR", now=now, by=first).payouts.get().amount_minor == 600


def test_what_comes_back_after_it_is_owed_and_comes_off_the_next(partner, earned, first, second, came_back, now):
    somebody = partner()
    brought = earned(somebody)
    batch = draw_up(currency="EUR", now=now, by=first)
    approve_payouts(batch_id=batch.pk, now=now, by=second)
    came_back(brought.order, 2_000)
    take_back_commission(referral=Referral.objects.get(), now=now, by=BY)
    pay_out(batch_id=batch.pk, reference="", now=now, by=first)
    assert cash(somebody, now) == (-200, 0)
    earned(somebody, 5_000)
    assert cash(somebody, now) == (300, 300)
    assert not list(differences())


def test_the_file_for_the_bank_holds_no_formula(partner, earned, first, now):
    somebody = partner(payee='=HYPERLINK("https://example.com")', reference="+p")
    earned(somebody)
    batch = draw_up(currency="EUR", now=now, by=first)
    head, row = as_rows(batch)
    assert row == [
        f"PAYOUT-{batch.pk}-{batch.payouts.get().pk}", "8.00", "EUR", "'=HYPERLINK(\"https://example.com\")",
        "DE89370400440532013000", f"Shop PAYOUT-{batch.pk}", "'+p",
    ]  # fmt: skip
    assert len(head) == len(row)


def test_whom_the_bank_pays_does_not_change_under_way(partner, earned, first, second, now):
    somebody = partner()
    earned(somebody)
    batch = draw_up(currency="EUR", now=now, by=first)
    told = {
        name: getattr(somebody, name) for name in ("reference", "name", "basis_points", "currency", "payee", "iban")
    }

    def save(**changes):
        return save_partner(partner_id=somebody.pk, data=PartnerData(**{**told, **changes}), now=now, by=first)

    for _state in ("drawn up", "approved"):
        for change in ({"iban": "GB82WEST12345698765432"}, {"payee": "Mallory"}):
            with pytest.raises(InPayouts):
                save(**change)
        save(email="new@example.com")
        if batch.state == "draft":
            batch = approve_payouts(batch_id=batch.pk, now=now, by=second)
    pay_out(batch_id=batch.pk, reference="", now=now, by=second)
    assert save(iban="GB82WEST12345698765432").iban == "GB82WEST12345698765432"


def test_a_statement_of_a_month(partner, earned, came_back, first, second, now):
    somebody, day = partner(), dt.timedelta(days=1)
    earn_commission(referral=earned(somebody).__class__.objects.get(), now=now, by=BY)
    second_one = earned(somebody, 5_000)
    batch = draw_up(currency="EUR", now=now + day, by=first)
    approve_payouts(batch_id=batch.pk, now=now + day, by=second)
    pay_out(batch_id=batch.pk, reference="", now=now + day, by=first)
    came_back(second_one.order, 1_000)
    take_back_commission(referral=second_one.__class__.objects.get(pk=second_one.pk), now=now + 30 * day, by=BY)
    may = statement(somebody, first=dt.date(2026, 5, 1), last=dt.date(2026, 5, 31), now=now)
    assert [(line.words, line.amount_minor, line.balance_minor) for line in may.lines] == [
        ("Commission", 800, 800), ("Commission", 500, 1_300), ("Paid out", -1_300, 0),
    ]  # fmt: skip
    june = statement(somebody, first=dt.date(2026, 6, 1), last=dt.date(2026, 6, 30), now=now + 30 * day)
    assert (june.opening_minor, june.sum_of("take_back"), june.closing_minor) == (0, -100, -100)
    assert list(statement_rows(may))[1:3] == [
        ["2026-05-01", "opening balance", "", "EUR", "", "", "0.00"],
        ["2026-05-12", "commission", "8.00", "EUR", "10", "80.00", "8.00"],
    ]


def test_forgotten_once_nothing_is_owed(partner, earned, first, second, now):
    somebody = partner()
    earned(somebody)
    with pytest.raises(StillOwed) as refused:
        forget_partner(partner_id=somebody.pk, now=now, by=first)
    assert str(refused.value) == "€8.00 are owed to this partner still. Pay it out first."
    batch = draw_up(currency="EUR", now=now, by=first)
    approve_payouts(batch_id=batch.pk, now=now, by=second)
    pay_out(batch_id=batch.pk, reference="", now=now, by=first)
    forget_partner(partner_id=somebody.pk, now=now, by=first)
    row = Partner.objects.filter(pk=somebody.pk).values("name", "email", "payee", "iban", "tax_number").get()
    assert row == {"name": "", "email": None, "payee": "", "iban": "", "tax_number": ""}
    assert Payout.objects.get().amount_minor == 800
    assert "example.com" not in str(list(AuditEntry.objects.values_list("before", "after")))
