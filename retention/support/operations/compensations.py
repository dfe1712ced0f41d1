"""Making a customer whole with one coupon of her own, and taking it back while it is unused."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from retention import clock, money
from retention.actors import Actor
from retention.audit import operations as audit
from retention.customers.models import Customer, OrderLine, Product
from retention.incentives import operations as incentives
from retention.messaging import operations as messaging
from retention.refusals import Refused
from retention.shop.models import Shop
from retention.support import querysets
from retention.support.models import Case, Compensation, Desk, Reason
from retention.support.operations import limits

#: What the desk's grants and deliveries name as their owner.
ORIGIN = "support.compensation"


class DeskNotReady(Refused):
    code = "support.desk_not_ready"
    sentence = _("The sorry desk has no coupon and no message yet. An administrator can run `manage.py seed`.")


class NotAnAmount(Refused):
    code = "support.not_an_amount"
    sentence = _("Give an amount above zero.")
    status = 422


class NotHers(Refused):
    code = "support.not_hers"
    sentence = _("That order, line or product does not belong to this customer's complaint.")
    status = 422


class UnknownCustomer(Refused):
    code = "support.unknown_customer"
    sentence = _("This customer is not there any more: erased, or merged into another one.")


class UnknownReason(Refused):
    code = "support.unknown_reason"
    sentence = _("This reason is not offered any more.")
    status = 422


class NoAddress(Refused):
    code = "support.no_address"
    sentence = _("There is no email address to send it to. Copy the code instead.")


class MadeWholeBefore(Refused):
    code = "support.made_whole_before"
    sentence = _("%(amount)s was given for the same complaint on %(day)s. Confirm to give again.")


class FormUsed(Refused):
    code = "support.form_used"
    sentence = _("This form was sent before with other values. Open the customer again.")


class AlreadyUndone(Refused):
    code = "support.already_undone"
    sentence = _("This was undone before.")


class NotYours(Refused):
    code = "support.not_yours"
    sentence = _("A colleague gave this. Ask a lead to undo it.")
    status = 403


@dataclass(frozen=True)
class Complaint:
    """What went wrong for whom.

    Attributes:
        product_id: the coupon is to be good for this product only.
        words: the agent's own, added to the mail.
        channel: how the customer came, such as "phone" or "chat".
    """

    customer_id: int
    reason_id: int
    order_id: int | None = None
    line_id: int | None = None
    product_id: int | None = None
    words: str = ""
    channel: str = ""


@dataclass(frozen=True)
class Compensated:
    """What became of one form; `is_repeated`: it had been sent before, and nothing more was given."""

    compensation: Compensation
    code: str
    is_repeated: bool


@transaction.atomic
def compensate(
    *,
    source: str,
    complaint: Complaint,
    amount_minor: int,
    now: dt.datetime,
    by: Actor,
    send: bool = True,
    is_confirmed: bool = False,
) -> Compensated:
    """Open a case and give its customer one coupon, bound to her, of `amount_minor` in the base currency.

    Sent at once as a transactional mail, or (`send=False`) given to be pasted. `source` is the form's token: the
    same one again answers the same and gives nothing.

    Locks are taken in this order: customer, so that of two agents the second sees what the first gave; case,
    allowance, then whatever the grant needs.

    Raises:
        Refused: one of this room's, or of the grant's; nothing is left behind then.
    """
    if by.staff_id is None:
        raise limits.NoLimit()
    living = Customer.objects.filter(pk=complaint.customer_id, merged_into=None, erased_at=None)
    customer = living.select_for_update(no_key=True).first()
    if customer is None:
        raise UnknownCustomer()
    case = _open_case(source, complaint, by, now)
    earlier = case.compensations.select_related("grant__code").first()
    if earlier:
        return _again(earlier, case, complaint, amount_minor)
    desk = Desk.objects.select_related("incentive", "template").first()
    if desk is None:
        raise DeskNotReady()
    if amount_minor <= 0:
        raise NotAnAmount()
    if send and not customer.email:
        raise NoAddress()
    shop = Shop.objects.get()
    product = _product(case, complaint.product_id)
    if not is_confirmed:
        _check_repeat(case, desk, now)
    day = shop_day(shop, now)
    limits.spend(staff_id=by.staff_id, day=day, amount_minor=amount_minor, currency=shop.currency)
    compensation = Compensation.objects.create(
        case=case,
        grant_id=_grant(desk, case, product, amount_minor, shop.currency, send, now, by),
        product=product,
        amount_minor=amount_minor,
        currency=shop.currency,
        base_minor=amount_minor,
        day=day,
        given_by_id=by.staff_id,
        given_at=now,
        is_sent=send,
    )
    if send:
        _queue(desk, compensation, now)
    _record("support.compensate", compensation, now=now, by=by)
    return Compensated(compensation, compensation.grant.code.code, is_repeated=False)


@transaction.atomic
def undo(*, compensation_id: int, now: dt.datetime, by: Actor, of_anyone: bool = False) -> Compensation:
    """Take back what was given while its code is unused: the code is dead, the allowance is whole again.

    Raises:
        AlreadyUndone, NotYours: and what the grant's voiding refuses with once the code was used.
    """
    found = Compensation.objects.select_for_update().get(pk=compensation_id)
    if found.undone_at:
        raise AlreadyUndone()
    if not of_anyone and by.staff_id != found.given_by_id:
        raise NotYours()
    incentives.void_grant(grant_id=found.grant_id, now=now, by=by, reason="support.undone")
    _close(found, why="undone", now=now, by=by)
    return found


def not_delivered(*, why: Mapping[int, str], now: dt.datetime, by: Actor) -> int:
    """Mails ended unsent and their coupons were taken back: so is what the agents had spent on them.

    `why` maps the compensation's id to the delivery's reason. Returns how many were closed.
    """
    open_ones = Compensation.objects.select_for_update().filter(pk__in=why, undone_at=None).order_by("pk")
    for found in open_ones:
        _close(found, why=why[found.pk] or "not_sent", now=now, by=by)
    return len(open_ones)


def shop_day(shop: Shop, now: dt.datetime) -> dt.date:
    return now.astimezone(clock.zone(shop.time_zone)).date()


def _open_case(source: str, complaint: Complaint, by: Actor, now: dt.datetime) -> Case:
    """The case of this form. Two clicks at once meet at its unique source: the second waits and finds the first's."""
    if not Reason.objects.filter(pk=complaint.reason_id, is_active=True).exists():
        raise UnknownReason()
    order_id = complaint.order_id
    if complaint.line_id is not None and order_id is None:
        order_id = OrderLine.objects.filter(pk=complaint.line_id).values_list("order_id", flat=True).first()
    case = Case(
        source=source,
        customer_id=complaint.customer_id,
        reason_id=complaint.reason_id,
        order_id=order_id,
        line_id=complaint.line_id,
        channel=complaint.channel,
        words=complaint.words.strip(),
        opened_by_id=by.staff_id,
        opened_at=now,
    )
    Case.objects.bulk_create([case], ignore_conflicts=True)
    found = Case.objects.select_related("reason", "order", "line__product").get(source=source)
    if found.order and found.order.customer_id != found.customer_id:
        raise NotHers()
    if found.line and found.line.order_id != found.order_id:
        raise NotHers()
    return found


