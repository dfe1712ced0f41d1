"""Payouts: drawn up and set aside in the books, approved by another person, written for the bank, and paid."""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _
from stdnum.iban import is_valid

from referrals.models import Partner, Payout, PayoutBatch
from referrals.operations.commissions import ORIGIN, PURPOSE
from retention.actors import Actor
from retention.audit.operations import record
from retention.bulk import batches
from retention.ledger import operations as ledger
from retention.ledger.models import Account, Entry, Hold, Unit
from retention.ledger.operations import Transfer
from retention.ledger.operations.transfers import MOST, Frozen, NotEnough
from retention.ledger.querysets import balances
from retention.refusals import Refused

#: What is set aside waits for the bank as long as it takes: it is paid or cancelled by a person.
KEPT = dt.timedelta(days=3_650)
State = PayoutBatch.State


class NoSuchBatch(Refused):
    code = "referrals.no_such_batch"
    sentence = _("There are no such payouts.")
    status = 404


class NothingToPay(Refused):
    code = "referrals.nothing_to_pay"
    sentence = _("Nothing in %(currency)s is to be paid now: %(low)s partners have less than their least, %(bare)s lack"
                 " an account at a bank.")  # fmt: skip


class BatchStateDiffers(Refused):
    code = "referrals.batch_state_differs"
    sentence = _("These payouts are %(state)s.")


class DrawnUpByYou(Refused):
    code = "referrals.drawn_up_by_you"
    sentence = _("You drew these payouts up; somebody else must approve them.")


class NeedsAPerson(Refused):
    code = "referrals.needs_a_person"
    sentence = _("Payouts are approved by a person.")
    status = 403


class OwedLess(Refused):
    code = "referrals.owed_less"
    sentence = _(
        "Commissions were taken back since these payouts were drawn up: %(count)s of them are more than is owed now."
        " Cancel them and draw them up again."
    )


@dataclass(frozen=True)
class Outlook:
    """What drawing up would pay now, and whom it would leave out.

    Attributes:
        low: partners with less than their least.
        bare: partners without an account at a bank.
    """

    currency: str
    amounts: dict[int, int]
    low: int
    bare: int

    @property
    def total_minor(self) -> int:
        return sum(self.amounts.values())


def outlook(*, currency: str, now: dt.datetime) -> Outlook:
    """Partner → all that she can be paid now, of those who reach their least and have an account at a bank."""
    partners = {partner.pk: partner for partner in Partner.objects.filter(currency=currency)}
    accounts = dict(_accounts(currency).filter(balance__gt=0).values_list("pk", "origin_id"))
    low, bare, amounts = 0, 0, {}
    for balance in balances(list(accounts), now=now):
        partner = partners[accounts[balance.account_id]]
        if balance.available <= 0:
            continue
        if balance.available < partner.least_minor:
            low += 1
        elif not (is_valid(partner.iban) and partner.payee):
            bare += 1
        else:
            amounts[partner.pk] = balance.available
    return Outlook(currency, amounts, low, bare)


@transaction.atomic
def draw_up(*, currency: str, now: dt.datetime, by: Actor) -> PayoutBatch:
    """Set everything that can be paid in a currency aside, so that no other payouts hold it too.

    Raises:
        NothingToPay
    """
    found = outlook(currency=currency, now=now)
    accounts = dict(_accounts(currency).filter(origin_id__in=found.amounts).values_list("origin_id", "pk"))
    batch = PayoutBatch.objects.create(currency=currency, drawn_up_at=now, drawn_up_by_id=by.staff_id)
    payouts = []
    # In the order of their accounts, as everybody locks them.
    for partner_id, account_id in sorted(accounts.items(), key=lambda pair: pair[1]):
        amount = found.amounts[partner_id]
        try:
            held = ledger.hold(
                account_id=account_id, amount=amount, source=f"payout:{batch.pk}:{partner_id}", expires_at=now + KEPT,
                origin="referrals.payoutbatch", origin_id=batch.pk, now=now,
            )  # fmt: skip
        except (NotEnough, Frozen):
            continue  # somebody else set it aside a moment ago, or it is blocked
        payouts.append(Payout(batch=batch, partner_id=partner_id, amount_minor=amount, hold_id=held.pk))
    if not payouts:
        raise NothingToPay(currency=currency, low=found.low, bare=found.bare)
    Payout.objects.bulk_create(payouts)
    record(
        verb="referrals.draw_up_payouts", by=by, now=now, subject=batch,
        after={"payouts": len(payouts), "amount_minor": sum(each.amount_minor for each in payouts)},
    )  # fmt: skip
    return batch


