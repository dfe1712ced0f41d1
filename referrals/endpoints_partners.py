"""Partners, their statements, and payouts over HTTP. Payouts are approved in the console alone: by a person."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Annotated, Any

from django.db.models import Count, Sum, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja import Query, Status

from referrals import schemas_partners as schemas
from referrals.models import Advocate, Partner, PayoutBatch, Scheme
from referrals.operations import partners, payouts
from referrals.operations.schemes import NoSuchScheme
from referrals.statements.reading import statement
from retention import clock
from retention.doors.endpoints import Page, Router, actor, page
from retention.ledger.days import book_day
from retention.refusals import Refused

router = Router("Partners")
READ, WRITE, PAY = "partners:read", "partners:write", "partners:pay"
Cursor = Annotated[str | None, Query(max_length=40)]
Limit = Annotated[int, Query(ge=1, le=200)]
#: The longest period of one statement.
MOST = dt.timedelta(days=3 * 366)


class BadPeriod(Refused):
    code = "referrals.bad_period"
    sentence = _("The period ends before it begins, or is longer than three years.")
    status = 422


@router.get("referrals/partners/", scope=READ, response=Page[schemas.PartnerOut])
def list_partners(request: HttpRequest, cursor: Cursor = None, limit: Limit = 50):
    """Partners that are not archived, in the order in which they were made."""
    return page(Partner.objects.filter(archived_at=None), cursor, limit, shape=schemas.partner_out)


@router.post("referrals/partners/", scope=WRITE, response={201: schemas.PartnerOut})
def create_partner(request: HttpRequest, body: schemas.PartnerIn):
    """Take up a partner; she earns once she takes part in a scheme of partners."""
    partner = partners.create_partner(data=body.told(), now=clock.now(), by=actor(request))
    return Status(201, schemas.partner_out(partner))


@router.get("referrals/partners/{uuid:id}/", scope=READ, response=schemas.PartnerOut)
def get_partner(request: HttpRequest, id: uuid.UUID):
    return schemas.partner_out(_partner(id))


@router.put("referrals/partners/{uuid:id}/", scope=WRITE, response=schemas.PartnerOut)
def change_partner(request: HttpRequest, id: uuid.UUID, body: schemas.PartnerIn):
    """Save all that is decided about her. What was earned keeps the share that it was earned with."""
    saved = partners.save_partner(partner_id=_partner(id).pk, data=body.told(), now=clock.now(), by=actor(request))
    return schemas.partner_out(saved)


@router.post("referrals/partners/{uuid:id}/pause/", scope=WRITE, response=schemas.PartnerOut)
def pause_partner(request: HttpRequest, id: uuid.UUID):
    """Her links bring nobody until she is resumed; what was brought still earns."""
    return _turned(id, partners.pause_partner, request)


@router.post("referrals/partners/{uuid:id}/resume/", scope=WRITE, response=schemas.PartnerOut)
def resume_partner(request: HttpRequest, id: uuid.UUID):
    return _turned(id, partners.resume_partner, request)


@router.post("referrals/partners/{uuid:id}/archive/", scope=WRITE, response=schemas.PartnerOut)
def archive_partner(request: HttpRequest, id: uuid.UUID):
    """For good. What is owed to her is still paid out."""
    return _turned(id, partners.archive_partner, request)


@router.post("referrals/partners/{uuid:id}/forget/", scope=WRITE, response=schemas.PartnerOut)
def forget_partner(request: HttpRequest, id: uuid.UUID):
    """Blank all that names her, once nothing is owed; the books keep her amounts by number."""
    return _turned(id, partners.forget_partner, request)


@router.get("referrals/partners/{uuid:id}/statement/", scope=READ, response=schemas.StatementOut)
def get_statement(request: HttpRequest, id: uuid.UUID, first: dt.date | None = None, last: dt.date | None = None):
    """Opening balance, what came and went, closing balance; this month of the shop, if no days are said."""
    now = clock.now()
    today = book_day(now)
    first, last = first or today.replace(day=1), last or today
    if not dt.timedelta() <= last - first <= MOST or last.year > today.year + 1 or first.year < 2000:
        raise BadPeriod
    return schemas.statement_out(statement(_partner(id), first=first, last=last, now=now))


@router.get("referrals/partners/{uuid:id}/links/", scope=READ, response=list[schemas.PartnerLinkOut])
def list_partner_links(request: HttpRequest, id: uuid.UUID):
    """Her links, one a scheme."""
    links = Advocate.objects.filter(partner=_partner(id)).select_related("scheme").order_by("pk")
    return [schemas.link_out(each) for each in links]


@router.post("referrals/partners/{uuid:id}/links/", scope=WRITE, response={201: schemas.PartnerLinkOut})
def enrol_partner(request: HttpRequest, id: uuid.UUID, body: schemas.PartnerLinkIn):
    """Give her a link in a scheme of partners; who has one keeps it."""
    scheme = Scheme.objects.filter(key=body.scheme).first()
    if scheme is None:
        raise NoSuchScheme
    link = partners.enrol_partner(
        partner_id=_partner(id).pk, scheme_id=scheme.pk, code=body.code, now=clock.now(), by=actor(request)
    )
    return Status(201, schemas.link_out(Advocate.objects.select_related("scheme").get(pk=link.pk)))


@router.get("referrals/payouts/", scope=READ, response=Page[schemas.PayoutsOut])
def list_payouts(request: HttpRequest, cursor: Cursor = None, limit: Limit = 50):
    """Batches of payouts, newest first."""
    return page(_batches(), cursor, limit, newest_first=True, shape=schemas.payouts_out)


@router.post("referrals/payouts/", scope=PAY, response={201: schemas.PayoutsOut})
def draw_up_payouts(request: HttpRequest, body: schemas.PayoutsIn):
    """Set everything that can be paid in a currency aside. A person approves it in the console."""
    batch = payouts.draw_up(currency=body.currency, now=clock.now(), by=actor(request))
    return Status(201, schemas.payouts_out(_batches().get(pk=batch.pk)))


@router.get("referrals/payouts/{uuid:id}/", scope=PAY, response=schemas.PayoutsWithLinesOut)
def get_payouts(request: HttpRequest, id: uuid.UUID):
    """One batch with all its payouts, for the bank."""
    batch = _batch(id)
    lines = batch.payouts.select_related("partner").order_by("pk")
    return {**schemas.payouts_out(batch), "payouts": [schemas.payout_out(each) for each in lines]}


@router.post("referrals/payouts/{uuid:id}/cancel/", scope=PAY, response=schemas.PayoutsOut)
def cancel_payouts(request: HttpRequest, id: uuid.UUID):
    """What they set aside can be paid with others again."""
    batch = payouts.cancel_payouts(batch_id=_batch(id).pk, now=clock.now(), by=actor(request))
    return schemas.payouts_out(_batches().get(pk=batch.pk))


@router.post("referrals/payouts/{uuid:id}/paid/", scope=PAY, response=schemas.PayoutsOut)
def settle_payouts(request: HttpRequest, id: uuid.UUID, body: schemas.PaidIn):
    """The bank has paid approved payouts: the cash leaves the books."""
    batch = payouts.pay_out(batch_id=_batch(id).pk, reference=body.reference, now=clock.now(), by=actor(request))
    return schemas.payouts_out(_batches().get(pk=batch.pk))


def _partner(public_id: uuid.UUID) -> Partner:
    partner = Partner.objects.filter(public_id=public_id).first()
    if partner is None:
        raise partners.NoSuchPartner
    return partner


def _turned(public_id: uuid.UUID, turn: Callable[..., Partner], request: HttpRequest) -> dict[str, Any]:
    turn(partner_id=_partner(public_id).pk, now=clock.now(), by=actor(request))
    return schemas.partner_out(_partner(public_id))


def _batches():
    sums = {"count": Count("payouts"), "total_minor": Coalesce(Sum("payouts__amount_minor"), Value(0))}
    return PayoutBatch.objects.annotate(**sums)


def _batch(public_id: uuid.UUID) -> PayoutBatch:
    batch = _batches().filter(public_id=public_id).first()
    if batch is None:
        raise payouts.NoSuchBatch
    return batch
