"""The HTTP endpoints of programmes, their members, what these earn, and what they would earn."""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Query, Status

from loyalty import operations
from loyalty import schemas_programmes as schemas
from loyalty.backtests.looking import look_back
from loyalty.models import Earning, Member, Programme
from loyalty.operations.earning_now import NoSuchOrder, earn_now
from loyalty.operations.members import NoSuchMember
from loyalty.operations.programmes import NoSuchProgramme
from loyalty.reading import orders
from loyalty.rules import ProgrammeRule
from loyalty.tellers import teller_of
from loyalty.trying import again, as_order, try_order
from loyalty.versions import rule_of
from retention import clock
from retention.customers.models import Customer, Order
from retention.customers.querysets import known_as
from retention.doors.endpoints import Page, Router, actor, idempotency_key, page
from retention.incentives.facts import shop_currency
from retention.ledger.models import Account
from retention.ledger.querysets import Balance, balances
from retention.ledger.versions import rule_of as unit_rule_of

router = Router("Loyalty")
READ, WRITE, LAUNCH, EARN = "loyalty:read", "loyalty:write", "loyalty:launch", "loyalty:earn"


@router.get("loyalty/programmes/", scope=READ, response=Page[schemas.ProgrammeOut])
def list_programmes(request: HttpRequest, cursor: str | None = None, limit: int = Query(50, ge=1, le=200)):
    """Programmes that are not archived, the oldest first."""
    return page(_programmes(), cursor, limit, shape=schemas.programme_out)


@router.post("loyalty/programmes/", scope=WRITE, response={201: schemas.ProgrammeOut})
def create_programme(request: HttpRequest, body: schemas.ProgrammeIn):
    """Write a new programme as a draft; nothing is earned before it is launched."""
    made = operations.create_programme(
        key=body.key,
        unit_key=body.unit,
        rule=schemas.read_rule(body.rule),
        now=clock.now(),
        by=actor(request),
        why=body.why,
    )
    return Status(201, _shown(made.key))


@router.get("loyalty/programmes/{key}/", scope=READ, response=schemas.ProgrammeOut)
def get_programme(request: HttpRequest, key: str):
    return _shown(key)


@router.put("loyalty/programmes/{key}/", scope=WRITE, response=schemas.ProgrammeOut)
def change_programme(request: HttpRequest, key: str, body: schemas.ProgrammeChange):
    """Save the whole rule as the next version; what happens from then on is earned by it."""
    operations.save_programme(
        programme_id=_found(key).pk,
        rule=schemas.read_rule(body.rule),
        edited=body.edited,
        now=clock.now(),
        by=actor(request),
        why=body.why,
    )
    return _shown(key)


@router.post("loyalty/programmes/{key}/launch/", scope=LAUNCH, response=schemas.ProgrammeOut)
def launch_programme(request: HttpRequest, key: str):
    """Put a draft live: what happens from now on is earned."""
    return _turned(key, operations.launch_programme, request)


@router.post("loyalty/programmes/{key}/pause/", scope=LAUNCH, response=schemas.ProgrammeOut)
def pause_programme(request: HttpRequest, key: str):
    """Let nothing be earned until it is resumed; what members have, they can spend."""
    return _turned(key, operations.pause_programme, request)


@router.post("loyalty/programmes/{key}/resume/", scope=LAUNCH, response=schemas.ProgrammeOut)
def resume_programme(request: HttpRequest, key: str):
    """Let a paused programme go on; what happened meanwhile earns nothing."""
    return _turned(key, operations.resume_programme, request)


@router.post("loyalty/programmes/{key}/end/", scope=LAUNCH, response=schemas.ProgrammeOut)
def end_programme(request: HttpRequest, key: str):
    """End a programme for good; what members have stays theirs."""
    return _turned(key, operations.end_programme, request)


@router.post("loyalty/programmes/{key}/members/", scope=WRITE, response=schemas.ProgrammeJoinedOut)
def join_programme(request: HttpRequest, key: str, body: schemas.ProgrammeCustomersIn):
    """Make customers members; customers who are not known are passed over."""
    joined = operations.join(
        programme_id=_found(key).pk, customer_ids=_numbers(body.customers), now=clock.now(), by=actor(request)
    )
    return {"joined": len(joined.members)}


@router.post("loyalty/programmes/{key}/members/leave/", scope=WRITE, response=schemas.ProgrammeLeftOut)
def leave_programme(request: HttpRequest, key: str, body: schemas.ProgrammeCustomersIn):
    """Let members leave: they earn no more, and keep what they have."""
    left = operations.leave(
        programme_id=_found(key).pk, customer_ids=_numbers(body.customers), now=clock.now(), by=actor(request)
    )
    return {"left": left}


@router.get("loyalty/programmes/{key}/members/{uuid:customer}/", scope=READ, response=schemas.ProgrammeMemberOut)
def get_member(request: HttpRequest, key: str, customer: uuid.UUID):
    """A member with her tier and what she has."""
    member = _member(key, customer)
    return schemas.member_out(member, _balance(member))