@transaction.atomic
def approve_payouts(*, batch_id: int, now: dt.datetime, by: Actor) -> PayoutBatch:
    """Somebody else than who drew them up lets them be paid.

    Raises:
        NoSuchBatch, BatchStateDiffers, DrawnUpByYou, NeedsAPerson
        OwedLess: some of it was taken back since.
    """
    batch = _locked(batch_id, State.DRAFT)
    if by.staff_id is None:
        raise NeedsAPerson
    if by.staff_id == batch.drawn_up_by_id:
        raise DrawnUpByYou
    if short := short_of(batch).count():
        raise OwedLess(count=short)
    return _turned(batch, State.APPROVED, now, by, approved_at=now, approved_by_id=by.staff_id)


@transaction.atomic
def cancel_payouts(*, batch_id: int, now: dt.datetime, by: Actor) -> PayoutBatch:
    """What was set aside for them can be paid with others again.

    Raises:
        NoSuchBatch, BatchStateDiffers
    """
    batch = _locked(batch_id, State.DRAFT, State.APPROVED)
    ledger.release(hold_ids=list(batch.payouts.values_list("hold_id", flat=True)), now=now)
    return _turned(batch, State.CANCELLED, now, by)


@transaction.atomic
def pay_out(*, batch_id: int, reference: str, now: dt.datetime, by: Actor) -> PayoutBatch:
    """The bank has paid them: the cash leaves the books, once.

    What was taken back since they were approved has been paid all the same; it is owed, and comes off what is earned
    next.

    Raises:
        NoSuchBatch, BatchStateDiffers
        HoldGone, Frozen: of one of them; then nothing is written.
    """
    batch = _locked(batch_id, State.APPROVED)
    payouts = list(batch.payouts.order_by("pk"))
    accounts = dict(Hold.objects.filter(pk__in=[each.hold_id for each in payouts]).values_list("pk", "account_id"))
    unit = Unit.objects.get(key=f"{PURPOSE}_{batch.currency.lower()}")
    out = ledger.shop_account(unit, Account.Purpose.PAID_OUT)
    wishes = [
        Transfer(
            source=f"payout:{each.pk}", from_id=accounts[each.hold_id], to_id=out, amount=each.amount_minor,
            verb=Entry.Verb.PAY_OUT, hold_id=each.hold_id, policy="negative", origin="referrals.payoutbatch",
            origin_id=batch.pk,
        )
        for each in payouts
    ]  # fmt: skip
    entries: dict[str, int] = {}
    for some in batches(wishes, MOST):
        moved = ledger.transfer(transfers=some, now=now, by=by)
        for why in moved.refused.values():
            raise Refused.by_code[why.code](**why.params)
        entries.update(moved.entries)
    for each in payouts:
        each.entry_id = entries[f"payout:{each.pk}"]
    Payout.objects.bulk_update(payouts, ["entry_id"], batch_size=MOST)
    return _turned(batch, State.PAID, now, by, paid_at=now, reference=reference.strip())


def short_of(batch: PayoutBatch) -> QuerySet[Account]:
    """Accounts of these payouts that have less than is set aside of them."""
    holds = batch.payouts.values("hold_id")
    return Account.objects.filter(holds__in=holds, balance__lt=F("held"))


def _accounts(currency: str) -> QuerySet[Account]:
    return Account.objects.filter(kind=Account.Kind.PARTNER, origin=ORIGIN, unit__key=f"{PURPOSE}_{currency.lower()}")


def _locked(batch_id: int, *states: str) -> PayoutBatch:
    batch = PayoutBatch.objects.select_for_update().filter(pk=batch_id).first()
    if batch is None:
        raise NoSuchBatch
    if batch.state not in states:
        raise BatchStateDiffers(state=batch.get_state_display())
    return batch


def _turned(batch: PayoutBatch, state: str, now: dt.datetime, by: Actor, **columns: object) -> PayoutBatch:
    before = batch.state
    PayoutBatch.objects.filter(pk=batch.pk).update(state=state, **columns)
    record(
        verb=f"referrals.payouts_{state}", by=by, now=now, subject=batch, before={"state": before},
        after={"state": state},
    )  # fmt: skip
    batch.refresh_from_db()
    return batch
