"""Commissions: earned by partners in cash of their own accounts, and taken back with what comes back of an order."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from referrals.commissions import converted, share, still_earned
from referrals.models import Commission, Partner, Referral
from retention import clock
from retention.actors import Actor
from retention.customers.models import Order, Return
from retention.ledger import operations as ledger
from retention.ledger.models import Account, Entry
from retention.ledger.operations import Transfer
from retention.marks import safe_mark
from retention.refusals import Refused
from retention.shop.models import ExchangeRate, Shop
from retention.work.models import Watermark

JOB = "referrals.commissions"
#: Whose accounts a partner's are.
ORIGIN = "referrals.partner"
PURPOSE = "cash"

_CHANGED = """
SELECT commission.id FROM referrals_commission commission
JOIN referrals_referral referral ON referral.id = commission.referral_id
JOIN customers_order bought ON bought.id = referral.order_id
WHERE commission.taken_back_minor < commission.amount_minor
  AND bought.state IN ('cancelled', 'returned', 'partially_returned')
  AND bought.xid >= %(since)s::text::xid8 AND bought.xid < %(until)s::text::xid8
ORDER BY commission.id
"""


class NoRate(Refused):
    code = "referrals.no_rate"
    sentence = _("There is no exchange rate of %(currency)s for %(day)s; add it, and the commission follows.")


@dataclass(frozen=True)
class TakenBack:
    """Commissions looked at, and of how many something was taken back."""

    due: int
    taken: int

    def as_dict(self) -> dict[str, Any]:
        return {"due": self.taken}


@transaction.atomic
def earn_commission(*, referral: Referral, now: dt.datetime, by: Actor) -> Commission | None:
    """What this referral's order earns its partner; again, the same one. None: nothing is left of the order to share.

    It may be called once the referral is rewarded, or as soon as it qualified: while the referral is in its hold, the
    commission waits until that ends.

    Raises:
        NoRate: the partner is paid in another currency, and nobody said its rate.
    """
    known = Commission.objects.filter(referral=referral).first()
    if known is not None:
        return known
    partner = referral.advocate.partner
    if partner is None or referral.order_id is None:
        raise ValueError("a commission is a partner's, for an order")
    # A return that comes at this moment waits, and is followed by `take_back_due`.
    order = Order.objects.select_for_update(no_key=True).get(pk=referral.order_id)
    paid = left_of(order)
    of = in_currency(paid, order, partner)
    amount = share(of, partner.basis_points)
    if amount <= 0:
        return None
    waits = referral.state == Referral.State.HOLD and referral.due_at and referral.due_at > now
    entry_id = ledger.transfer_one(
        wish=Transfer(
            source=f"commission:{referral.pk}",
            from_id=ledger.shop_account(_unit(partner, now, by), Account.Purpose.ISSUED),
            to_id=account_of(partner, now=now, by=by),
            amount=amount,
            verb=Entry.Verb.ISSUE,
            active_at=referral.due_at if waits else now,
            origin="referrals.referral",
            origin_id=referral.pk,
        ),
        now=now,
        by=by,
    )
    commission, _is_new = Commission.objects.get_or_create(
        referral=referral,
        defaults={
            "partner": partner, "entry_id": entry_id, "paid_minor": paid, "of_minor": of, "amount_minor": amount,
            "basis_points": partner.basis_points, "earned_at": now,
        },
    )  # fmt: skip
    return commission


@transaction.atomic
def take_back_commission(*, referral: Referral, now: dt.datetime, by: Actor) -> int:
    """Take a commission back as far as its order came back, or whole if the referral was rejected or reversed.

    Returns how much was taken by this call; again, nothing. What was paid out already is owed, and comes off what the
    partner earns next.
    """
    commission = (
        Commission.objects.select_for_update(no_key=True, of=("self",))
        .select_related("referral__order", "partner")
        .filter(referral=referral)
        .first()
    )
    if commission is None:
        return 0
    is_void = referral.state in (Referral.State.REJECTED, Referral.State.REVERSED)
    target = commission.amount_minor - (0 if is_void else _still_earned(commission))
    amount = target - commission.taken_back_minor
    if amount <= 0:
        return 0
    ledger.take_back(
        entry_id=commission.entry_id, amount=amount, source=f"commission:{referral.pk}:back:{target}",
        reason="referrals.came_back", policy="negative", is_partial=False, origin="referrals.referral",
        origin_id=referral.pk, now=now, by=by,
    )  # fmt: skip
    Commission.objects.filter(pk=commission.pk).update(taken_back_minor=target)
    return amount


def take_back_due(*, now: dt.datetime, progress: Callable[[int, int], None] | None = None) -> TakenBack:
    """Follow what orders and returns that came since the last run say of commissions; again, nothing more."""
    until = safe_mark()
    changed = list(_changed(until))
    taken = 0
    for done, commission_id in enumerate(changed, start=1):
        referral = Referral.objects.get(commission=commission_id)
        taken += take_back_commission(referral=referral, now=now, by=Actor.job(JOB)) > 0
        if progress:
            progress(done, len(changed))
    Watermark.objects.update_or_create(key=JOB, defaults={"mark": until, "at": now})
    return TakenBack(len(changed), taken)


def count_to_take_back() -> int:
    """How many commissions `take_back_due` would look at now."""
    return len(list(_changed(safe_mark())))


def account_of(partner: Partner, *, now: dt.datetime, by: Actor) -> int:
    """Her account of cash in her currency; opened where there was none."""
    unit = _unit(partner, now, by)
    opened = ledger.open_accounts_of(
        kind=Account.Kind.PARTNER, unit=unit, origin=ORIGIN, origin_ids=[partner.pk], now=now
    )
    return opened[partner.pk]


def left_of(order: Order, *, refunded: int | None = None) -> int:
    """What was paid for an order and has not come back, in its currency. `refunded`: where the caller knows it."""
    if order.state in (Order.State.CANCELLED, Order.State.RETURNED):
        return 0
    if refunded is None:
        refunded = Return.objects.filter(order=order).aggregate(sum=Sum("amount_minor"))["sum"] or 0
    return max(0, order.total_minor - refunded)


def _still_earned(commission: Commission) -> int:
    return still_earned(
        amount_minor=commission.amount_minor,
        of_minor=commission.of_minor,
        paid_minor=commission.paid_minor,
        left_minor=left_of(commission.referral.order),
        basis_points=commission.basis_points,
    )


def in_currency(minor: int, order: Order, partner: Partner) -> int:
    """So much of an order in the partner's currency, by the base amount and the rate of the order's day.

    Raises:
        NoRate
    """
    if partner.currency == order.currency or not order.total_minor:
        return minor
    base = Shop.objects.get().currency
    in_base = round(Decimal(minor) * order.base_minor / order.total_minor)
    if partner.currency == base:
        return in_base
    day = order.placed_at.astimezone(clock.UTC).date()  # as its own rate was found
    rates = ExchangeRate.objects.filter(currency=partner.currency, on__lte=day).order_by("-on")
    rate = rates.values_list("rate", flat=True).first()
    if rate is None:
        raise NoRate(currency=partner.currency, day=day.isoformat())
    return converted(in_base, base=base, currency=partner.currency, rate=rate)


def _unit(partner: Partner, now: dt.datetime, by: Actor):
    return ledger.money_unit(purpose=PURPOSE, currency=partner.currency, now=now, by=by)


def _changed(until: int) -> Iterator[int]:
    since = Watermark.objects.filter(key=JOB).values_list("mark", flat=True).first() or 0
    with connection.cursor() as cursor:
        cursor.execute(_CHANGED, {"since": since, "until": until})
        yield from (pk for (pk,) in cursor.fetchall())