@router.get("loyalty/programmes/{key}/members/{uuid:customer}/earnings/", scope=READ, response=Page[schemas.EarningOut])
def list_earnings(
    request: HttpRequest,
    key: str,
    customer: uuid.UUID,
    cursor: str | None = None,
    limit: int = Query(50, ge=1, le=200),
):
    """What a member earned for what, the newest first."""
    rows = Earning.objects.filter(member=_member(key, customer)).select_related("order", "activity")
    return page(rows, cursor, limit, newest_first=True, shape=schemas.earning_out)


@router.post(
    "loyalty/programmes/{key}/members/{uuid:customer}/points/", scope=WRITE, response=schemas.ProgrammeMemberOut
)
def adjust_points(request: HttpRequest, key: str, customer: uuid.UUID, body: schemas.PointsIn):
    """Correct by hand what a member has; she is told how much and why."""
    member = _member(key, customer)
    if body.amount == 0:
        raise ValidationError({"amount": _("Say how much.")})
    said = f"{actor(request).name}:{idempotency_key(request)}"
    operations.adjust_points(
        member_id=member.pk,
        amount=body.amount,
        reason=body.reason,
        source=f"api:{hashlib.sha256(said.encode()).hexdigest()}",
        now=clock.now(),
        by=actor(request),
    )
    return schemas.member_out(member, _balance(member))


@router.post("loyalty/programmes/{key}/earnings/", scope=EARN, response=schemas.EarnedOut, idempotent=False)
def earn_for_order(request: HttpRequest, key: str, body: schemas.EarnIn):
    """What an order earned; if it has not yet, it earns now, without waiting for the sweep. Again changes nothing."""
    earnings = earn_now(key=key, reference=body.order, now=clock.now(), by=actor(request))
    return schemas.earned_out(body.order, earnings)


@router.post("loyalty/programmes/{key}/try/", scope=READ, response=schemas.TriedOut, idempotent=False)
def try_programme(request: HttpRequest, key: str, body: schemas.TryIn):
    """What a basket or an order would earn now and why, rule by rule. Writes nothing."""
    programme, now = _found(key), clock.now()
    rule = _rule(programme)
    if (body.order is None) == (not body.lines):
        raise ValidationError({"lines": _("Say an order or the lines of a basket.")})
    if body.tier and rule.tiers.step(body.tier) is None:
        raise ValidationError({"tier": _("The programme has no such tier.")})
    customer = known_as(body.customer) if body.customer else None
    member = Member.objects.filter(programme=programme, customer=customer).first() if customer else None
    if body.order is not None:
        (fact,) = orders([_order(body.order).pk], shop_currency())
        fact = again(fact, now=now)
    else:
        fact = as_order(body.basket(shop_currency()), customer_id=customer.pk if customer else 0, now=now)
    return schemas.tried_out(try_order(rule, fact, teller=teller_of(programme), member=member, tier=body.tier))


@router.post("loyalty/programmes/{key}/back-test/", scope=READ, response=schemas.BackTestOut, idempotent=False)
def back_test_programme(request: HttpRequest, key: str, body: schemas.BackTestIn):
    """What the programme as last saved would have given for orders and activities of days gone by. Writes nothing."""
    programme = _found(key)
    return asdict(
        look_back(_rule(programme), unit_rule_of(programme.unit), first=body.first, last=body.last, now=clock.now())
    )


def _programmes():
    found = Programme.objects.filter(archived_at=None, version__isnull=False)
    return found.select_related("version", "unit").order_by("pk")


def _found(key: str) -> Programme:
    programme = _programmes().filter(key=key).first()
    if programme is None:
        raise NoSuchProgramme
    return programme


def _shown(key: str) -> dict[str, Any]:
    return schemas.programme_out(_found(key))


def _turned(key: str, turn: Callable[..., Programme], request: HttpRequest) -> dict[str, Any]:
    turn(programme_id=_found(key).pk, now=clock.now(), by=actor(request))
    return _shown(key)


def _rule(programme: Programme) -> ProgrammeRule:
    assert programme.version_id is not None
    return rule_of(programme.version_id)


def _numbers(public_ids: list[uuid.UUID]) -> list[int]:
    found = Customer.objects.filter(public_id__in=public_ids, merged_into=None, erased_at=None)
    return list(found.values_list("pk", flat=True))


def _member(key: str, customer: uuid.UUID) -> Member:
    found = Member.objects.filter(programme=_found(key), customer=known_as(customer))
    member = found.select_related("programme", "customer", "tier").first()
    if member is None:
        raise NoSuchMember
    return member


def _balance(member: Member) -> Balance | None:
    account = Account.objects.filter(customer=member.customer_id, unit=member.programme.unit_id).first()
    return balances([account.pk], now=clock.now())[0] if account else None


def _order(reference: str) -> Order:
    order = Order.objects.filter(reference=reference).first()
    if order is None:
        raise NoSuchOrder
    return order