def _again(earlier: Compensation, case: Case, complaint: Complaint, amount_minor: int) -> Compensated:
    """The same form a second time."""
    if (case.customer_id, earlier.amount_minor) != (complaint.customer_id, amount_minor):
        raise FormUsed()
    return Compensated(earlier, earlier.grant.code.code, is_repeated=True)


def _product(case: Case, product_id: int | None) -> Product | None:
    """The product the coupon is bound to: of the line, else of the order, else any of the catalogue."""
    if product_id is None:
        return None
    bought = [case.line] if case.line else list(case.order.lines.select_related("product")) if case.order else []
    if bought and product_id not in {line.product_id for line in bought}:
        raise NotHers()
    product = Product.objects.filter(pk=product_id, archived_at=None).first()
    if product is None:
        raise NotHers()
    return product


def _check_repeat(case: Case, desk: Desk, now: dt.datetime) -> None:
    before = querysets.same_complaint(case, since=now - dt.timedelta(days=desk.repeat_days))
    if before:
        shown = money.show(before.amount_minor, before.currency)
        raise MadeWholeBefore(amount=shown, day=before.day.isoformat())


def _grant(
    desk: Desk, case: Case, product: Product | None, amount: int, currency: str, send: bool, now: dt.datetime, by: Actor
) -> int:
    terms = {"amount_minor": amount, "currency": currency}
    granted = incentives.grant(
        incentive_id=desk.incentive_id,
        sources=[f"support:{case.source}"],
        customer_ids=[case.customer_id],
        origin="support.case",
        origin_ids=[case.pk],
        now=now,
        by=by,
        terms=[terms | {"products": [product.sku]} if product else terms],
        expires_at=now + dt.timedelta(days=desk.valid_days),
        is_given=not send,
    )
    for refusal in granted.refused.values():
        raise Refused.by_code[refusal.code](**refusal.params)
    return granted.grants[f"support:{case.source}"]


def _queue(desk: Desk, compensation: Compensation, now: dt.datetime) -> None:
    # The agent's words are looked up when the mail is made: a delivery's context holds nothing personal.
    message = messaging.Message(
        origin_id=compensation.pk,
        customer_id=compensation.case.customer_id,
        grant_id=compensation.grant_id,
        context={},
        not_before=now,
    )
    messaging.queue(template_id=desk.template_id, origin=ORIGIN, step=0, messages=[message], priority=100, now=now)


def _close(found: Compensation, *, why: str, now: dt.datetime, by: Actor) -> None:
    """Undone, by a person or because its mail never left: the allowance of its day gets it back."""
    found.undone_at, found.undone_by_id, found.undone_why = now, by.staff_id, why
    Compensation.objects.filter(pk=found.pk).update(undone_at=now, undone_by=by.staff_id, undone_why=why)
    limits.give_back(staff_id=found.given_by_id, day=found.day, amount_minor=found.base_minor)
    _record("support.undo", found, now=now, by=by)


def _record(verb: str, compensation: Compensation, *, now: dt.datetime, by: Actor) -> None:
    case = compensation.case
    audit.record(
        verb=verb,
        by=by,
        now=now,
        subject=compensation,
        customer_id=case.customer_id,
        after={
            "case": case.pk,
            "reason": case.reason.key,
            "order": case.order.reference if case.order else None,
            "product": compensation.product.sku if compensation.product else None,
            "amount_minor": compensation.amount_minor,
            "currency": compensation.currency,
            "grant": compensation.grant_id,
            "is_sent": compensation.is_sent,
            "undone": compensation.undone_why or None,
        },
    )
