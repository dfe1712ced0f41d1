"""A partner's statement of a period: what was owed before, what came and went, what is owed after."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import OuterRef, Q, Subquery, Sum
from django.utils.translation import gettext as _

from referrals.commissions import share
from referrals.models import Commission, Partner, Referral
from referrals.operations.commissions import ORIGIN, NoRate, in_currency, left_of
from retention import clock, money
from retention.customers.models import Return
from retention.ledger.models import Account, Entry
from retention.ledger.querysets import balances, balances_as_of
from retention.work.querysets import shop_zone

#: Of a referral that qualified and is not rewarded yet.
_WAITING = (Referral.State.HOLD, Referral.State.REVIEW, Referral.State.APPROVED)


@dataclass(frozen=True)
class Line:
    """One entry as its partner sees it; `amount_minor` is negative where it went out."""

    at: dt.datetime
    verb: str
    amount_minor: int
    balance_minor: int
    of_minor: int | None = None
    basis_points: int | None = None

    @property
    def words(self) -> str:
        return {
            "issue": _("Commission"),
            "take_back": _("Taken back"),
            "pay_out": _("Paid out"),
            "adjust": _("Corrected"),
        }.get(self.verb, self.verb)


@dataclass(frozen=True)
class Statement:
    """From the first day to the last, both included, by the shop's clock; amounts in the partner's currency.

    `coming_minor`, `pending_minor` and `set_aside_minor` are of now: what orders will earn that can still come back and
    is in no balance yet, what was earned and waits for the end of a hold, and what is in payouts that the bank has not
    paid yet.
    """

    partner: Partner
    first: dt.date
    last: dt.date
    as_of: dt.datetime
    opening_minor: int
    closing_minor: int
    coming_minor: int
    pending_minor: int
    set_aside_minor: int
    lines: tuple[Line, ...]

    def sum_of(self, verb: str) -> int:
        return sum(line.amount_minor for line in self.lines if line.verb == verb)

    @property
    def currency(self) -> str:
        return self.partner.currency


def statement(partner: Partner, *, first: dt.date, last: dt.date, now: dt.datetime) -> Statement:
    zone = shop_zone()
    starts = clock.local_instant(first, dt.time(), zone)
    ends = clock.local_instant(last + dt.timedelta(days=1), dt.time(), zone)
    account = Account.objects.filter(origin=ORIGIN, origin_id=partner.pk, unit__currency=partner.currency).first()
    coming = coming_minor(partner)
    if account is None:
        return Statement(partner, first, last, now, 0, 0, coming, 0, 0, ())
    instant = dt.timedelta(microseconds=1)
    opening = balances_as_of([account.pk], at=starts - instant)[account.pk]
    lines = tuple(_lines(account, opening, starts, ends))
    (present,) = balances([account.pk], now=now)
    closing = lines[-1].balance_minor if lines else opening
    return Statement(partner, first, last, now, opening, closing, coming, present.pending, present.held, lines)


def coming_minor(partner: Partner) -> int:
    """What a partner's referrals that qualified would earn her if no more of their orders came back.

    Without those whose exchange rate nobody said yet: they cannot be earned either.
    """
    waiting = Referral.objects.filter(
        advocate__partner=partner, state__in=_WAITING, order__isnull=False, commission__isnull=True
    )
    refunded = Return.objects.filter(order=OuterRef("order")).values("order").annotate(sum=Sum("amount_minor"))
    coming = 0
    for each in waiting.select_related("order").annotate(refunded=Subquery(refunded.values("sum"))):
        try:
            of = in_currency(left_of(each.order, refunded=each.refunded or 0), each.order, partner)
        except NoRate:
            continue
        coming += share(of, partner.basis_points)
    return coming


def as_rows(found: Statement) -> Iterator[list[str]]:
    """The statement as rows of a file; nothing in it is typed by anybody."""
    yield ["day", "what", "amount", "currency", "share_percent", "of_amount", "balance"]
    yield [found.first.isoformat(), "opening balance", "", found.currency, "", "", _plain(found.opening_minor, found)]
    zone = clock.zone(shop_zone())
    for line in found.lines:
        yield [
            line.at.astimezone(zone).date().isoformat(),
            {"issue": "commission", "take_back": "taken back", "pay_out": "paid out"}.get(line.verb, line.verb),
            _plain(line.amount_minor, found),
            found.currency,
            f"{line.basis_points / 100:g}" if line.basis_points is not None else "",
            _plain(line.of_minor, found) if line.of_minor is not None else "",
            _plain(line.balance_minor, found),
        ]
    yield [found.last.isoformat(), "closing balance", "", found.currency, "", "", _plain(found.closing_minor, found)]


def _plain(minor: int, found: Statement) -> str:
    return str(money.to_major(minor, found.currency))


def _lines(account: Account, opening: int, starts: dt.datetime, ends: dt.datetime) -> Iterator[Line]:
    moved = Entry.objects.filter(Q(from_account=account) | Q(to_account=account))
    entries = list(moved.filter(effective_at__gte=starts, effective_at__lt=ends).order_by("effective_at", "pk"))
    earned = Commission.objects.filter(referral__in=[each.origin_id for each in entries if each.verb == "issue"])
    shares = {commission.entry_id: commission for commission in earned}
    balance = opening
    for entry in entries:
        amount = entry.amount if entry.to_account_id == account.pk else -entry.amount
        balance += amount
        share = shares.get(entry.pk)
        yield Line(
            entry.effective_at,
            entry.verb,
            amount,
            balance,
            share.of_minor if share else None,
            share.basis_points if share else None,
        )
